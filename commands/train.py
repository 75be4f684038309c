"""`run.py train`: run the training pipeline on the active stack and report the outcome."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from commands.options import add_pipeline, add_state, add_taxonomy, model_option, require_result_file, taxonomy_to_train
from state.files import write_atomically
from state.folder import SOURCE_ROOT, State
from terminal.console import announce, console
from terminal.errors import CommandError, reported
from terminal.interruption import interruptible
from terminal.next_commands import after_training
from terminal.tables import show_next, show_rows

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse

    from stacks.publishing import Published
    from tracking.outcome import Outcome

# What `--json FILE` holds, whatever came of the run; what is not known is null.
KEYS = (
    "contract", "rows", "data_hash", "weighted_f1", "weighted_f1_interval", "macro_f1", "ece", "champion_weighted_f1",
    "promoted", "reason", "model_version", "bento_tag", "seconds",
)  # fmt: skip


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `train`."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with the challenge's files (default: the embedded listings)",
    )
    add_taxonomy(parser)
    parser.add_argument("--size", type=int, metavar="N", help="number of embedded listings (default: 20,000)")
    parser.add_argument(
        "--new-baseline",
        action="store_true",
        help="decide by the minimum scores alone, as if no version were in production",
    )
    parser.add_argument("--no-cache", action="store_true", help="run every step, also where nothing changed")
    add_pipeline(parser, SOURCE_ROOT / "pipelines" / "configs" / "training.yaml", "the outcome")
    add_state(parser)


def train(state: State, options: Namespace) -> int:
    """Train and report: a table for people, JSON for programs."""
    from stacks.failures import StepFailedError

    started = monotonic()
    state.prepare()
    report_to: Path | None = options.json
    require_result_file("--json", report_to, "promoted")
    with state.locked("run.py train"), interruptible():
        try:
            outcome = _run(options)
        except CommandError as error:
            if isinstance(error, StepFailedError):
                _remove_outdated(state, options)
            if report_to:
                broken = isinstance(error, StepFailedError) and error.source.endswith("DataContractError")
                _write(report_to, started, reason=str(error), contract="failed" if broken else None)
            raise
        from stacks.publishing import Published  # loads ZenML, which the pipeline has done by now

        if not isinstance(outcome, Published):
            _remove_outdated(state, options)
    if isinstance(outcome, Published):
        when = f"on the stack '{outcome.stack}' the engine trains by the schedule '{outcome.schedule}' (UTC)"
        console().print(f"Published: {when}.")
        if report_to:
            _write(report_to, started, reason=f"nothing yet: {when}")
        return 0
    if report_to:
        _write(report_to, started, **outcome.model_dump(mode="json"))
    _show(state, outcome, options, monotonic() - started)
    return 0


def _remove_outdated(state: State, options: Namespace) -> None:
    from commands.after_run import apply_after_run

    apply_after_run(state, options.retention, "training")


def _run(options: Namespace) -> "Outcome | Published":
    """Run the pipeline and return its outcome, or when the engine will run it. Raises `CommandError`."""
    taxonomy = taxonomy_to_train(options)
    with announce("starting: loading ZenML and MLflow"):
        # First, since skops looks for the module of each of its functions, in the order in which modules were loaded.
        import scipy.special  # noqa: F401

        from catalog.candidates import require_encoder_of
        from catalog.sentence_vectors import EncoderError
        from catalog.synthetic import SIZES
        from stacks.bentos import require_store
        from stacks.failures import RunError, StepFailedError
        from stacks.publishing import Published
        from stacks.running import ready_stack, run_pipeline
        from stacks.uploads import steps_run_here

        ready_stack(verbose=options.verbose)
        if steps_run_here():
            require_store()  # the last steps write to it; now nothing is lost if they cannot
        from pipelines.config import ConfigurationError, TrainingConfig  # asks ZenML's server, which answers now

        with reported(ConfigurationError):
            config = TrainingConfig.read(options.config)
        if steps_run_here():
            with reported(EncoderError):
                require_encoder_of(config.candidates)
        if options.size is not None:
            if not SIZES[0] <= options.size <= SIZES[1]:
                raise CommandError(f"--size must be between {SIZES[0]:,} and {SIZES[1]:,}, not {options.size:,}")
            config = config.model_copy(update={"size": options.size})
        from zenml import Model

        from pipelines.training import training
        from tracking.revision import git_revision

    arguments = {
        "data": _readable_by_steps(options.data) if options.data else None,
        "taxonomy": taxonomy,
        "config": config,
        "new_baseline": options.new_baseline,
    }
    model = Model(name=taxonomy.name, description="Product types of marketplace listings")
    cache = False if options.no_cache else None
    try:
        run = run_pipeline(training, arguments, model=model, revision=git_revision, enable_cache=cache)
    except RunError as error:
        if not (isinstance(error, StepFailedError) and error.is_ours):  # our own sentences say it where it matters
            error.args = (f"{error}\n{in_production_now(taxonomy.name)}",)
        raise
    return run if isinstance(run, Published) else outcome_of(run)


def outcome_of(run: "PipelineRunResponse") -> "Outcome":
    """Return the outcome of a training run that succeeded: what the promotion step decided."""
    outcome: Outcome = run.steps["promote_classifier"].outputs["outcome"][0].load()
    return outcome


def in_production_now(name: str) -> str:
    """Return a sentence on which version the registry has in production: a run may fail before or after a promotion."""
    from mlflow.exceptions import MlflowException

    from stacks.active import connect_tracker
    from tracking.registry import PRODUCTION, by_alias

    try:
        connect_tracker()
        version = by_alias(name, PRODUCTION)
    except (MlflowException, CommandError) as error:
        return f"Which version of '{name}' is in production is not known: {error}"
    return f"{f'Version {version.number}' if version else 'No version'} of '{name}' is in production now."


def _readable_by_steps(folder: Path) -> str:
    """Return the address under which the steps find a folder of listings; its files are uploaded if that is necessary.

    Raises `CommandError` when files are missing.
    """
    from catalog.listings import ListingReadError, find_files, source_fingerprint
    from stacks.uploads import steps_run_here, upload

    if steps_run_here():
        return str(folder.resolve())
    with reported(ListingReadError):
        return upload(find_files(folder), f"listings/{source_fingerprint(folder)}")


def _write(path: Path, started: float, **known: Any) -> None:
    """Write the JSON report of a run that began at `started` (monotonic seconds)."""
    content = {**dict.fromkeys(KEYS), "promoted": False} | {key: known[key] for key in KEYS if key in known}
    content["seconds"] = round(monotonic() - started, 1)
    write_atomically(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def _show(state: State, outcome: "Outcome", options: Namespace, seconds: float) -> None:
    """Print the outcome and the next commands."""
    from stacks.active import connect_tracker

    low, high = outcome.weighted_f1_interval
    champion = outcome.champion_weighted_f1
    against = f", production {champion:.3f}" if champion is not None else ""
    violated = f": {', '.join(outcome.contract_warnings)}" if outcome.contract_warnings else ""
    served = outcome.model_version is not None
    console().print()
    show_rows(
        {
            "Data contract": f"{outcome.contract}{violated}",
            "Listings": f"{outcome.rows:,} after consolidation, data {outcome.data_hash[:12]}",
            "Weighted F1": f"{outcome.weighted_f1:.3f} ({low:.3f} to {high:.3f}){against}",
            "Macro F1": f"{outcome.macro_f1:.3f}, calibration error {outcome.ece:.3f}",
            "Decision": f"{'promoted' if outcome.promoted else 'not promoted'}: {outcome.reason}",
            "In production": f"version {outcome.model_version}, Bento {outcome.bento_tag}"
            if served
            else "no version yet",
            "Time": f"{seconds:.0f} s",
        }
    )
    tracker = connect_tracker()
    show_next(after_training(state, tracker, _option_to_serve(options), served=served))


def _option_to_serve(options: Namespace) -> str:
    """Return the option with which `serve` takes the model that was trained; empty where it does so by itself."""
    from catalog.taxonomy import RAKUTEN
    from tracking.registry import PRODUCTION, by_alias

    embedded = not options.data and by_alias(RAKUTEN.name, PRODUCTION) is not None
    return model_option(Namespace(taxonomy=options.taxonomy, embedded=embedded))
