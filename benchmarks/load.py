"""Load from wrk: each of a number of connections sends the next request as soon as it has an answer."""

import json
import resource
import subprocess
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# One thread of wrk sends more requests than two cores can answer. It builds all of them before the measurement starts,
# from the line on at which the last load of the same service ended.
_SCRIPT = """
local requests, threads = {}, {}
sent = 0

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  local token = io.open(args[2]):read("*l")
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token }
  local bodies = io.open(args[1])
  bodies:seek("set", tonumber(args[3]))
  for number = 1, tonumber(args[4]) do
    local body = bodies:read("*l")
    if not body then
      bodies:seek("set", 0)
      body = bodies:read("*l")
    end
    requests[number] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\\nRESULT {"answers": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "broken": %d, ' ..
    '"sent": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout, threads[1]:get("sent")))
end
"""
_TIMEOUT = 30  # seconds for one answer
_MOST_PER_SECOND = 6_000  # bodies that wrk prepares; it sends them again to a service that is faster than that


class LoadError(RuntimeError):
    """wrk failed, or no request succeeded."""


@dataclass(frozen=True)
class Load:
    """The result of a load: `refused` answers have a status of 400 or more, `broken` requests have no answer in time.

    `sent` requests include those that wrk cut off at the end. `repeated` is how many of them had a body that the
    service had got before. `busy` is the number of workers that took part, `processor_seconds` what they used, and
    `client_seconds` the processor time of wrk, with its preparations.
    """

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int = 0
    broken: int = 0
    sent: int = 0
    repeated: int = 0
    busy: int = 1
    processor_seconds: float = 0.0
    client_seconds: float = 0.0

    @property
    def acknowledged(self) -> int:
        """The number of requests that succeeded."""
        return self.answers - self.refused

    @property
    def per_second(self) -> float:
        """Acknowledged requests a second."""
        return self.acknowledged / self.seconds

    @property
    def microseconds(self) -> float:
        """Processor time of the workers for a request."""
        return self.processor_seconds / self.answers * 1e6

    @property
    def errors(self) -> int:
        """The number of requests that did not succeed."""
        return self.refused + self.broken


class Wrk:
    """Sends the same bodies to services, one service after another. It writes its script and bodies into a folder.

    Each service gets the bodies in their order, over all its loads, and gets one again only when it had all of them.
    """

    def __init__(self, folder: Path, name: str, bodies: Sequence[Any]) -> None:
        self._script, self._bodies, self._token = (folder / f"{name}.{suffix}" for suffix in ("lua", "bodies", "token"))
        self._script.write_text(_SCRIPT, encoding="utf-8")
        self._starts = array("Q")  # where each body begins
        self._sent: Counter[str] = Counter()  # bodies, by service
        with self._bodies.open("wb") as file:
            for body in bodies:
                self._starts.append(file.tell())
                file.write(json.dumps(body, ensure_ascii=False).encode() + b"\n")

    @property
    def bodies(self) -> Path:
        """The file with the bodies, one a line."""
        return self._bodies

    def sent(self, service: str) -> int:
        """Return how many bodies a service has got."""
        return self._sent[service]

    def drive(self, service: str, address: str, token: str, connections: int, seconds: int) -> Load:
        """Post bodies that a service has not had yet to an address. Raises `LoadError` when no request succeeds."""
        self._token.write_text(f"{token}\n", encoding="utf-8")
        prepared = min(len(self._starts), seconds * _MOST_PER_SECOND)
        start = self._starts[self._sent[service] % len(self._starts)]
        command = [
            "wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s",
            "--timeout", f"{_TIMEOUT}s", "--script", str(self._script), address, "--", str(self._bodies),
            str(self._token), str(start), str(prepared),
        ]  # fmt: skip
        before = _seconds_of_children()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        used = _seconds_of_children() - before
        result = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if done.returncode or not result:
            raise LoadError(f"wrk failed on {address} (exit code {done.returncode}): {done.stdout.strip()[-2_000:]}")
        numbers = json.loads(result[-1].removeprefix("RESULT "))
        new = fresh(numbers["sent"], prepared, len(self._starts) - self._sent[service])
        load = Load(**numbers, repeated=numbers["sent"] - new, client_seconds=used)
        self._sent[service] += min(load.sent, prepared)
        if not load.acknowledged:
            raise LoadError(f"{address} answered no request with success in {seconds} s; it refused {load.refused}")
        return load


def fresh(sent: int, prepared: int, left: int) -> int:
    """Return how many of the bodies sent were new to the service, which had not had `left` of all of them (or < 0)."""
    return min(sent, prepared, max(left, 0))


def _seconds_of_children() -> float:
    """Return the processor time of all processes that have ended; services end after the loads."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
