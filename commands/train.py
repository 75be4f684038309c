"""`run.py train`: run the training pipeline on the active stack and say what came of it."""

import json
import os
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any

from commands import INTERRUPTED, INTERRUPTED_CODE, CommandError
from commands.state import SOURCE_ROOT, State, write_atomically

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse

    from catalog.taxonomy import Taxonomy

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
                failed["contract"] = "failed" if isinstance(error, ContractBroken) else None
                _write(report_to, failed, started)
            raise
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


class ContractBroken(CommandError):
    """The listings do not keep the data contract."""


def _run(options: Namespace) -> dict[str, Any]:
    from catalog.taxonomy import RAKUTEN, Taxonomy, TaxonomyError

    try:
        taxonomy = Taxonomy.read(options.taxonomy) if options.taxonomy else RAKUTEN
    except TaxonomyError as error:
        raise CommandError(str(error)) from error
    if options.taxonomy and not options.data:
        raise CommandError("--taxonomy needs --data DIR: the embedded listings are of the 27 Rakuten types")
    from commands.progress import announce, quieten

    with announce("starting: loading ZenML and MLflow"):
        from catalog.synthetic import SIZES
        from stacks.apply import StackError, ensure_stack

        quieten(options.verbose)
        try:
            stack = ensure_stack()
        except StackError as error:
            raise CommandError(str(error)) from error
        from pipelines.config import ConfigurationError, TrainingConfig  # asks ZenML's server: not before it was seen

        try:
            config = TrainingConfig.read(options.config)
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if options.size is not None:
            if not SIZES[0] <= options.size <= SIZES[1]:
                raise CommandError(f"--size must be between {SIZES[0]:,} and {SIZES[1]:,}, not {options.size:,}")
            config = config.model_copy(update={"size": options.size})
    return _run_pipeline(options, taxonomy, config, stack)


def _run_pipeline(options: Namespace, taxonomy: "Taxonomy", config: Any, stack: str) -> dict[str, Any]:
    from zenml import Model
    from zenml.client import Client
    from zenml.utils.source_utils import set_custom_source_root

    from commands.progress import follow
    from pipelines.training import training
    from stacks.apply import settings_of

    set_custom_source_root(str(SOURCE_ROOT))  # ZenML would take the folder of whatever module was started
    run_name = f"{taxonomy.name}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    pipeline = training.with_options(
        run_name=run_name,
        settings=settings_of(stack),
        model=Model(name=taxonomy.name, description="Product types of marketplace listings"),
        enable_cache=False if options.no_cache else None,
    )
    data = str(options.data.resolve()) if options.data else None
    with follow(run_name):
        try:
            pipeline(data, taxonomy.name, dict(taxonomy.labels), config, options.new_baseline)
        except Exception as error:  # whatever a step raised: the run knows which one and why
            failed = Client().list_pipeline_runs(name=run_name, hydrate=True).items
            raise _explain(failed[0] if failed else None, error) from error
    run = Client().get_pipeline_run(run_name, allow_name_prefix_match=False)
    outcome: dict[str, Any] = run.steps["promote_classifier"].outputs["outcome"][0].load()
    return outcome


def _explain(run: "PipelineRunResponse | None", error: Exception) -> CommandError:
    """Turn a failed step into a sentence; our own errors are sentences already."""
    for name, step in (run.steps if run else {}).items():
        if (cause := step.exception_info) is None:
            continue
        source, message = cause.source or "", (cause.message or "").strip()
        if source.endswith("DataContractError"):
            return ContractBroken(message)
        if source.split(".")[0] in {"catalog", "ledger", "steps"}:
            return CommandError(message)
        return CommandError(
            f"step {name} failed: {source.rsplit('.', 1)[-1]}: {message}\n"
            "Nothing was promoted. The step's log in the dashboard has the details; --verbose shows them here."
        )
    return CommandError(f"the pipeline could not run: {type(error).__name__}: {error}")


def _write(path: Path, outcome: dict[str, Any], started: float) -> None:
    content = {key: outcome[key] for key in KEYS if key != "seconds"} | {"seconds": round(monotonic() - started, 1)}
    write_atomically(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
