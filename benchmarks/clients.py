"""Clients that ask now and then, each request on a connection of its own, while something happens to the service."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from time import monotonic

import httpx

from benchmarks.listings import Body

_CLIENTS = 4
_PAUSE = 0.02  # seconds between two requests of a client: most of the machine is left to the service


@dataclass
class Clients:
    """What they got so far. `failures`: by kind, or by status."""

    address: str
    token: str
    listings: Sequence[Body]
    answers: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def asking(self) -> Iterator[list[float]]:
        """Ask while the body runs. The list has the seconds that each request took, when the body has ended."""
        waits: list[float] = []
        ended = Event()
        with ThreadPoolExecutor(_CLIENTS) as pool:
            clients = [pool.submit(self._ask, number, waits, ended) for number in range(_CLIENTS)]
            try:
                yield waits
            finally:
                ended.set()
        for client in clients:
            client.result()

    def _ask(self, number: int, waits: list[float], ended: Event) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=self.address, headers=headers, limits=limits, timeout=60, trust_env=False) as client:
            while not ended.wait(_PAUSE):
                number += _CLIENTS
                begun = monotonic()
                try:
                    status = client.post("/predict", json=self.listings[number % len(self.listings)]).status_code
                except httpx.TransportError as error:
                    self.failures[type(error).__name__] += 1
                    continue
                waits.append(monotonic() - begun)
                if status == 200:
                    self.answers += 1
                else:
                    self.failures[str(status)] += 1
