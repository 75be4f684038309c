"""`run.py simulate`: realistic traffic for the service that runs, with feedback, so that there is something to see."""

import os
import random
from argparse import Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import httpx
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from commands import CommandError
from commands.progress import console
from state.folder import State

if TYPE_CHECKING:
    from catalog.synthetic import Listing

_RATE = 20.0  # listings a second, where none is given
_BATCH = 25  # listings in one of the batches, and in each request of a burst
_BATCHES = 0.01  # share of the other requests that are batches, which hold a fifth of their listings
_AT_ONCE = 16  # requests of a burst
_ATTEMPTS = 6  # of one request, while the service is busy or away for a moment
_LONGEST_WAIT = 20.0  # seconds
_TIMEOUT = 30.0
_BUSY = (429, 502, 503, 504)


@dataclass
class Tally:
    """What became of the traffic."""

    sent: int = 0
    requests: int = 0
    errors: int = 0
    waits: int = 0
    feedback: int = 0
    agreed: int = 0
    seconds: list[float] = field(default_factory=list)  # of each answered request for predictions
    last_error: str = ""


class Visitor:
    """Somebody who is logged in at the service, and asks again, after a while, where it is busy."""

    def __init__(self, service: str, username: str, password: str) -> None:
        self._client = httpx.Client(base_url=service, timeout=_TIMEOUT, trust_env=False)
        self._credentials = {"username": username, "password": password}
        self.tally = Tally()
        self._counting = Lock()

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def count(self, **more: int) -> None:
        """Add to the tally; any number of threads may."""
        with self._counting:
            for name, value in more.items():
                setattr(self.tally, name, getattr(self.tally, name) + value)

    def log_in(self) -> None:
        """Fetch a token. Raises `CommandError` when the service is not there, or knows no such user."""
        try:
            answer = self._send("POST", "/login", data=self._credentials)
        except httpx.HTTPError as error:
            raise CommandError(
                f"there is no service at {self._client.base_url} ({type(error).__name__}); "
                "start it with 'python run.py serve', or name another with --service URL"
            ) from None
        if answer.status_code == 401:
            raise CommandError(
                f"the service does not accept the password of '{self._credentials['username']}'; "
                "name the user with --username or USERNAME and its password in PASSWORD"
            )
        token = _json(answer).get("access_token") if answer.status_code == 200 else None
        if not token:
            raise CommandError(f"{self._client.base_url} answers /login with {answer.status_code} and no token")
        self._client.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any] | None:
        """Return the answer to a request; None where it failed for good, which is counted."""
        begun = monotonic()
        try:
            answer = self._send(method, path, json=body)
            if answer.status_code == 401:  # a token lives for half an hour
                self.log_in()
                answer = self._send(method, path, json=body)
        except httpx.HTTPError as error:
            self._note_failure(path, type(error).__name__)
            return None
        if answer.status_code != 200:
            self._note_failure(path, f"{answer.status_code} {_json(answer).get('detail', '')}".strip())
            return None
        if path.startswith("/predict"):
            self.tally.seconds.append(monotonic() - begun)
        return _json(answer)

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Send a request, again for as long as the service is busy or restarts. Raises `httpx.HTTPError`."""
        for attempt in range(1, _ATTEMPTS + 1):
            self.count(requests=1)
            try:
                answer = self._client.request(method, path, **content)
            except httpx.TransportError:
                if attempt == _ATTEMPTS or "Authorization" not in self._client.headers:
                    raise
                wait = 0.25 * 2**attempt
            else:
                if answer.status_code not in _BUSY or attempt == _ATTEMPTS:
                    return answer
                wait = _seconds(answer.headers.get("Retry-After"), 0.25 * 2**attempt)
            self.count(waits=1)
            sleep(min(wait, _LONGEST_WAIT))
        raise AssertionError("the last attempt returns or raises")

    def _note_failure(self, path: str, why: str) -> None:
        self.count(errors=1)
        self.tally.last_error = f"{path}: {why}"


def simulate(state: State, options: Namespace) -> int:
    """Send the traffic and tell what came back; exit code 1 when requests failed."""
    _check(options)
    from catalog.synthetic import generate_traffic

    visitor = Visitor(options.service, *_credentials(state, options))
    try:
        visitor.log_in()
        _require_known_types(visitor)
        kind = "normal" if options.kind == "burst" else options.kind
        listings = islice(generate_traffic(kind, options.seed), options.requests)
        rate = options.rate or (None if options.kind == "burst" else _RATE)
        begun = monotonic()
        _send_all(visitor, listings, rate, options)
        _show(visitor.tally, options.kind, monotonic() - begun)
    finally:
        visitor.close()
    return 1 if visitor.tally.errors else 0


def _check(options: Namespace) -> None:
    if options.requests < 1:
        raise CommandError("--requests must be 1 or more")
    if options.rate is not None and options.rate <= 0:
        raise CommandError("--rate must be above 0")
    if not 0 <= options.feedback <= 1:
        raise CommandError("--feedback is a share: from 0 to 1")
    try:
        address = httpx.URL(options.service)
    except httpx.InvalidURL:
        address = httpx.URL("")
    if address.scheme not in ("http", "https") or not address.host:
        raise CommandError(f"--service must be an address such as http://127.0.0.1:3000, not {options.service!r}")


def _credentials(state: State, options: Namespace) -> tuple[str, str]:
    """Return name and password: those in USERNAME and PASSWORD, or of the first admin."""
    if password := os.environ.get("PASSWORD"):  # USERNAME alone is set by many a desktop
        return options.username or os.environ.get("USERNAME") or "admin", password
    path = state.folder / "admin-password"
    try:
        return options.username or "admin", path.read_text(encoding="utf-8").strip()
    except OSError:
        raise CommandError(
            f"there is no password in {path}; start the service with 'python run.py serve', which makes one, "
            "or give one in PASSWORD"
        ) from None


def _require_known_types(visitor: Visitor) -> None:
    """Raise `CommandError` unless the service knows the types of the listings."""
    from catalog.synthetic import FREQUENCIES

    info = visitor.ask("GET", "/model-info")
    if info is None:
        raise CommandError(f"the service does not say what it serves ({visitor.tally.last_error})")
    if not FREQUENCIES.keys() <= {int(code) for code in info["taxonomy"]}:
        raise CommandError(
            f"the service serves '{info['name']}'; the listings to send are of the 27 Rakuten types, which it lacks"
        )


def _send_all(visitor: Visitor, listings: Iterator["Listing"], rate: float | None, options: Namespace) -> None:
    dice = random.Random(options.seed)
    burst = options.kind == "burst"
    groups = _groups(listings, dice, options.feedback, batches_only=burst)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    pool = ThreadPoolExecutor(_AT_ONCE if burst else 1)
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task(f"{options.kind} traffic", total=options.requests)
            each = pool.map if burst else map
            for sent in each(partial(_serve, visitor), _paced(groups, rate)):
                visitor.tally.sent += sent
                progress.update(task, completed=visitor.tally.sent)
    finally:
        pool.shutdown(cancel_futures=True)


def _groups(
    listings: Iterator["Listing"], dice: random.Random, feedback: float, *, batches_only: bool
) -> Iterator[list[tuple["Listing", bool]]]:
    """Yield what is asked at a time, each listing with whether it gets feedback: single ones, and some batches."""
    while group := list(islice(listings, _BATCH if batches_only or dice.random() < _BATCHES else 1)):
        yield [(listing, dice.random() < feedback) for listing in group]


def _paced(
    groups: Iterator[list[tuple["Listing", bool]]], rate: float | None
) -> Iterator[list[tuple["Listing", bool]]]:
    """Yield no more listings a second than that."""
    begun, yielded = monotonic(), 0
    for group in groups:
        if rate:
            sleep(max(0.0, begun + yielded / rate - monotonic()))
        yielded += len(group)
        yield group


def _serve(visitor: Visitor, group: Sequence[tuple["Listing", bool]]) -> int:
    """Ask for a group and give the feedback on it; return how many listings that were."""
    answers = _predict(visitor, [listing for listing, _ in group])
    for (listing, corrected), answer in zip(group, answers, strict=True):
        if answer and corrected:
            body = {"prediction_id": answer["prediction_id"], "correct_code": listing.code}
            if visitor.ask("POST", "/feedback", body):
                visitor.count(feedback=1, agreed=int(answer["predicted_code"] == listing.code))
    return len(group)


def _predict(visitor: Visitor, group: Sequence["Listing"]) -> list[dict[str, Any] | None]:
    """Return an answer a listing; None where there is none."""
    asked = [{"designation": listing.title, "description": listing.description} for listing in group]
    if len(asked) == 1:
        return [visitor.ask("POST", "/predict", asked[0])]
    answer = visitor.ask("POST", "/predict/batch", {"listings": asked})
    return [item.get("prediction") for item in answer["results"]] if answer else [None] * len(asked)


def _show(tally: Tally, kind: str, seconds: float) -> None:
    rows = {
        "Traffic": f"{kind}, {tally.sent:,} listings in {seconds:.1f} s "
        f"({tally.sent / max(seconds, 1e-9):,.0f} a second)",
        "Requests": f"{tally.requests:,}, of which {tally.waits:,} were sent again after a wait",
        "Errors": f"{tally.errors:,}" + (f", the last one {escape(tally.last_error)}" if tally.errors else ""),
    }
    if tally.seconds:
        rows["Latency"] = f"p50 {_quantile(tally.seconds, 0.5):.1f} ms, p99 {_quantile(tally.seconds, 0.99):.1f} ms"
    rows["Feedback"] = f"{tally.feedback:,} given"
    if tally.feedback:
        rows["Feedback"] += f", {tally.agreed / tally.feedback:.1%} agreed with the model"
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in rows.items():
        table.add_row(f"[bold]{name}[/bold]", value)
    console.print(table)


def _quantile(seconds: Sequence[float], share: float) -> float:
    """Return a quantile in milliseconds (nearest rank)."""
    ordered = sorted(seconds)
    return 1_000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _seconds(header: str | None, otherwise: float) -> float:
    return float(header) if header and header.isdecimal() else otherwise


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
