"""The report of a monitoring run: drift and quality together, and the verdict that follows."""

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from catalog.agreement import Quality
from catalog.verdict import Verdict, worst
from checks.drift import Drift

if TYPE_CHECKING:
    from ledger.windows import Window


class ReportedWindow(BaseModel):
    """Which predictions were looked at: the newest ones from `since` to `until`, at most `maximum_rows`."""

    model_config = ConfigDict(frozen=True)

    since: AwareDatetime
    until: AwareDatetime
    maximum_rows: int
    rows: int
    distinct_rows: int
    reference_rows: int


class MonitoringReport(BaseModel):
    """What one run of the monitoring pipeline found about the version in production.

    `run` is the name of the pipeline run, `at` the time of the report. `reasons` are sentences for people: drift,
    quality, then one for each user who mostly disagrees. `pushgateway` says whether the metrics were pushed.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    at: AwareDatetime
    model_name: str
    model_version: str
    verdict: Verdict
    reasons: tuple[str, ...]
    window: ReportedWindow
    drift: Drift
    quality: Quality
    pushgateway: str = ""

    def summary(self) -> dict[str, str | int]:
        """Return what came of the run, for people who look at it in a dashboard. No user is named."""
        return {
            "verdict": self.verdict,
            "drift": self.drift.reason,
            "quality": self.quality.reason,
            "version in production": self.model_version,
            "predictions": self.window.rows,
            "reviewed predictions": self.quality.rows,
            "page": "monitoring_page",
        }


def make_report(run: str, at: datetime, window: "Window", drift: Drift, quality: Quality) -> MonitoringReport:
    """Put drift and quality of a window together; `run` names the pipeline run, `at` is the time of the report."""
    verdict, reasons = decide_verdict(drift, quality)
    return MonitoringReport(
        run=run,
        at=at,
        model_name=window.model_name,
        model_version=window.model_version,
        verdict=verdict,
        reasons=tuple(reasons),
        window=ReportedWindow(
            since=window.since,
            until=window.until,
            maximum_rows=window.maximum_rows,
            rows=drift.rows,
            distinct_rows=drift.distinct_rows,
            reference_rows=drift.reference_rows,
        ),
        drift=drift,
        quality=quality,
    )


def decide_verdict(drift: Drift, quality: Quality) -> tuple[Verdict, list[str]]:
    """Return the verdict, which is the more severe one of what was measured, and the sentences that explain it.

    Without enough traffic the verdict is not `ok`; but feedback that shows wrong answers counts even then.
    """
    reasons = [f"Drift: {drift.reason}.", f"Quality: {quality.reason}."]
    verdict = worst(drift.verdict, quality.verdict) if quality.verdict in ("warning", "drift") else drift.verdict
    for user in quality.disagreeing_users:
        effect = "This feedback decides." if user.trusted else "This feedback does not decide."
        reasons.append(
            f"User {user.user_id} ({user.role}) gave feedback {user.rows:,} times and disagreed with "
            f"{user.disagreement:.0%} of the answers. {effect}"
        )
    return verdict, reasons
