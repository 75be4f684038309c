"""`run.py score --pipeline`: the scoring pipeline on the active stack."""

from argparse import Namespace
from time import monotonic

from commands.after_run import apply_after_run
from commands.options import taxonomy_in_use
from commands.score.outcome import show
from scoring.outcome import ScoringOutcome
from scoring.request import STREAM, RequestError, ScoringRequest
from state.folder import SOURCE_ROOT, State
from terminal.console import announce, console
from terminal.errors import reported


def score_in_pipeline(state: State, request: ScoringRequest, options: Namespace, started: float) -> int:
    """Run or publish the pipeline, and show what came of a run. Raises `CommandError` and `RequestError`."""
    request.task(SOURCE_ROOT)  # what is wrong with the request is said now
    if STREAM in (request.input, request.output):
        raise RequestError("--pipeline needs files, not -")
    with announce("starting: loading ZenML and MLflow"):
        from stacks.publishing import Published
        from stacks.running import ready_stack, run_pipeline

        ready_stack(verbose=options.verbose)
        from zenml import Model

        from pipelines.config import ConfigurationError, MonitoringConfig
        from pipelines.scoring import scoring
        from tracking.registry import NothingInProductionError, in_production
        from tracking.revision import git_revision

    with reported(ConfigurationError):
        config = MonitoringConfig.read(options.config)
    taxonomy = taxonomy_in_use(options)
    with reported(NothingInProductionError):
        in_production(taxonomy.name)
    arguments = {"taxonomy": taxonomy, "request": request, "config": config, "max_rejected": options.max_rejected}
    try:
        model = Model(name=taxonomy.name, version="production")
        run = run_pipeline(scoring, arguments, model=model, revision=git_revision)
    finally:
        apply_after_run(state, options.retention, "scoring")
    if isinstance(run, Published):
        console().print(
            f"Published: on the stack '{run.stack}' the engine scores by the schedule '{run.schedule}' (UTC)."
        )
        return 0
    outcome: ScoringOutcome = run.steps["score_catalogue"].outputs["scoring_outcome"][0].load()
    totals = outcome.totals()
    show(totals, request, f"version {outcome.model_version}, Bento {outcome.bento}", monotonic() - started)
    drift = run.steps["measure_catalogue_drift"].outputs["catalogue_drift"][0].load()
    console().print(f"Drift of the catalogue: {drift.verdict.replace('_', ' ')} ({drift.reason})")
    return 0
