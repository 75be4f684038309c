"""A command is ended with everything that it started, in order where it can."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import psutil
import pytest

from state.processes import Child, Ending, OverdueError, StoppedError, end_process_tree, find_process, has_ended
from tests.system.workspace import wait_for

# Starts a child, which may have a session of its own, and writes its process id to a file; ends at the second SIGTERM.
PARENT = """
import pathlib, signal, subprocess, sys, time
own_session, path = sys.argv[1] == "own session", pathlib.Path(sys.argv[2])
sleeping = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(600)"]
child = subprocess.Popen(sleeping, start_new_session=own_session)
received = 0
def on_term(*_):
    global received
    received += 1
    if received > 1:
        sys.exit(3)
signal.signal(signal.SIGTERM, on_term)
path.with_suffix(".part").write_text(str(child.pid))
path.with_suffix(".part").rename(path)
while True:
    time.sleep(0.05)
"""
Start = Callable[..., tuple[Child, psutil.Process]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    children: list[Child] = []

    def begin(ending: Ending, session: str = "own session") -> tuple[Child, psutil.Process]:
        path = tmp_path / "pid"
        child = Child.start([sys.executable, "-c", PARENT, session, str(path)], ending, log=tmp_path / "log.txt")
        children.append(child)
        wait_for("the child has started its own", path.is_file)
        return child, psutil.Process(int(path.read_text()))

    yield begin
    for child in children:
        child.end()


@pytest.mark.parametrize("session", ["own session", "same session"])
def test_a_repeated_signal_ends_a_process_that_missed_the_first_and_its_child(start: Start, session: str) -> None:
    child, grandchild = start(Ending(signal.SIGTERM, patience=30, repeat=0.3), session)
    child.end()
    assert child.exit_code == 3, "it was killed although it would have ended in order"
    assert has_ended(grandchild)


def test_a_process_that_does_not_end_is_killed_with_its_child(start: Start) -> None:
    child, grandchild = start(Ending(signal.SIGTERM, patience=0.5))
    child.end()
    assert child.exit_code == -signal.SIGKILL
    assert has_ended(grandchild)


def test_what_a_killed_command_leaves_running_is_ended_with_it(start: Start) -> None:
    child, grandchild = start(Ending(signal.SIGTERM, patience=30), "same session")
    psutil.Process(child.pid).kill()
    wait_for("it was killed", lambda: child.exit_code is not None)
    assert not has_ended(grandchild)
    child.end()
    assert has_ended(grandchild)


def test_a_child_that_ignores_the_signal_of_its_parent_is_killed(start: Start) -> None:
    child, grandchild = start(Ending(signal.SIGINT, patience=30), "same session")
    started = monotonic()
    child.end()
    assert child.exit_code == -signal.SIGINT
    assert monotonic() - started < 15, "the parent ended at once"
    assert has_ended(grandchild)


def test_a_process_of_another_parent_can_be_ended_too(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"
    with subprocess.Popen([sys.executable, "-c", program, PARENT, "own session", str(path)]) as parent:
        wait_for("all of them run", path.is_file)
        (child,) = psutil.Process(parent.pid).children()
        grandchild = psutil.Process(int(path.read_text()))
        end_process_tree(child, Ending(signal.SIGINT, patience=10))
    assert has_ended(child)
    assert has_ended(grandchild)


def test_ending_what_has_ended_does_nothing() -> None:
    child = Child.start([sys.executable, "-c", "raise SystemExit(4)"], Ending(signal.SIGINT, patience=5))
    assert child.wait(threading.Event(), limit=60) == 4
    child.end()
    assert child.exit_code == 4


def test_a_wait_ends_the_command_when_it_is_stopped_or_overdue(start: Start) -> None:
    child, grandchild = start(Ending(signal.SIGINT, patience=5))
    with pytest.raises(OverdueError, match="it was ended after 0 minutes"):
        child.wait(threading.Event(), limit=0.2)
    assert has_ended(grandchild)
    stop = threading.Event()
    stop.set()
    sleeping = Child.start([sys.executable, "-c", "import time; time.sleep(600)"], Ending(signal.SIGINT, patience=5))
    with pytest.raises(StoppedError):
        sleeping.wait(stop, limit=60)
    assert sleeping.exit_code is not None


def test_output_goes_to_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    program = "import os; print(os.getcwd(), os.environ['WORD'], flush=True); os.write(2, b'error')"
    child = Child.start(
        [sys.executable, "-c", program], Ending(signal.SIGINT, patience=5),
        folder=tmp_path, environment={"WORD": "piscine"}, log=log,
    )  # fmt: skip
    assert child.wait(threading.Event(), limit=60) == 0
    assert log.read_text() == f"{tmp_path} piscine\nerror"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_process_is_found_by_its_id_and_its_creation_time() -> None:
    child = Child.start([sys.executable, "-c", "import time; time.sleep(600)"], Ending(signal.SIGINT, patience=5))
    created = child.created
    try:
        assert find_process(child.pid, created) == psutil.Process(child.pid)
        assert find_process(child.pid, created - 60) is None, "the id was another process' then"
    finally:
        child.end()
    assert find_process(child.pid, created) is None
