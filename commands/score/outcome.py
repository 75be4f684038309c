"""What came of a run, for the person at the terminal."""

from scoring.journal import Totals
from scoring.request import ScoringRequest
from terminal.errors import CommandError
from terminal.tables import show_rows


def show(totals: Totals, request: ScoringRequest, model: str, seconds: float) -> None:
    """Print what came of a run."""
    rejected = f"{totals.rejected:,}"
    if totals.rejected:
        rejected += f", {totals.rejected_share:.2%} of all rows: {request.output.rstrip('/')}.rejected.csv"
    show_rows(
        {
            "Rows scored": f"{totals.rows:,}",
            "Rejected": rejected,
            "Abstained": f"{totals.abstained:,} ({totals.abstained_share:.1%})",
            "Novel": f"{totals.novel:,} ({totals.novel_share:.1%})",
            "Types": f"{len(totals.types):,}",
            "Model": model,
            "Answers": request.output,
            "Time": f"{seconds:,.0f} s",
        }
    )


def require_few_rejected(share: float, allowed: float) -> None:
    """Raise `CommandError` when a larger share of the rows was rejected than is allowed."""
    if share > allowed:
        raise CommandError(
            f"{share:.1%} of the rows could not be used, more than --max-rejected {allowed:.1%}; the output is "
            "complete without them"
        )
