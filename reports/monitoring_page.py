"""The page of a monitoring report: quality and drift of one window of predictions."""

from catalog.agreement import Quality
from checks.drift import ColumnDrift
from checks.monitoring_report import MonitoringReport
from reports.charts.bars import Bar, Bars, ratio_bars
from reports.charts.intervals import Intervals, Measured, intervals
from reports.charts.labels import Tick
from reports.rendering import interval, render, score, words

_CATEGORIES_SHOWN = 12
_MOST = 4.0  # times its limit that a bar of drift is long at most


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
        quality_chart=_quality_chart(quality),
        drift_chart=_drift_chart(drift.columns) if drift.columns else None,
        columns=[
            (words(column.column), column.score, column.threshold, column.noise, *(column.medians or ("", "")),
             _yes_or_no(column.drifted))
            for column in drift.columns
        ],
        categories={column.column: _most_moved(column.shares) for column in drift.columns if column.shares},
    )  # fmt: skip


def _quality_chart(quality: Quality) -> Intervals | None:
    """Return what was measured beside what the evaluation expected, or None when nothing was measured."""
    measured = [
        ("right answers", quality.agreement, quality.expected_agreement, (quality.lower, quality.upper)),
        ("weighted F1", quality.weighted_f1, quality.expected_weighted_f1, (None, None)),
    ]
    rows = [
        Measured(
            name, value, f"{score(value)}, expected {score(expected)}",
            f"{name}: {score(value)} measured, {score(expected)} expected",
            (low, high) if low is not None and high is not None else None, expected,
        )
        for name, value, expected, (low, high) in measured
        if value is not None and expected is not None
    ]  # fmt: skip
    return intervals(rows, "share of the answers, and weighted F1") if rows else None


def _drift_chart(columns: tuple[ColumnDrift, ...]) -> Bars:
    """Return the distance of every column as a multiple of its limit, the farthest first."""
    farthest_first = sorted(columns, key=lambda column: -column.score / column.limit)
    bars = [
        Bar(
            words(column.column), column.score / column.limit, f"{score(column.score)} of {score(column.limit)}",
            f"{words(column.column)}: distance {score(column.score)}, limit {score(column.limit)}",
            tone="drift" if column.drifted else "ok",
        )
        for column in farthest_first
    ]  # fmt: skip
    return ratio_bars(bars, "distance from the reference, in multiples of the limit", Tick(1.0, "limit"), _MOST)


def _most_moved(shares: dict[str, tuple[float, float]]) -> list[tuple[str, float, float]]:
    """Return (category, reference share, current share), those that moved most first."""
    moved = sorted(shares.items(), key=lambda entry: -abs(entry[1][1] - entry[1][0]))
    return [(name, before, now) for name, (before, now) in moved[:_CATEGORIES_SHOWN]]


def _yes_or_no(fact: bool) -> str:
    return "yes" if fact else "no"
