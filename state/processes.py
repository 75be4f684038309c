"""Commands as child processes, and the one way to end a process with all of its descendants."""

import os
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Self

import psutil

_INTERVAL = 0.1  # seconds between two looks at a process
_GRACE = 1  # seconds for descendants to end by themselves after their parent
_KILL_LIMIT = 5  # seconds for the kernel to remove a killed process
_SAME = 1  # seconds by which two readings of a creation time may differ


class StoppedError(Exception):
    """The wait for a command was stopped. The command has been ended."""


class OverdueError(Exception):
    """A command took longer than it may. It has been ended."""


@dataclass(frozen=True)
class Ending:
    """How a process is asked to end: by which signal, and after how many seconds it is killed.

    `repeat`: seconds after which the signal is sent again, for a process that may miss one.
    """

    signal: signal.Signals
    patience: float
    repeat: float = inf


class Child:
    """A command that was started by this process. It has a session of its own: Ctrl-C does not reach it."""

    def __init__(self, process: "subprocess.Popen[bytes]", ending: Ending) -> None:
        self._process = process
        self._ending = ending

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        ending: Ending,
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> Self:
        """Start a command in a folder; its output goes to `log`, or where this process' output goes.

        Raises `OSError`.
        """
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if log else None
        try:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        finally:
            if output is not None:
                os.close(output)
        return cls(process, ending)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def created(self) -> float | None:
        """When the process was created, in seconds since 1970; None when it has ended already.

        With the process id this identifies the process.
        """
        try:
            return psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return None

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def wait(self, stop: Event, limit: float) -> int:
        """Return the exit code when the command has ended.

        Raises `StoppedError` when `stop` is set, and `OverdueError` after `limit` seconds; both end the command.
        """
        deadline = monotonic() + limit
        while (code := self.exit_code) is None:
            if stop.wait(_INTERVAL):
                self.end()
                raise StoppedError
            if monotonic() > deadline:
                self.end()
                raise OverdueError(f"it was ended after {limit / 60:,.0f} minutes")
        return code

    def end(self) -> None:
        """End the command and all of its descendants. Nothing happens when it has ended already."""
        if self.exit_code is None:
            with suppress(psutil.NoSuchProcess):
                end_process_tree(psutil.Process(self.pid), self._ending)
        self._process.wait()


def find_process(pid: int, created: float) -> psutil.Process | None:
    """Return the process with this id that was created then (seconds since 1970).

    None when it has ended; another process may have its id now.
    """
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - created) < _SAME else None
    except psutil.NoSuchProcess:
        return None


def end_process_tree(process: psutil.Process, ending: Ending) -> None:
    """Ask a process to end, and kill it after a while; kill what is then left of its descendants.

    Descendants with a session of their own are included. The exit code of a child stays readable for its parent.
    """
    family = {process}
    deadline, next_signal = monotonic() + ending.patience, 0.0
    while not has_ended(process) and monotonic() < deadline:
        with suppress(psutil.NoSuchProcess):
            family.update(process.children(recursive=True))
            if monotonic() >= next_signal:
                process.send_signal(ending.signal)
                next_signal = monotonic() + ending.repeat
        sleep(_INTERVAL)
    for member in _running_after(_GRACE, family):
        with suppress(psutil.NoSuchProcess):
            member.kill()
    _running_after(_KILL_LIMIT, family)


def has_ended(process: psutil.Process) -> bool:
    """Tell whether a process has ended, also when its parent has not read its exit code yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _running_after(seconds: float, processes: Collection[psutil.Process]) -> list[psutil.Process]:
    """Wait until processes have ended, and return those that still run after so many seconds."""
    deadline = monotonic() + seconds
    while (running := [process for process in processes if not has_ended(process)]) and monotonic() < deadline:
        sleep(_INTERVAL)
    return running
