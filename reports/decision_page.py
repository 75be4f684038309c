"""The page of a decision about a promotion."""

from catalog.comparison import Decision
from reports.rendering import render


def decision_page(decision: Decision) -> str:
    """Return the decision, its reason and the differences behind it as one HTML page."""
    windows = {"all test listings": decision.on_test, "recent reviewed feedback": decision.on_recent}
    return render(
        "decision_page.html.j2",
        decision=decision,
        differences=[
            (name, window.rows, window.difference, window.lower, window.upper)
            for name, window in windows.items()
            if window
        ],
    )
