"""A command as a process of its own, which ends with this one."""

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Self

import psutil

_LOOK = 0.2  # seconds between two looks at a child
_PATIENCE = 7  # seconds from the interruption of a child to its end: run.py leaves within 5
_RAISED = re.compile(r"(?:\w+\.)*(\w*(?:Error|Exception))(?::|$)")
_TAIL = 16_384  # bytes of a log in which its last error is looked for


class StoppedError(Exception):
    """The service was told to end while a command was under way."""


class OverdueError(Exception):
    """A command took longer than it may."""


class Child:
    """A command under way, in a session of its own, so that Ctrl-C reaches the service alone."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    def start(cls, command: Sequence[str], folder: Path, log: Path) -> Self:
        """Start a command in a folder; what it says goes to a file. Raises `OSError`."""
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor,
                start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(descriptor)
        return cls(process, log)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def wait(self, stop: Event, limit: float) -> int:
        """Return the exit code. Raises `StoppedError`, and `OverdueError` after `limit` seconds; it has ended then."""
        deadline = monotonic() + limit
        while self._process.poll() is None:
            if stop.wait(_LOOK):
                self.end()
                raise StoppedError
            if monotonic() > deadline:
                self.end()
                raise OverdueError(f"it was ended after {limit / 60:,.0f} minutes")
        return self._process.returncode

    def end(self) -> None:
        """End it and its own children."""
        with suppress(psutil.NoSuchProcess):
            end(psutil.Process(self._process.pid))
        self._process.wait()

    def last_error(self) -> str:
        """Return the sentence of the error that it ended with, as far as it gave one."""
        with self._log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().decode(errors="replace").splitlines()
        if sentences := [found[2].strip() for line in lines if (found := line.partition("error: "))[1]]:
            return sentences[-1]
        # Of what nobody put into a sentence the name alone: there may be anything in the rest.
        raised = [match[1] for line in lines if (match := _RAISED.match(line))]
        return f"it ended with exit code {self._process.poll()}" + (f" ({raised[-1]})" if raised else "")


def end(process: psutil.Process) -> None:
    """Interrupt a process, and kill it after a while; what it leaves of its children is killed too."""
    family = [process, *process.children(recursive=True)]
    process.send_signal(signal.SIGINT)
    psutil.wait_procs([process], timeout=_PATIENCE)
    _, left = psutil.wait_procs(family, timeout=0.5)
    for member in left:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(left, timeout=2)
