"""`run.py doctor`: what is fine here, and what to do about the rest."""

import pytest

import run


def test_every_subject_is_shown_and_fine(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["doctor"]) == 0
    shown = capfd.readouterr().out
    for subject in (
        "Python",
        "zenml",
        "great-expectations",
        "state folder",
        "Bento store",
        "active stack",
        "ledger",
        "dashboard",
    ):
        assert subject in shown
    assert "✗" not in shown


def test_a_ledger_that_does_not_answer_is_shown_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:hunter2@127.0.0.1:9/shop")
    monkeypatch.setenv("COLUMNS", "200")
    assert run.main(["doctor"]) == 1
    shown = capfd.readouterr().out
    assert "shop:***@127.0.0.1:9" in shown
    assert "hunter2" not in shown
