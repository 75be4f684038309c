"""One worker of a service: a process of BentoML that takes connections from a socket of `run.py serve`."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from bento.supervision import LEAVE, READY, VARIABLE
from commands.serve.release import Release
from terminal.errors import CommandError, in_a_line

_HOOK = Path(__file__).with_name("deployment_hook.py")
_FINISH_LIMIT = 30  # seconds for requests in flight to end
_HOOK_LIMIT = 60  # seconds for what runs before the workers
_SILENCE_LIMIT = 60  # seconds without a sign of life after which a worker hangs


class ServiceError(CommandError):
    """A service did not start."""


@dataclass(frozen=True)
class Deployment:
    """What the workers of a release need: the name of its BentoML service, and the environment it has prepared."""

    service: str
    environment: Mapping[str, str]

    @classmethod
    def prepare(cls, release: Release, environment: Mapping[str, str]) -> "Deployment":
        """Run what a Bento wants to be run once before its workers, in a process with the code of that Bento.

        Raises `ServiceError` with the reason.
        """
        try:
            done = subprocess.run(
                [sys.executable, "-P", str(_HOOK), release.tag], env=environment, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, check=False, cwd=release.bento, start_new_session=True,
                timeout=_HOOK_LIMIT,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServiceError(f"{release.tag} does not start: {in_a_line(error)}") from error
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["it said nothing"]
            raise ServiceError(f"{release.tag} does not start: {lines[-1].removeprefix('error: ')}")
        sys.stderr.write(done.stderr)  # such as the password of the first admin
        prepared = json.loads(done.stdout.splitlines()[-1])
        return cls(prepared["service"], {**environment, **prepared["environment"]})


class Worker:
    """A worker's process, and the line on which it says that it is ready and lives."""

    def __init__(self, release: Release, deployment: Deployment, listener: socket.socket, number: int) -> None:
        """Start it. `number`: its place among the workers, from 0. Raises `ServiceError`."""
        self.model = ""  # NAME:VERSION, when it takes requests
        self._heard = monotonic()
        self._kill_at = float("inf")
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    self.command(release, deployment.service, listener.fileno(), number),
                    cwd=release.bento,
                    env={**deployment.environment, VARIABLE: str(theirs.fileno())},
                    pass_fds=(listener.fileno(), theirs.fileno()),
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C does not reach it
                )
            except OSError as error:  # such as a Bento that has gone
                self._line.close()
                raise ServiceError(f"a worker of {release.tag} cannot be started: {in_a_line(error)}") from error

    @staticmethod
    def command(release: Release, service: str, listener: int, number: int) -> list[str]:
        """Return the command of a worker; `listener` is the file descriptor of its socket."""
        return [
            sys.executable, "-P", "-m", "_bentoml_impl.worker.service", release.tag, "--service-name", service,
            "--fd", str(listener), "--worker-id", str(number + 1),
            "--timeout-graceful-shutdown", str(_FINISH_LIMIT), "--args", "{}",
        ]  # fmt: skip

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def listen(self) -> None:
        """Take in what it has said. A worker that has not said anything for long is killed, and so is a late one."""
        try:
            while words := self._line.recv(4_096):
                self._heard = monotonic()
                if words.startswith(READY):
                    self.model = words.split(b"\n")[0].removeprefix(READY).decode()
        except OSError:
            pass  # nothing more for now
        hangs = self.model and monotonic() - self._heard > _SILENCE_LIMIT
        if hangs or monotonic() > self._kill_at:
            self.kill()

    def leave(self) -> None:
        """Ask it to take no new connections, to answer what it has, and to end; in its own time."""
        self._kill_at = min(self._kill_at, monotonic() + 2 * _FINISH_LIMIT)
        try:
            self._line.send(LEAVE)
        except OSError:
            self.end()

    def end(self) -> None:
        """Ask it to answer what it has, and to end now."""
        self._kill_at = min(self._kill_at, monotonic() + _FINISH_LIMIT + 5)
        if self.exit_code is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, with what it may have started."""
        if self.exit_code is None:
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Forget a worker that has ended."""
        self._process.wait()
        self._line.close()
