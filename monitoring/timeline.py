"""What happened, newest first: reports, alerts, retrainings, promotions and rollbacks in one list."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from monitoring.entries import AlertDecision, Job
from monitoring.journal import Journal
from monitoring.report_folder import ReportFolder

Kind = Literal["report", "alert", "retraining", "promotion", "rollback"]
FAILED = "failed"
_REPEATED = "duplicate"  # Alertmanager sends an alert again and again
_TIME: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


class Event(BaseModel):
    """What happened. `outcome` is a word: of a report its verdict, of an alert what was decided.

    `link` is the path of a page of this service about it.
    """

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    kind: Kind
    text: str
    outcome: str
    link: str | None = None


class Move(BaseModel):
    """An entry of the promotion log: version `left` (None: there was none) was replaced by version `version`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    at: AwareDatetime
    action: Literal["promotion", "rollback"]
    version: str
    left: str | None
    reason: str
    by: str | None


def read_timeline(journal: Journal, folder: ReportFolder, moves: Sequence[Move], limit: int) -> list[Event]:
    """Return the last events, newest first. `moves` are those of the promotion log. Raises `JournalError`.

    A rollback that was asked for here is in the journal and in the log; it is one event.
    """
    logged = {move.id for move in moves}
    events = [
        *_reports(folder, limit),
        *(
            Event(at=run.at, kind="report", text=f"A monitoring run failed: {run.reason}", outcome=FAILED)
            for run in journal.failed_runs(limit)
        ),
        *_retrainings(journal, folder, limit),
        *_alerts(journal.decisions(limit)),  # at the same time as the retraining that it starts, and so below it
        *(
            Event(
                at=entry.at, kind="rollback", outcome="done",
                text=_moved("rollback", entry.before, entry.after, entry.reason, entry.asked_by),
            )
            for entry in journal.rollbacks(limit) if entry.entry not in logged
        ),
        *(
            Event(
                at=move.at, kind=move.action, outcome="done",
                text=_moved(move.action, move.left, move.version, move.reason, move.by),
            )
            for move in moves
        ),
    ]  # fmt: skip
    return sorted(events, key=lambda event: event.at, reverse=True)[:limit]


def _reports(folder: ReportFolder, limit: int) -> Iterator[Event]:
    for run in folder.history(limit):
        try:
            at = _TIME.validate_python(run.get("at"))
        except ValidationError:
            continue
        page = folder.find(str(run.get("html")))
        reasons = run.get("reasons")
        yield Event(
            at=at,
            kind="report",
            text=" ".join([f"Report on version {run.get('model_version')}.", *(map(str, reasons or ()))]),
            outcome=str(run.get("verdict")),
            link=f"/reports/{page.name}" if page else None,
        )


def _alerts(decisions: Iterable[AlertDecision]) -> Iterator[Event]:
    for entry in decisions:
        if entry.decision != _REPEATED:
            text = f"Alert {entry.alert}: {entry.reason}"
            yield Event(at=entry.at, kind="alert", text=text, outcome=entry.decision)


def _retrainings(journal: Journal, folder: ReportFolder, limit: int) -> Iterator[Event]:
    for job in journal.started(limit):
        retraining = str(job.retraining)
        log = folder.retraining_log(retraining)
        link = f"/reports/{log.name}" if log.is_file() else None
        yield Event(
            at=job.at, kind="retraining", text=f"Retraining started, {_cause(job)}", outcome="started", link=link
        )
        if end := journal.end_of(retraining):
            text = f"Retraining ended: {end.reason}"
            yield Event(at=end.at, kind="retraining", text=text, outcome=end.outcome, link=link)


def _cause(job: Job) -> str:
    return f"by alert {job.alert}: {job.reason}" if isinstance(job, AlertDecision) else job.cause


def _moved(action: str, left: str | None, version: str, reason: str, by: str | None) -> str:
    what = f"Version {version} is in production" if action == "promotion" else f"Back to version {version}"
    before = f" (before: version {left})" if left else ""
    who = f", asked for by {by}" if by else ""
    return f"{what}{before}{who}: {reason}"
