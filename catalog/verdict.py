"""The verdict of a monitoring run, of its drift and of its quality."""

from typing import Literal, get_args

Verdict = Literal["ok", "warning", "drift", "insufficient_data"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def worst(*verdicts: Verdict) -> Verdict:
    """Return the most severe of measured verdicts; `insufficient_data` counts only where nothing was measured."""
    severity: tuple[Verdict, ...] = ("insufficient_data", "ok", "warning", "drift")
    return max(verdicts, key=severity.index)
