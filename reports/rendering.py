"""The one Jinja2 environment of all pages. The templates are in the folder beside this module."""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from reports.charts.labels import amount

_MARKDOWN = re.compile(r"[\\`*_\[\]<>|&!#~]")
_SOME = 10  # names of a long list
TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(template: str, **values: object) -> str:
    """Return a template of `TEMPLATES` with these values. They are escaped in HTML, and as they are in Markdown.

    Raises `jinja2.TemplateNotFound` for an unknown template and `jinja2.UndefinedError` for a missing value.
    """
    return _environment().get_template(template).render(values) + "\n"


def script_source() -> str:
    """Return what a Content-Security-Policy calls the one script of the pages: its digest."""
    digest = hashlib.sha256(render("page.js").removesuffix("\n").encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=(), disabled_extensions=("md.j2",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "amount": amount,
        "cell": cell,
        "interval": interval,
        "markdown_cell": markdown_cell,
        "minute": minute,
        "moment": moment,
        "percent": percent,
        "percents": percents,
        "score": score,
        "some": some,
        "thousands": thousands,
        "words": words,
    }
    return environment


def cell(value: str | int | float) -> str:
    """Return what a cell of a table shows: 0.123 for a fraction, 1,234 for a whole number, a text as it is."""
    if isinstance(value, float):
        return score(value)
    return thousands(value) if isinstance(value, int) else value


def score(value: float, digits: int = 3) -> str:
    """Return a score with so many digits after the point."""
    return f"{value:.{digits}f}"


def thousands(value: int) -> str:
    """Return a whole number with a comma between the thousands."""
    return f"{value:,}"


def percent(share: float, digits: int = 0) -> str:
    """Return a share (0 to 1) in percent, with so many digits after the point."""
    return f"{share:.{digits}%}"


def percents(bounds: Sequence[float]) -> str:
    """Return an interval of shares, given as (lower, upper), in percent."""
    lower, upper = bounds
    return f"{percent(lower, 1)} to {percent(upper, 1)}"


def interval(bounds: Sequence[float]) -> str:
    """Return an interval, given as (lower, upper)."""
    lower, upper = bounds
    return f"{score(lower)} to {score(upper)}"


def minute(time: datetime) -> str:
    """Return a timezone-aware time in UTC, to the minute."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"


def moment(value: str | None) -> str:
    """Return a time in ISO 8601 as `minute` does; nothing for None, and what is no time as it is."""
    try:
        return minute(datetime.fromisoformat(value)) if value else ""
    except ValueError:
        return str(value)


def words(name: str) -> str:
    """Return a name such as `title_words` with spaces in place of underscores."""
    return name.replace("_", " ")


def markdown_cell(text: str) -> str:
    """Return a text so that Markdown shows it as it is, in a table too: no column's end, line's end, tag or link."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))


def some(names: Sequence[str]) -> str:
    """Return a few of the names, and how many more there are."""
    more = f" and {len(names) - _SOME:,} more" if len(names) > _SOME else ""
    return ", ".join(names[:_SOME]) + more
