"""The smaller verbs: env, data, doctor, rollback without a past, and --help."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import run
from state.folder import State

ROOT = Path(run.__file__).parent


def process(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "run.py", *arguments], cwd=ROOT, env={**os.environ, **environment}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def test_help_teaches_with_examples() -> None:
    done = process("--help")
    assert done.returncode == 0
    for verb in run.VERBS:
        assert f"    {verb} " in done.stdout
    assert "python run.py --data DIR --taxonomy FILE" in done.stdout
    assert "--new-baseline" in process("train", "--help").stdout


def test_an_unknown_option_is_refused_with_the_usage() -> None:
    done = process("--colour")
    assert done.returncode == 2
    assert "usage: run.py train" in done.stderr


def test_env_prints_exports_that_a_shell_takes(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    shown = subprocess.run(
        ["sh", "-c", f'eval "$({sys.executable} run.py env --state \'{folder}\')" && printenv ZENML_CONFIG_PATH'],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown.strip() == str(folder / "zenml")


def test_data_writes_the_challenges_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["data", str(tmp_path / "out"), "--size", "250"]) == 0
    assert "X_train_update.csv (250 synthetic listings)" in capfd.readouterr().out
    assert len((tmp_path / "out" / "Y_train_CVw08PX.csv").read_text().splitlines()) == 251


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


@pytest.mark.parametrize("verb", ["train", "rollback", "serve", "env --tracker", "doctor"])
def test_a_server_that_does_not_answer_is_named_with_the_way_on(verb: str, tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9"
    done = process(*verb.split(), "--state", str(tmp_path), ZENML_STORE_URL=nobody, ZENML_STORE_TYPE="rest")
    assert done.returncode == 1
    said = " ".join((done.stdout + done.stderr).split())
    assert f"ZenML is logged in to the server {nobody}, which does not answer" in said
    assert "`zenml logout`" in said
    assert "Traceback" not in said


def test_a_rollback_without_a_past_is_a_sentence(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    taxonomy = tmp_path / "empty-shop.csv"
    taxonomy.write_text("code,label\n1,A\n2,B\n")
    assert run.main(["rollback", "--taxonomy", str(taxonomy)]) == 1
    assert "model 'empty-shop' has no version in production: there is nothing to roll back" in capfd.readouterr().err
    assert run.main(["serve", "--taxonomy", str(taxonomy)]) == 1
    assert "train one with 'python run.py'" in capfd.readouterr().err


def test_the_next_commands_are_about_the_catalogue_that_was_trained(tmp_path: Path) -> None:
    from commands.summary import next_commands

    def serve(taxonomy: Path | None) -> str:
        commands = next_commands(State(tmp_path, moved=True), taxonomy, served=True)
        return next(command for what, command in commands if what.startswith("serve"))

    assert serve(None).endswith("run.py serve")
    assert serve(Path("my shop/types.csv")).endswith("run.py serve --taxonomy 'my shop/types.csv'")


def test_doctor_names_a_ledger_that_does_not_answer_and_not_its_password(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:hunter2@127.0.0.1:9/shop")
    monkeypatch.setenv("COLUMNS", "200")
    assert run.main(["doctor"]) == 1
    shown = capfd.readouterr().out
    assert "shop:***@127.0.0.1:9" in shown
    assert "hunter2" not in shown


def test_purge_wants_an_age_that_it_understands(capfd: pytest.CaptureFixture[str]) -> None:
    assert run.main(["purge", "--older-than", "soon"]) == 1
    assert "takes a number and a unit, as 90d, 12w or 36h, not 'soon'" in capfd.readouterr().err


def test_purge_of_an_empty_ledger_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    assert run.main(["purge", "--older-than", "90d"]) == 0
    assert "predictions      0 removed" in capfd.readouterr().out


def test_ctrl_c_ends_a_run_even_where_a_library_drops_it() -> None:
    deaf = (
        "import time; from commands import train; train._PATIENCE = 0.5\n"
        "with train._interruptible():\n"
        "    said = ['ready']\n"
        "    while True:\n"
        "        try:\n"
        "            while said: print(said.pop(), flush=True)\n"
        "            time.sleep(60)\n"
        "        except KeyboardInterrupt: pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", deaf], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint) == (130, "error: interrupted; what was in production still is\n")
