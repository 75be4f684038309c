"""What is going on right now, for the person who waits: works on every stack, since it asks ZenML."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.models import StepRunResponse

console = Console(highlight=False)
_INTERVAL = 0.5  # seconds between two looks
_WIDTH = 26


@contextmanager
def announce(what: str) -> Iterator[None]:
    """Show one line while the body runs."""
    with console.status(what) if console.is_terminal else _plain(what):
        yield


def quieten(verbose: bool = False) -> None:
    """Keep ZenML's log off the terminal; the logs of the steps are stored with the run either way."""
    from zenml.logger import ZenMLConsoleHandler

    if not verbose:
        for handler in logging.getLogger().handlers:
            if isinstance(handler, ZenMLConsoleHandler):
                handler.setLevel(logging.CRITICAL + 1)


@contextmanager
def follow(*, name: str | None = None, orchestrator_run_id: str | None = None) -> Iterator[None]:
    """Show each step of a pipeline run as it starts, with its time when it ends, while the body runs it.

    The run is known by its name, or by what its engine calls it.
    """
    finished = threading.Event()
    watcher = threading.Thread(target=_watch, args=(name, orchestrator_run_id, finished), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join(timeout=10)


def _watch(name: str | None, orchestrator_run_id: str | None, finished: threading.Event) -> None:
    from zenml.client import Client

    client = Client()
    first_seen: dict[str, float] = {}
    ended: set[str] = set()
    with console.status("preparing the run") as status:
        last_look = False
        while not last_look:
            last_look = finished.wait(_INTERVAL)  # and one look after the end, for the last step
            for step in _steps(client, name, orchestrator_run_id):
                begun = first_seen.setdefault(step.name, monotonic())
                if not step.status.is_finished:
                    status.update(f"{step.name} … {monotonic() - begun:.0f} s")
                elif step.name not in ended:
                    ended.add(step.name)
                    console.print(f"  {step.name:<{_WIDTH}} {_outcome(step)}")


def _steps(client: "Client", name: str | None, orchestrator_run_id: str | None) -> "list[StepRunResponse]":
    """Return the steps that a run has begun, in order; none before ZenML knows the run."""
    runs = client.list_pipeline_runs(name=name, orchestrator_run_id=orchestrator_run_id).items
    return client.list_run_steps(pipeline_run_id=runs[0].id, sort_by="asc:created", size=50).items if runs else []


def _outcome(step: "StepRunResponse") -> str:
    if step.status == "cached":
        return "[dim]nothing changed[/dim]"
    if step.status != "completed":
        return f"[red]{step.status.value}[/red]"
    if step.start_time and step.end_time:
        return f"{(step.end_time - step.start_time).total_seconds():.1f} s"
    return "done"


@contextmanager
def _plain(what: str) -> Iterator[None]:
    """Without a terminal there is nothing to animate: say it once."""
    console.print(what)
    yield
