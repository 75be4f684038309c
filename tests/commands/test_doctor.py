"""`run.py doctor`: what is fine here, and what to do about the rest."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import run
from commands.doctor import Diagnosis, guarded
from stacks.files import StackError
from tests.commands.processes import run_py


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
        "model registry",
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


@pytest.mark.parametrize(
    ("error", "seen", "advice"),
    [
        (OSError(28, "No space left on device"), "(OSError: [Errno 28] No space left on device)", "free some space"),
        (yaml.YAMLError("mapping values\nat line 3"), "(YAMLError: mapping values)", "free some space"),
        (RuntimeError(), "(RuntimeError)", "free some space"),
        (StackError("it is gone; do this"), "not usable", "it is gone; do this"),
    ],
)
def test_an_error_while_a_subject_is_examined_is_a_diagnosis_with_advice(
    error: Exception, seen: str, advice: str
) -> None:
    def diagnose() -> Iterator[Diagnosis]:
        yield Diagnosis("first", True, "fine")
        raise error

    first, second = guarded("subject", diagnose, "free some space")
    assert first.fine
    assert not second.fine
    assert second.subject == "subject"
    assert second.seen.endswith(seen)
    assert second.advice == advice


def test_a_home_that_cannot_be_written_to_is_diagnosed_and_every_other_subject_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file in the place of the folder")
    # Without a state folder of its own the command would use the one of the checkout.
    done = run_py("doctor", STATE_DIR="", ZENML_CONFIG_PATH="", BENTOML_HOME="", HOME=str(home), COLUMNS="400")
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert "Traceback" not in said
    for place in (f"ZenML's folder {home}/.config/zenml", f"the Bento store {home}/bentoml"):
        assert f"{place} cannot be written to (Not a directory); make it writable" in said
    assert "✓ dashboard" in said


def test_damaged_files_of_the_libraries_are_diagnosed(tmp_path: Path) -> None:
    (tmp_path / "zenml").mkdir()
    (tmp_path / "zenml" / "config.yaml").write_text("store: [not closed")
    done = run_py("doctor", "--state", str(tmp_path), COLUMNS="400")
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert "Traceback" not in said
    assert f"ZenML cannot be opened in {tmp_path}/zenml" in said
    assert "✓ ledger" in said
