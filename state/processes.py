"""Commands as child processes, and the one way to end a process with all that it has started."""

import os
import signal
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from threading import Event
from time import monotonic, sleep, time
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


def on_end(handler: Callable[[], None]) -> None:
    """Call a handler when this process is asked to end: by Ctrl-C, by SIGTERM, or when its terminal is closed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, lambda *_: handler())


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
        self._created = _creation_time(process.pid)

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
    def created(self) -> float:
        """When the process was created, in seconds since 1970. With the process id this identifies the process."""
        return self._created

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
        """End the command and all of its descendants, also those of a command that has ended without them."""
        if process := find_process(self.pid, self._created):
            end_process_tree(process, self._ending)
        end_all(find_session(self.pid, self._created), self._ending)
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


def find_session(leader: int, created: float) -> list[psutil.Process]:
    """Return what still runs of the session that a process began, also after that process has ended.

    Its id is given to no other process as long as one of its session runs. After that it may be given to one that
    begins a session too: who asks long afterwards has to check what the processes are.
    """
    if psutil.pid_exists(leader) and not find_process(leader, created):
        return []
    members = []
    for process in psutil.process_iter():
        with suppress(OSError, psutil.Error):  # it has ended meanwhile, or is another user's
            if os.getsid(process.pid) == leader and process.create_time() > created - _SAME:
                members.append(process)
    return [member for member in members if not has_ended(member)]


def end_all(processes: Collection[psutil.Process], ending: Ending) -> None:
    """Ask processes to end, and kill those that still run after a while."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(ending.signal)
    _kill(_running_after(ending.patience, processes))


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
    _kill(_running_after(_GRACE, family))


def has_ended(process: psutil.Process) -> bool:
    """Tell whether a process has ended, also when its parent has not read its exit code yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _creation_time(pid: int) -> float:
    """Return when a child of this process was created: it is known until this process has read its exit code."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:  # some systems do not say it of a process that has ended
        return time()


def _kill(processes: Collection[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _running_after(_KILL_LIMIT, processes)


def _running_after(seconds: float, processes: Collection[psutil.Process]) -> list[psutil.Process]:
    """Wait until processes have ended, and return those that still run after so many seconds."""
    deadline = monotonic() + seconds
    while (running := [process for process in processes if not has_ended(process)]) and monotonic() < deadline:
        sleep(_INTERVAL)
    return running
