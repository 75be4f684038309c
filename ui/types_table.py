"""The likeliest types as a table with bars, as HTML. Every text is escaped."""

from collections.abc import Sequence
from html import escape

from ui.i18n import percent
from ui.services.prediction import RankedType


def types_html(types: Sequence[RankedType], caption: str) -> str:
    """Return a row for each type, the likeliest first. `caption`: what screen readers call the table."""
    rows = "".join(_row(ranked, first=place == 0) for place, ranked in enumerate(types))
    return f'<table class="types"><caption class="unseen">{escape(caption)}</caption><tbody>{rows}</tbody></table>'


def _row(ranked: RankedType, *, first: bool) -> str:
    width = round(min(max(ranked["confidence"], 0.0), 1.0) * 100, 1)
    return (
        f'<tr{" class=first" if first else ""}><th scope="row">{escape(ranked["label"])}</th>'
        f'<td class="bar"><span><span style="width: {width}%"></span></span></td>'
        f'<td class="share">{escape(percent(ranked["confidence"]))}</td></tr>'
    )
