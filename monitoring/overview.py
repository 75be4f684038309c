"""What the page of the monitor service shows: the latest verdict, what happened when, and tables of everything."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from monitoring.entries import AlertDecision, Job, RetrainingOutcome
from monitoring.journal import Journal
from monitoring.report_folder import ReportFolder, evidently_name
from monitoring.timeline import Event, Move, read_timeline

SHOWN = 50  # rows of a table
_EVENTS = 200  # on the time line


class LatestReport(BaseModel):
    """The newest report. `rows` are the predictions that it is about.

    `agreement` is the share of right answers by reviews, with its interval of 95 %; None: not measured.
    """

    verdict: str
    model_name: str
    model_version: str
    reasons: list[str]
    rows: int | None
    agreement: tuple[float, float, float] | None


class RetrainingRow(BaseModel):
    """A retraining, by an alert or asked for by a user. `log` is the file name of its log, where there is one."""

    retraining: str
    alert: str | None
    asked_by: str | None
    started: str
    finished: str | None
    outcome: RetrainingOutcome | Literal["under way"]
    reason: str
    model_version: str | None
    log: str | None


class AlertRow(BaseModel):
    """A decision about an alert."""

    at: str
    alert: str
    decision: str
    reason: str


class FailedRunRow(BaseModel):
    """A run of the monitoring pipeline without a report."""

    finished: str
    reason: str


class ReportRow(BaseModel):
    """A report, as the history has it. The last three are file names, where there are such files."""

    at: Any
    verdict: Any
    model_version: Any
    current_rows: Any
    reasons: str
    report: str | None
    json_report: str | None
    evidently: str | None


class Overview(BaseModel):
    """Everything on the page, newest first. `description`: how this service makes reports and retrains."""

    read_at: datetime
    latest: LatestReport | None
    events: list[Event]
    retrainings: list[RetrainingRow]
    alerts: list[AlertRow]
    failed_runs: list[FailedRunRow]
    reports: list[ReportRow]
    description: str


def read_overview(
    journal: Journal, folder: ReportFolder, moves: Sequence[Move], description: str, read_at: datetime
) -> Overview:
    """Gather what the page shows. `moves` are those of the promotion log. Raises `JournalError`."""
    alerts = [
        AlertRow(at=f"{entry.at:%Y-%m-%d %H:%M:%S}", alert=entry.alert, decision=entry.decision, reason=entry.reason)
        for entry in journal.decisions(SHOWN)
    ]
    failed_runs = [
        FailedRunRow(finished=entry.at.isoformat(timespec="seconds"), reason=entry.reason)
        for entry in journal.failed_runs(SHOWN)
    ]
    return Overview(
        read_at=read_at,
        latest=_latest(folder),
        events=read_timeline(journal, folder, moves, _EVENTS),
        retrainings=read_retrainings(journal, folder),
        alerts=alerts,
        failed_runs=failed_runs,
        reports=[_report(folder, run) for run in folder.history(SHOWN)],
        description=description,
    )


def read_retrainings(journal: Journal, folder: ReportFolder) -> list[RetrainingRow]:
    """Return the last retrainings, newest first. Raises `JournalError`."""
    return [_retraining(journal, folder, job) for job in journal.started(SHOWN)]


def _retraining(journal: Journal, folder: ReportFolder, job: Job) -> RetrainingRow:
    retraining = str(job.retraining)
    end = journal.end_of(retraining)
    log = folder.retraining_log(retraining)
    return RetrainingRow(
        retraining=retraining,
        alert=job.alert if isinstance(job, AlertDecision) else None,
        asked_by=None if isinstance(job, AlertDecision) else job.asked_by,
        started=job.at.isoformat(timespec="seconds"),
        finished=end.at.isoformat(timespec="seconds") if end else None,
        outcome=end.outcome if end else "under way",
        reason=end.reason if end else job.reason,
        model_version=end.model_version if end else None,
        log=log.name if log.is_file() else None,
    )


def _latest(folder: ReportFolder) -> LatestReport | None:
    report = folder.latest()
    if report is None or "verdict" not in report:
        return None
    reasons = report.get("reasons")
    rows = _part(report, "window").get("rows")
    quality = _part(report, "quality")
    measured = [quality.get(name) for name in ("agreement", "lower", "upper")]
    return LatestReport(
        verdict=str(report["verdict"]),
        model_name=str(report.get("model_name")),
        model_version=str(report.get("model_version")),
        reasons=[str(reason) for reason in reasons] if isinstance(reasons, list) else [],
        rows=rows if isinstance(rows, int) else None,
        agreement=(measured[0], measured[1], measured[2])
        if all(isinstance(value, float) for value in measured)
        else None,
    )


def _part(report: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = report.get(name)
    return part if isinstance(part, Mapping) else {}


def _report(folder: ReportFolder, run: Mapping[str, Any]) -> ReportRow:
    def existing(name: Any) -> str | None:
        found = folder.find(str(name)) if name else None
        return found.name if found else None

    reasons = run.get("reasons")
    return ReportRow(
        at=run.get("at"),
        verdict=run.get("verdict"),
        model_version=run.get("model_version"),
        current_rows=run.get("current_rows"),
        reasons=" ".join(map(str, reasons)) if isinstance(reasons, list) else str(reasons or ""),
        report=existing(run.get("html")),
        json_report=existing(run.get("json")),
        evidently=existing(evidently_name(str(run.get("run")))),
    )
