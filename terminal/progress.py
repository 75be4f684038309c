"""The progress of a long command, and of a pipeline run, for which ZenML is asked: it is the same on every stack."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from terminal.console import console, status

if TYPE_CHECKING:
    from rich.text import Text
    from zenml.client import Client
    from zenml.models import StepRunResponse

_INTERVAL = 0.5  # seconds between two questions to ZenML
_WIDTH = 26  # characters of a step's name


def hide_zenml_log() -> None:
    """Keep ZenML's log off the terminal. The logs of the steps are stored with the run all the same."""
    from zenml.logger import ZenMLConsoleHandler

    for handler in logging.getLogger().handlers:
        if isinstance(handler, ZenMLConsoleHandler):
            handler.setLevel(logging.CRITICAL + 1)


@contextmanager
def follow(*, name: str | None = None, orchestrator_run_id: str | None = None) -> Iterator[None]:
    """Show each step of a pipeline run when it starts, and its time when it ends, while the body runs the pipeline.

    The run is found by its name, or by the name that its engine gives it.
    """
    finished = threading.Event()
    watcher = threading.Thread(target=_watch, args=(name, orchestrator_run_id, finished), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join(timeout=10)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Show a part of a command while the body runs, and its time when that ends, as those of a pipeline run."""
    started = monotonic()
    with status(f"{name} …"):
        yield
    console().print(f"  {name:<{_WIDTH}} {monotonic() - started:.1f} s")


def _watch(name: str | None, orchestrator_run_id: str | None, finished: threading.Event) -> None:
    from rich.text import Text
    from zenml.client import Client

    client = Client()
    first_seen: dict[str, float] = {}
    ended: set[str] = set()
    with status("preparing the run") as line:
        last_time = False
        while not last_time:
            last_time = finished.wait(_INTERVAL)  # once more after the end, for the last step
            for step in _steps(client, name, orchestrator_run_id):
                started = first_seen.setdefault(step.name, monotonic())
                if not step.status.is_finished:
                    line.update(Text(f"{step.name} … {monotonic() - started:.0f} s"))
                elif step.name not in ended:
                    ended.add(step.name)
                    console().print(Text(f"  {step.name:<{_WIDTH}} ").append_text(_outcome(step)))


def _steps(client: "Client", name: str | None, orchestrator_run_id: str | None) -> "list[StepRunResponse]":
    """Return the steps that a run has started, in order; none while ZenML does not know the run."""
    runs = client.list_pipeline_runs(name=name, orchestrator_run_id=orchestrator_run_id).items
    return client.list_run_steps(pipeline_run_id=runs[0].id, sort_by="asc:created", size=50).items if runs else []


def _outcome(step: "StepRunResponse") -> "Text":
    from rich.text import Text

    if step.status == "cached":
        return Text("nothing changed", style="dim")
    if step.status != "completed":
        return Text(step.status.value, style="red")
    if step.start_time and step.end_time:
        return Text(f"{(step.end_time - step.start_time).total_seconds():.1f} s")
    return Text("done")
