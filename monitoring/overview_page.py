"""The page of the monitor service as HTML. It loads nothing from elsewhere."""

from collections.abc import Sequence
from html import escape
from typing import Any

from pydantic import BaseModel

from monitoring.overview import LatestReport, Overview

_STYLE = (
    "body{font:14px/1.45 sans-serif;margin:1.5em;max-width:80em}table{border-collapse:collapse;margin:.6em 0 1.4em}"
    "td,th{padding:.25em .9em .25em 0;text-align:left;vertical-align:top;border-bottom:1px solid #8884}"
    "b.big{font-size:1.5em}.failed,.drift{color:#c53030}.warning{color:#b7791f}.ok,.promoted{color:#2f855a}"
)
_COLOURED = frozenset({"verdict", "outcome"})
_LINKS = {"report": "report", "json_report": "json", "evidently": "evidently", "log": "log"}  # texts by column


def render_overview(overview: Overview) -> str:
    """Return the page."""
    sections = [
        _latest(overview.latest),
        _table("Retrainings", overview.retrainings, "There was none."),
        _table("Alerts", overview.alerts, "None was received."),
        _table("Runs that failed", overview.failed_runs, "None."),
        _table("Reports", overview.reports, "There is no report yet."),
        f"<p>{escape(overview.description)} As JSON: <a href='history'>history</a>, "
        "<a href='decisions'>decisions</a>.</p>",
    ]
    head = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="refresh" content="30"><title>Monitoring</title><link rel="icon" href="data:,">'
        f"<style>{_STYLE}</style><h1>Monitoring</h1>"
    )
    return head + "".join(sections) + "</html>\n"


def _latest(latest: LatestReport | None) -> str:
    if latest is None:
        return "<p><b class='big'>no verdict yet</b></p>"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in latest.reasons)
    return (
        f"<p><b class='big {escape(latest.verdict)}'>{escape(latest.verdict)}</b> for version "
        f"{escape(latest.model_version)} of {escape(latest.model_name)} "
        f"(<a href='reports/latest'>report</a>)</p><ul>{reasons}</ul>"
    )


def _table(title: str, rows: Sequence[BaseModel], empty: str) -> str:
    if not rows:
        return f"<h2>{title}</h2><p>{empty}</p>"
    columns = type(rows[0]).model_fields
    head = "".join(f"<th>{escape(_LINKS.get(name, name).replace('_', ' '))}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(_cell(name, getattr(row, name)) for name in columns)}</tr>" for row in rows)
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"


def _cell(name: str, value: Any) -> str:
    text = "" if value is None else escape(str(value))
    if name in _LINKS and text:
        return f"<td><a href='reports/{text}'>{_LINKS[name]}</a></td>"
    return f"<td class='{text}'>{text}</td>" if name in _COLOURED else f"<td>{text}</td>"
