"""The entries of the journal: what was decided or asked for, retrainings that began or ended, runs that failed."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

AlertVerdict = Literal["started", "duplicate", "cooling_down", "over_budget", "already_running", "resolved", "ignored"]
RetrainingOutcome = Literal["promoted", "refused", "failed"]
UtcDateTime = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at: UtcDateTime


class AlertDecision(_Entry):
    """What was decided about one alert, and why. `retraining` is the id of the retraining that it started."""

    kind: Literal["decided"] = "decided"
    decision: AlertVerdict
    reason: str
    alert: str
    fingerprint: str
    starts_at: UtcDateTime
    retraining: str | None = None

    @property
    def key(self) -> tuple[str, datetime]:
        """The identity of the alert: its fingerprint and the time at which it began to fire."""
        return self.fingerprint, self.starts_at

    @property
    def cause(self) -> str:
        """What asked for the retraining, for people."""
        return f"alert {self.alert}, fingerprint {self.fingerprint}"


class RetrainingRequest(_Entry):
    """A retraining that a user asked for and that was started."""

    kind: Literal["requested"] = "requested"
    asked_by: str
    reason: str
    retraining: str

    @property
    def cause(self) -> str:
        """What asked for the retraining, for people."""
        return f"asked for by {self.asked_by}: {self.reason}"


class RetrainingStart(_Entry):
    """A retraining that began, with what a restarted service needs to find it again.

    A local retraining has its process id and that process' creation time (seconds since 1970, which tells it from a
    later process with the same id). The former journal had more, which nobody reads.
    """

    model_config = ConfigDict(extra="ignore")

    kind: Literal["began"] = "began"
    retraining: str
    pid: int | None = None
    created: float | None = None


class RetrainingEnd(_Entry):
    """How a retraining ended."""

    kind: Literal["finished"] = "finished"
    retraining: str
    outcome: RetrainingOutcome
    reason: str
    model_version: str | None = None


class FailedRun(_Entry):
    """A run of the monitoring pipeline that produced no report."""

    kind: Literal["run_failed"] = "run_failed"
    reason: str


class Rollback(_Entry):
    """A rollback that a user asked for here: from version `before` to version `after`.

    `entry` is the id of its entry in the promotion log.
    """

    kind: Literal["rolled_back"] = "rolled_back"
    asked_by: str
    reason: str
    before: str
    after: str
    entry: str


Job = AlertDecision | RetrainingRequest  # what starts a retraining
Entry = AlertDecision | RetrainingRequest | RetrainingStart | RetrainingEnd | FailedRun | Rollback
