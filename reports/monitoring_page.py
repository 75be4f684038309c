"""The page of a monitoring report: quality and drift of one window of predictions."""

from checks.monitoring_report import MonitoringReport
from reports.figures import data_uri, drift_figure, png
from reports.rendering import interval, render

_CATEGORIES_SHOWN = 12


def monitoring_page(report: MonitoringReport) -> str:
    """Return the report as one HTML page."""
    quality, drift = report.quality, report.drift
    return render(
        "monitoring_page.html.j2",
        report=report,
        precisions=[
            (entry.label, entry.rows, entry.precision, interval((entry.lower, entry.upper)))
            for entry in quality.per_type
        ],
        users=[
            (user.user_id, user.role, user.rows, user.disagreement, _yes_or_no(user.trusted))
            for user in quality.disagreeing_users
        ],
        drift_picture=data_uri(png(drift_figure(drift.columns))) if drift.columns else None,
        columns=[
            (column.column, column.score, column.threshold, column.noise, *(column.medians or ("", "")),
             _yes_or_no(column.drifted))
            for column in drift.columns
        ],
        categories={column.column: _most_moved(column.shares) for column in drift.columns if column.shares},
    )  # fmt: skip


def _most_moved(shares: dict[str, tuple[float, float]]) -> list[tuple[str, float, float]]:
    """Return (category, reference share, current share), those that moved most first."""
    moved = sorted(shares.items(), key=lambda entry: -abs(entry[1][1] - entry[1][0]))
    return [(name, before, now) for name, (before, now) in moved[:_CATEGORIES_SHOWN]]


def _yes_or_no(fact: bool) -> str:
    return "yes" if fact else "no"
