"""A lock: one holder at a time, others wait, or the error names the holder."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from state.lock import LockedError, hold
from tests.conftest import ROOT

_HOLDER = """
import sys, time
from pathlib import Path
from state.lock import hold
with hold(Path(sys.argv[1]), "the other process"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_holder_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with hold(path, "run.py monitor"), pytest.raises(LockedError, match=r"'run\.py monitor' \(process \d+"):
        hold(path, "another").__enter__()


def test_a_patient_holder_waits_until_the_lock_is_free(tmp_path: Path) -> None:
    path, steps, waiting = tmp_path / "run.lock", [], threading.Event()

    def wait_for_it() -> None:
        waiting.set()
        with hold(path, "second", patience=600):
            steps.append("second")

    second = threading.Thread(target=wait_for_it)
    with hold(path, "first"):
        second.start()
        assert waiting.wait(600)
        steps.append("first")
    second.join(600)
    assert steps == ["first", "second"]


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    command = [sys.executable, "-c", _HOLDER, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"'the other process' .process {holder.pid}"):
            hold(path, "mine").__enter__()
        holder.kill()
    with hold(path, "mine"):
        pass
