"""Versions and aliases on a real MLflow with SQLite."""

from pathlib import Path

from tracking import registry
from tracking.registry import CHALLENGER, PREVIOUS, PRODUCTION, Challenger

NAME = "shop"


def new_version(number: int, folder: Path) -> registry.RegisteredVersion:
    source = folder / f"model-{number}"
    source.mkdir()
    (source / "MLmodel").write_text("flavors: {}\n")
    return registry.register(NAME, a_challenger(f"run{number}", source.as_uri()))


def a_challenger(run: str, uri: str, evaluation: str = "evaluation", taxonomy: str = "digest") -> Challenger:
    return Challenger(run_id=run, evaluation_run=evaluation, model_uri=uri, taxonomy=taxonomy, source="files")


def alias(name: str) -> str | None:
    version = registry.by_alias(NAME, name)
    return version.number if version else None


def test_a_model_that_nobody_registered_has_no_version(tracker: Path) -> None:
    assert alias(PRODUCTION) is None


def test_the_newest_version_is_the_challenger_and_no_more(tracker: Path) -> None:
    assert new_version(1, tracker).number == "1"
    assert (alias(CHALLENGER), alias(PRODUCTION), alias(PREVIOUS)) == ("1", None, None)


def test_registering_the_same_run_again_makes_no_second_version(tracker: Path) -> None:
    first = new_version(1, tracker)
    assert registry.register(NAME, a_challenger("run1", first.source)).number == "1"


def test_the_same_run_for_another_taxonomy_is_another_version(tracker: Path) -> None:
    first = new_version(1, tracker)
    assert registry.register(NAME, a_challenger("run1", first.source, taxonomy="other digest")).number == "2"


def test_the_same_run_with_another_evaluation_is_another_version_with_a_reference_of_its_own(tracker: Path) -> None:
    first = new_version(1, tracker)
    second = registry.register(NAME, a_challenger("run1", first.source, evaluation="later"))
    assert (second.number, second.evaluation_run) == ("2", "later")
    again = registry.by_number(NAME, "1")
    assert (again.evaluation_run, again.tags["run_id"]) == ("evaluation", "run1")
