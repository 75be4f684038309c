"""`run.py serve`: serve the Bento in production, and follow promotions and rollbacks."""

import json
import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

from commands.options import add_address, add_model, add_state, taxonomy_in_use
from state.folder import State
from terminal.console import announce, console
from terminal.errors import CommandError, reported

if TYPE_CHECKING:
    from state.processes import Child
    from tracking.registry import RegisteredVersion

_START_LIMIT = 60  # seconds until a service must be healthy
_STOP_LIMIT = 30  # seconds for requests in flight to end
_REPEAT = 3  # seconds after which the signal to stop is sent again


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `serve`."""
    add_address(parser, 3000)
    parser.add_argument(
        "--every", type=float, default=5, metavar="SECONDS", help="how often to look for a promotion (5)"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="worker processes (default: WORKERS, or 1)")
    add_model(parser)
    add_state(parser)


def serve(state: State, options: Namespace) -> int:
    """Serve until interrupted. After a promotion or rollback, fetch the other Bento first and restart with it then."""
    state.prepare()
    with announce("connecting to the registry"):
        from stacks.active import connect_tracker

        connect_tracker(quiet=True)
        from tracking.registry import PRODUCTION, NothingInProductionError, by_alias, in_production
    name = taxonomy_in_use(options).name
    with reported(NothingInProductionError):
        version = in_production(name)
    # An interruption only sets a flag from here on, so that it never comes between starting a service and storing it.
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    service = None
    try:
        tag = _bento_of(version)
        service = _start(tag, state, options)
        _wait_until_healthy(service, tag, options, ended)
        while not ended.wait(options.every):
            if service.exit_code is not None:
                raise CommandError(f"the service of {tag} ended with exit code {service.exit_code}")
            moved = by_alias(name, PRODUCTION)
            if moved and moved.number != version.number:
                tag = _bento_of(moved)  # the old service still answers meanwhile
                console().print(f"Version {moved.number} is in production now: restarting.")
                service.end()
                version, service = moved, _start(tag, state, options)
                _wait_until_healthy(service, tag, options, ended)
    finally:
        if service:
            service.end()
    return 0


def _start(tag: str, state: State, options: Namespace) -> "Child":
    from state.processes import Child, Ending

    command = [
        str(Path(sys.prefix) / "bin" / "bentoml"), "serve", tag, "--host", options.host, "--port", str(options.port),
    ]  # fmt: skip
    environment = {**os.environ, "STATE_DIR": str(state.folder)}
    if options.workers:
        environment["WORKERS"] = str(options.workers)
    # Repeated, since BentoML's supervisor drops a signal that arrives while it checks its workers.
    ending = Ending(signal.SIGTERM, patience=_STOP_LIMIT, repeat=_REPEAT)
    return Child.start(command, ending, environment=environment)


def _wait_until_healthy(service: "Child", tag: str, options: Namespace, ended: Event) -> None:
    """Return when the service answers, or when it is to end. Raises `CommandError` when it does not start."""
    address = f"http://{options.host}:{options.port}"
    deadline = monotonic() + _START_LIMIT
    while not _answers(address, tag):
        if service.exit_code is not None:
            raise CommandError(f"{tag} did not start (exit code {service.exit_code}); is port {options.port} taken?")
        if monotonic() > deadline:
            raise CommandError(f"{tag} was not healthy on {address} within {_START_LIMIT} s")
        if ended.wait(0.2):
            return
    console().print(f"Serving {tag} on {address}; Ctrl-C ends it.", soft_wrap=True)


def _answers(address: str, tag: str) -> bool:
    """Return whether a healthy service of this Bento answers, and not another program on the same port."""
    from urllib.request import urlopen

    try:
        with urlopen(f"{address}/health", timeout=2) as response:
            health = json.load(response)
    except (OSError, ValueError):
        return False
    return tag.startswith(f"{health.get('model_name')}:{health.get('model_version')}-")


def _bento_of(version: "RegisteredVersion") -> str:
    """Put a version's Bento into this machine's store and return its tag. Raises `BentoLostError`."""
    from stacks.bentos import restore_bento

    tag = version.tags.get("bento_tag", "")
    restore_bento(tag, version.tags.get("bento_run"))
    return tag
