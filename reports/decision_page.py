"""The page of a decision about a promotion."""

from catalog.comparison import Decision
from reports.charts.intervals import Measured, intervals
from reports.rendering import render, score, thousands


def decision_page(decision: Decision) -> str:
    """Return the decision, its reason and the differences behind it as one HTML page."""
    windows = {"all test listings": decision.on_test, "recent reviewed feedback": decision.on_recent}
    differences = [
        (name, window.rows, window.difference, window.lower, window.upper) for name, window in windows.items() if window
    ]
    rows = [
        Measured(
            name, difference, f"{difference:+.3f} on {thousands(rows)}",
            f"{name}: {difference:+.3f} ({lower:+.3f} to {upper:+.3f})", interval=(lower, upper),
        )
        for name, rows, difference, lower, upper in differences
    ]  # fmt: skip
    return render(
        "decision_page.html.j2",
        decision=decision,
        scores=_scores(decision),
        differences=differences,
        chart=intervals(rows, "difference in weighted F1", line=0.0) if rows else None,
    )


def _scores(decision: Decision) -> list[tuple[str, str, str]]:
    """Return the scores of both versions, as far as they are known: name, weighted F1, which version it is."""
    known = [
        ("New version", decision.challenger_weighted_f1, decision.challenger_version),
        ("In production before", decision.champion_weighted_f1, decision.champion_version),
    ]
    return [
        (name, score(value), f"weighted F1{f' of version {version}' if version else ''}")
        for name, value, version in known
        if value is not None
    ]
