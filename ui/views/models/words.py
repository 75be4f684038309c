"""How versions, scores and decisions are written."""

from collections.abc import Sequence

from ui.i18n import Messages, language
from ui.services.monitor import Decision, Score

text = Messages("models")


def score(value: float, digits: int = 3) -> str:
    """Return a score as the language writes it: 0.838 or 0,838."""
    return _decimal(f"{value:.{digits}f}")


def change(difference: float | None) -> str:
    """Return a difference of scores with its sign, or a dash for none."""
    return "–" if difference is None else _decimal(f"{difference:+.3f}").replace("-", "\N{MINUS SIGN}")


def interval(found: Score) -> str:
    """Return the bounds of a score."""
    return text("from_to", low=score(found["low"]), high=score(found["high"]))


def alias_words(aliases: Sequence[str]) -> str:
    """Return in words where a version is: in production, or the one before."""
    return ", ".join(text(f"alias_{alias}") for alias in ("production", "previous") if alias in aliases)


def decision_word(decision: Decision | None) -> str:
    """Return whether a version was promoted."""
    if decision is None:
        return text("undecided")
    return text("promoted") if decision["promoted"] else text("refused")


def _decimal(figure: str) -> str:
    return figure if language() == "en" else figure.replace(".", ",")
