"""`run.py simulate`: send the service realistic traffic, with feedback, so that there is something to monitor.

What it sends is made up. So it is sent with an account of the role `simulator`, whose listings and labels no model is
trained on. The account is created with an admin's password; its own password is a new one each time and kept nowhere.
"""

import os
import secrets
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING

from commands.options import add_state
from state.folder import State
from terminal.errors import CommandError, reported
from terminal.tables import show_rows

if TYPE_CHECKING:
    from commands.simulate.client import ServiceClient, Totals

_SIMULATOR = "simulator"  # the role, and the beginning of the name; the seed follows, so two may run at a time
_RATE = 20.0  # listings a second, where none is given


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `simulate`."""
    parser.add_argument(
        "--kind",
        choices=("normal", "drifted", "burst", "multilingual"),
        default="normal",
        help="normal: like the embedded listings; drifted: another season; burst: as fast as possible; "
        "multilingual: in three languages (normal)",
    )
    parser.add_argument("--requests", type=int, default=1_000, metavar="N", help="number of listings to send (1,000)")
    parser.add_argument("--rate", type=float, metavar="R", help="listings a second (20; burst: no limit)")
    parser.add_argument(
        "--feedback", type=float, default=0.2, metavar="SHARE", help="share that gets its right type back (0.2)"
    )
    parser.add_argument(
        "--service",
        default="http://127.0.0.1:3000",
        metavar="URL",
        help="address of the service (http://127.0.0.1:3000)",
    )
    parser.add_argument(
        "--username",
        metavar="NAME",
        help="user who predicts and gives feedback, with the password in PASSWORD (default: an account of the role "
        "simulator, which an admin's password creates; no model is trained on its feedback)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed; another one sends other listings (1)")
    add_state(parser)


def simulate(state: State, options: Namespace) -> int:
    """Send the traffic and report the answers; exit code 1 when requests failed."""
    _check(options)
    from catalog.synthetic import generate_traffic
    from commands.simulate.client import ServiceClient, ServiceError
    from commands.simulate.traffic import Traffic

    burst = options.kind == "burst"
    listings = islice(generate_traffic("normal" if burst else options.kind, options.seed), options.requests)
    rate = options.rate or (None if burst else _RATE)
    with reported(ServiceError), ServiceClient(options.service, *_sender(state, options)) as client:
        client.log_in()
        _require_known_types(client)
        started = monotonic()
        Traffic(client, options.kind, rate, options.feedback, options.seed).send(listings, options.requests)
        _show(client.totals, options.kind, monotonic() - started)
    return 1 if client.totals.errors else 0


def _check(options: Namespace) -> None:
    if options.requests < 1:
        raise CommandError("--requests must be 1 or more")
    if options.rate is not None and options.rate <= 0:
        raise CommandError("--rate must be above 0")
    if not 0 <= options.feedback <= 1:
        raise CommandError("--feedback is a share: from 0 to 1")
    import httpx

    try:
        address = httpx.URL(options.service)
    except httpx.InvalidURL:
        address = httpx.URL("")
    if address.scheme not in ("http", "https") or not address.host:
        raise CommandError(f"--service must be an address such as http://127.0.0.1:3000, not {options.service!r}")


def _sender(state: State, options: Namespace) -> tuple[str, str]:
    """Return name and password of the user who sends the traffic: the one that is named, or else a simulator.

    Raises `ServiceError` when the service does not let the admin in.
    """
    from commands.simulate.client import ServiceClient

    credentials = _credentials(state, options)
    if options.username:
        return credentials
    simulator = f"{_SIMULATOR}-{options.seed}", secrets.token_urlsafe(24)
    with ServiceClient(options.service, *credentials) as admin:
        admin.log_in()
        admin.set_up_user(*simulator, role=_SIMULATOR)
    return simulator


def _credentials(state: State, options: Namespace) -> tuple[str, str]:
    """Return name and password: of --username or USERNAME with PASSWORD, or else of the first admin."""
    if password := os.environ.get("PASSWORD"):  # many desktops set USERNAME alone, so it is read only with PASSWORD
        return options.username or os.environ.get("USERNAME") or "admin", password
    path = state.folder / "admin-password"
    try:
        return options.username or "admin", path.read_text(encoding="utf-8").strip()
    except OSError:
        raise CommandError(
            f"there is no password in {path}; start the service with 'python run.py serve', which creates one, "
            "or set PASSWORD"
        ) from None


def _require_known_types(client: "ServiceClient") -> None:
    """Raise `CommandError` unless the service knows the types of the listings."""
    from catalog.synthetic import FREQUENCIES

    info = client.request("GET", "/model-info")
    if info is None:
        raise CommandError(f"the service does not say which model it serves ({client.totals.last_error})")
    if not FREQUENCIES.keys() <= {int(code) for code in info["taxonomy"]}:
        raise CommandError(
            f"the service serves '{info['name']}', which lacks some of the 27 Rakuten types that these listings have"
        )


def _show(totals: "Totals", kind: str, seconds: float) -> None:
    rows = {
        "Traffic": f"{kind}, {totals.sent:,} listings in {seconds:.1f} s "
        f"({totals.sent / max(seconds, 1e-9):,.0f} a second)",
        "Requests": f"{totals.requests:,}, of which {totals.waits:,} were sent again after a wait",
        "Errors": f"{totals.errors:,}" + (f", the last one {totals.last_error}" if totals.errors else ""),
    }
    if totals.seconds:
        p50, p99 = (_milliseconds(totals.seconds, share) for share in (0.5, 0.99))
        rows["Latency"] = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    rows["Feedback"] = f"{totals.feedback:,} given"
    if totals.feedback:
        rows["Feedback"] += f", {totals.agreed / totals.feedback:.1%} agreed with the model"
    show_rows(rows)


def _milliseconds(seconds: Sequence[float], share: float) -> float:
    """Return a quantile in milliseconds (nearest rank)."""
    ordered = sorted(seconds)
    return 1_000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]
