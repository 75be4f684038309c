"""Settings of a stack file for one run."""

from stacks.running import _filled_in


def test_the_names_of_model_and_pipeline_and_the_revision_are_filled_in() -> None:
    settings = {
        "orchestrator.airflow": {"dag_id": "{model}_{pipeline}", "runs": 1},
        "docker": {"REVISION": "{revision}"},
    }
    assert _filled_in(settings, "shop", "training", lambda: "abc") == {
        "orchestrator.airflow": {"dag_id": "shop_training", "runs": 1},
        "docker": {"REVISION": "abc"},
    }


def test_the_revision_is_asked_for_only_where_it_is_used() -> None:
    def revision() -> str:
        raise AssertionError("not needed")

    assert _filled_in({"name": "{model}"}, "shop", "training", revision) == {"name": "shop"}
