"""`run.py doctor`: what is here, and what to do about what is not."""

import pytest

import run


def test_doctor_finds_nothing_wrong_here_and_names_what_runs(capfd: pytest.CaptureFixture[str]) -> None:
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


def test_doctor_names_a_ledger_that_does_not_answer_and_not_its_password(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:hunter2@127.0.0.1:9/shop")
    monkeypatch.setenv("COLUMNS", "200")
    assert run.main(["doctor"]) == 1
    shown = capfd.readouterr().out
    assert "shop:***@127.0.0.1:9" in shown
    assert "hunter2" not in shown
