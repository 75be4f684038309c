"""What `run.py train` says about production when a run has failed."""

import pytest
from mlflow.exceptions import MlflowException

from commands.train import in_production_now
from stacks import active
from tracking import registry


def test_the_version_in_production_is_read_after_a_failure_and_not_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active, "connect_tracker", lambda: "")
    version = registry.RegisteredVersion(number="2", run_id="run", source="", tags={})
    monkeypatch.setattr(registry, "by_alias", lambda *_: version)
    assert in_production_now("shop") == "Version 2 of 'shop' is in production now."
    monkeypatch.setattr(registry, "by_alias", lambda *_: None)
    assert in_production_now("shop") == "No version of 'shop' is in production now."

    def refuse(*_: str) -> None:
        raise MlflowException("the database is locked")

    monkeypatch.setattr(registry, "by_alias", refuse)
    assert in_production_now("shop") == (
        "Which version of 'shop' is in production is not known: the database is locked"
    )
