"""Load from wrk: each of a number of connections sends the next request as soon as it has an answer."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# One thread of wrk sends more requests than two cores can answer. It builds all of them before the measurement starts.
_SCRIPT = """
local requests, last = {}, 0

function init(args)
  local token = io.open(args[2]):read("*l")
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token }
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\\nRESULT {"answers": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "broken": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""
_TIMEOUT = 30  # seconds for one answer


class LoadError(RuntimeError):
    """wrk failed, or no request succeeded."""


@dataclass(frozen=True)
class Load:
    """The result of a load: `refused` answers have a status of 400 or more, `broken` requests have no answer in time.

    `busy` is the number of workers that took part.
    """

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int
    busy: int = 1

    @property
    def acknowledged(self) -> int:
        """The number of requests that succeeded."""
        return self.answers - self.refused

    @property
    def per_second(self) -> float:
        """Acknowledged requests a second."""
        return self.acknowledged / self.seconds

    @property
    def errors(self) -> int:
        """The number of requests that did not succeed."""
        return self.refused + self.broken


class Wrk:
    """Sends the same bodies to services, one service after another. It writes its script and bodies into a folder."""

    def __init__(self, folder: Path, name: str, bodies: Sequence[Any]) -> None:
        self._script, self._bodies, self._token = (folder / f"{name}.{suffix}" for suffix in ("lua", "bodies", "token"))
        self._script.write_text(_SCRIPT, encoding="utf-8")
        lines = (json.dumps(body, ensure_ascii=False) for body in bodies)
        self._bodies.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def drive(self, address: str, token: str, connections: int, seconds: int) -> Load:
        """Post the bodies in turn to an address. Raises `LoadError` when wrk fails, or no request succeeds."""
        self._token.write_text(f"{token}\n", encoding="utf-8")
        command = [
            "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s",
            "--timeout", f"{_TIMEOUT}s", "--script", str(self._script), address, "--", str(self._bodies),
            str(self._token),
        ]  # fmt: skip
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        result = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if done.returncode or not result:
            raise LoadError(f"wrk failed on {address} (exit code {done.returncode}): {done.stdout.strip()[-2_000:]}")
        load = Load(**json.loads(result[-1].removeprefix("RESULT ")))
        if not load.acknowledged:
            raise LoadError(f"{address} answered no request with success in {seconds} s; it refused {load.refused}")
        return load
