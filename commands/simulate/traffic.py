"""Traffic: listings sent at a rate, single ones and batches, with feedback on a share of them."""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from commands.simulate.client import ServiceClient
from terminal.console import console

if TYPE_CHECKING:
    from catalog.synthetic import Listing

    Group = Sequence[tuple[Listing, bool]]  # listings that are sent together, each with whether it gets feedback

_BATCH = 25  # listings in a batch, and in each request of a burst
_BATCHES = 0.01  # share of the requests that are batches outside a burst; these hold a fifth of the listings
_TOGETHER = 16  # requests of a burst that run at the same time


@dataclass(frozen=True)
class Traffic:
    """Traffic of one kind. `rate`: listings a second, or no limit; `feedback`: share of listings that get feedback."""

    client: ServiceClient
    kind: str
    rate: float | None
    feedback: float
    seed: int

    def send(self, listings: Iterator["Listing"], total: int) -> None:
        """Send the listings, of which there are `total`, and show the progress. The client counts the answers."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        burst = self.kind == "burst"
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        pool = ThreadPoolExecutor(_TOGETHER if burst else 1)
        try:
            with Progress(*columns, console=console(), disable=not console().is_terminal) as progress:
                task = progress.add_task(f"{self.kind} traffic", total=total)
                each = pool.map if burst else map
                for sent in each(self._send_group, self._paced(self._groups(listings, batches_only=burst))):
                    self.client.totals.sent += sent
                    progress.update(task, completed=self.client.totals.sent)
        finally:
            pool.shutdown(cancel_futures=True)

    def _groups(self, listings: Iterator["Listing"], *, batches_only: bool) -> Iterator["Group"]:
        dice = random.Random(self.seed)
        while group := list(islice(listings, _BATCH if batches_only or dice.random() < _BATCHES else 1)):
            yield [(listing, dice.random() < self.feedback) for listing in group]

    def _paced(self, groups: Iterator["Group"]) -> Iterator["Group"]:
        """Yield the groups at the rate."""
        started, yielded = monotonic(), 0
        for group in groups:
            if self.rate:
                sleep(max(0.0, started + yielded / self.rate - monotonic()))
            yielded += len(group)
            yield group

    def _send_group(self, group: "Group") -> int:
        """Ask for the types of a group and give the feedback on it; return the number of listings."""
        answers = self._predict([listing for listing, _ in group])
        for (listing, corrected), answer in zip(group, answers, strict=True):
            if answer and corrected:
                body = {"prediction_id": answer["prediction_id"], "correct_code": listing.code}
                if self.client.request("POST", "/feedback", body):
                    self.client.count(feedback=1, agreed=int(answer["predicted_code"] == listing.code))
        return len(group)

    def _predict(self, listings: Sequence["Listing"]) -> list[dict[str, Any] | None]:
        """Return an answer a listing; None where there is none."""
        asked = [{"designation": listing.title, "description": listing.description} for listing in listings]
        if len(asked) == 1:
            return [self.client.request("POST", "/predict", asked[0])]
        answer = self.client.request("POST", "/predict/batch", {"listings": asked})
        return [item.get("prediction") for item in answer["results"]] if answer else [None] * len(asked)
