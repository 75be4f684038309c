"""`run.py train`: run the training pipeline on the active stack and say what came of it."""

import json
import os
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

from commands import INTERRUPTED, INTERRUPTED_CODE, CommandError
from commands.models import taxonomy_of
from commands.pipelines import Published, StepFailed
from commands.progress import console
from state.files import write_atomically
from state.folder import State

_PATIENCE = 5  # seconds from Ctrl-C to the end of the process
KEYS = (
    "contract", "rows", "data_hash", "weighted_f1", "weighted_f1_interval", "macro_f1", "ece", "champion_weighted_f1",
    "promoted", "reason", "model_version", "bento_tag", "seconds",
)  # fmt: skip


def train(state: State, options: Namespace) -> int:
    """Train, and report: a table for people, JSON for programs."""
    started = monotonic()
    state.prepare()
    report_to: Path | None = options.json
    if report_to and not report_to.resolve().parent.is_dir():
        raise CommandError(f"--json {report_to}: the folder {report_to.resolve().parent} does not exist")
    with state.locked("run.py train"), _interruptible():
        try:
            outcome = _run(options)
        except CommandError as error:
            if report_to:
                failed = dict.fromkeys(KEYS) | {"promoted": False, "reason": str(error)}
                broken = isinstance(error, StepFailed) and error.source.endswith("DataContractError")
                failed["contract"] = "failed" if broken else None
                _write(report_to, failed, started)
            raise
    if isinstance(outcome, Published):
        told = f"on the stack '{outcome.stack}' the engine trains by the schedule '{outcome.schedule}' (UTC)"
        console.print(f"Published: {told}.")
        if report_to:
            _write(report_to, dict.fromkeys(KEYS) | {"promoted": False, "reason": f"nothing yet: {told}"}, started)
        return 0
    outcome["seconds"] = round(monotonic() - started, 1)
    if report_to:
        _write(report_to, outcome, started)
    from commands.summary import show_outcome

    show_outcome(state, outcome, options.taxonomy)
    return 0


@contextmanager
def _interruptible() -> Iterator[None]:
    """Make Ctrl-C end the process whatever the body does with it.

    It comes as an exception, and where that is raised within a library's clean-up it is dropped, or waits for a thread
    that does not end. Then the process ends as one that was killed does: the next run takes up where it was.
    """

    def leave() -> None:
        sys.stderr.write(f"error: {INTERRUPTED}\n")
        sys.stderr.flush()
        os._exit(INTERRUPTED_CODE)

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        overdue = threading.Timer(_PATIENCE, leave)
        overdue.daemon = True
        overdue.start()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _run(options: Namespace) -> "dict[str, Any] | Published":
    taxonomy = taxonomy_of(options)
    if options.taxonomy and not options.data:
        raise CommandError("--taxonomy needs --data DIR: the embedded listings are of the 27 Rakuten types")
    from commands.progress import announce

    with announce("starting: loading ZenML and MLflow"):
        from catalog.synthetic import SIZES
        from commands.pipelines import readable_by_steps, ready_stack, run_pipeline

        ready_stack(options.verbose)
        from pipelines.config import ConfigurationError, TrainingConfig  # asks ZenML's server: not before it was seen

        try:
            config = TrainingConfig.read(options.config)
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if options.size is not None:
            if not SIZES[0] <= options.size <= SIZES[1]:
                raise CommandError(f"--size must be between {SIZES[0]:,} and {SIZES[1]:,}, not {options.size:,}")
            config = config.model_copy(update={"size": options.size})
        from zenml import Model

        from pipelines.training import training

    arguments = {
        "data": readable_by_steps(options.data) if options.data else None,
        "model_name": taxonomy.name,
        "labels": dict(taxonomy.labels),
        "config": config,
        "new_baseline": options.new_baseline,
    }
    model = Model(name=taxonomy.name, description="Product types of marketplace listings")
    run = run_pipeline(training, arguments, model=model, enable_cache=False if options.no_cache else None)
    if isinstance(run, Published):
        return run
    outcome: dict[str, Any] = run.steps["promote_classifier"].outputs["outcome"][0].load()
    return outcome


def _write(path: Path, outcome: dict[str, Any], started: float) -> None:
    content = {key: outcome[key] for key in KEYS if key != "seconds"} | {"seconds": round(monotonic() - started, 1)}
    write_atomically(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
