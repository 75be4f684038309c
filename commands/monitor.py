"""`run.py monitor`: run the monitoring pipeline once and store its report."""

import shlex
from argparse import ArgumentParser, Namespace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from commands.options import add_model, add_pipeline, add_state, model_option, require_result_file, taxonomy_in_use
from monitoring.report_folder import ReportFolder, ReportFolderError, as_json
from state.files import write_atomically
from state.folder import SOURCE_ROOT, State
from terminal.console import announce, console
from terminal.errors import reported
from terminal.next_commands import dashboard, tool
from terminal.tables import show_next, show_rows

if TYPE_CHECKING:
    from catalog.taxonomy import Taxonomy
    from checks.monitoring_report import MonitoringReport
    from pipelines.config import MonitoringConfig
    from stacks.publishing import Published

_PATIENCE = 120  # seconds to wait for another run of it
_COLOURS = {"ok": "green", "warning": "yellow", "drift": "red", "insufficient_data": "dim"}


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `monitor`."""
    add_model(parser)
    add_pipeline(parser, SOURCE_ROOT / "pipelines" / "configs" / "monitoring.yaml", "the report")
    add_state(parser)


def monitor(state: State, options: Namespace) -> int:
    """Monitor and show the report: a table, and JSON in `--json FILE`. The exit code is 0 for every verdict."""
    started = monotonic()
    state.prepare()
    copy: Path | None = options.json
    require_result_file("--json", copy, "verdict")
    # It may run during a training: they share no files. A run of the monitor service is waited for: it is short.
    with state.locked("run.py monitor", "monitor.lock", _PATIENCE):
        with announce("starting: loading ZenML and MLflow"):
            from stacks.publishing import Published
            from stacks.running import ready_stack

            ready_stack(verbose=options.verbose)
            from pipelines.config import ConfigurationError, MonitoringConfig  # asks ZenML's server

            with reported(ConfigurationError):
                config = MonitoringConfig.read(options.config)
        taxonomy = taxonomy_in_use(options)
        from commands.after_run import apply_after_run
        from stacks.failures import StepFailedError

        try:
            report = run_monitoring(state, taxonomy, config)
        except StepFailedError:
            apply_after_run(state, options.retention, "monitoring")
            raise
        if not isinstance(report, Published):
            apply_after_run(state, options.retention, "monitoring")
    if isinstance(report, Published):
        console().print(
            f"Published: on the stack '{report.stack}' the engine monitors by the schedule '{report.schedule}' (UTC)."
        )
        return 0
    if copy:
        write_atomically(copy, as_json(report))
    _show(state, report, options, monotonic() - started)
    return 0


def run_monitoring(state: State, taxonomy: "Taxonomy", config: "MonitoringConfig") -> "MonitoringReport | Published":
    """Run the pipeline on the active stack, which is ready, store its report and return it.

    Raises `CommandError` when there is no version in production, when the ledger does not answer, or when the report
    cannot be stored.
    """
    from zenml import Model

    from pipelines.monitoring import monitoring
    from stacks.active import connect_tracker
    from stacks.publishing import Published
    from stacks.running import run_pipeline
    from tracking.registry import NothingInProductionError, in_production
    from tracking.revision import git_revision

    connect_tracker()
    with reported(NothingInProductionError):
        in_production(taxonomy.name)
    arguments = {"taxonomy": taxonomy, "config": config}
    model = Model(name=taxonomy.name, version="production")
    run = run_pipeline(monitoring, arguments, model=model, revision=git_revision)
    if isinstance(run, Published):
        return run
    outputs = run.steps["publish_verdict"].outputs
    report: MonitoringReport = outputs["monitoring_report"][0].load()
    evidently = run.steps["measure_drift"].outputs["evidently_page"][0].load()
    with reported(ReportFolderError):
        ReportFolder.of_state(state.folder).store(report, outputs["monitoring_page"][0].load(), evidently)
    return report


def _show(state: State, report: "MonitoringReport", options: Namespace, seconds: float) -> None:
    from rich.text import Text

    from catalog.taxonomy import EMBEDDED

    verdict, window, quality = report.verdict, report.window, report.quality
    colour = _COLOURS[verdict]
    page = ReportFolder.of_state(state.folder).latest_page
    shown = Text(verdict.replace("_", " "), style=colour)
    rows: dict[str, str | Text] = {
        "Verdict": shown + Text(f" for version {report.model_version} of '{report.model_name}'"),
        "Window": f"{window.rows:,} predictions, {window.distinct_rows:,} different texts, against "
        f"{window.reference_rows:,} held-out listings",
        "Drift": report.drift.reason,
        "Quality": quality.reason,
    }
    if quality.weighted_f1 is not None:
        rows["Weighted F1"] = f"{quality.weighted_f1:.3f}, expected {quality.expected_weighted_f1:.3f}"
    if about_users := report.reasons[2:]:
        rows["Feedback"] = "\n".join(about_users)
    rows["Prometheus"] = report.pushgateway
    rows["Report"] = str(page)
    rows["Time"] = f"{seconds:.0f} s"
    console().print()
    show_rows(rows)
    moved = f" --state {shlex.quote(str(state.folder))}" if state.moved else ""
    trained_on_files = report.model_name != EMBEDDED.name
    taxonomy = model_option(Namespace(taxonomy=options.taxonomy, embedded=False))
    train = f"{' --data DIR' if trained_on_files else ''}{taxonomy}{moved}"
    watch = f"{model_option(options)}{moved}{' -- --data DIR' if trained_on_files else ''}"
    python = tool("python")
    commands = [("open the report", f"xdg-open {shlex.quote(str(page))}")]
    if verdict == "insufficient_data":
        commands.append(("send traffic to the service", f"{python} run.py simulate --requests 500"))
    if verdict in ("warning", "drift"):
        commands.append(("train with the feedback so far", f"{python} run.py train{train}"))
    commands += [
        ("monitor every 15 minutes", f"{python} run.py watch{watch}"),
        dashboard(),
    ]
    show_next(commands)
