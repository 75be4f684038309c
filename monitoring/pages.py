"""What people read: the page, the reports on the disk, history and decisions. Nothing is loaded from elsewhere."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.responses import FileResponse, Response

from monitoring.entries import AlertDecision
from monitoring.instruments import LATEST
from monitoring.journal import Journal

HISTORY = "history.jsonl"
_SHOWN = 50  # rows of a table
_TAIL = 2**20  # bytes of the history that are read
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,150}\.(html|json|log)", re.ASCII)
_KINDS = {"html": "text/html; charset=utf-8", "json": "application/json", "log": "text/plain; charset=utf-8"}
# Reports are files that load nothing: pictures and styles are in them, and a script in one is not run.
_POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}
# Evidently's page draws with the scripts that are in it; shut up like this they reach neither this site nor any other.
_EVIDENTLY = "-evidently.html"
_SCRIPTED_POLICY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "sandbox allow-scripts; frame-ancestors 'none'; base-uri 'none'"
}
_PAGE_POLICY = {"Content-Security-Policy": _POLICY["Content-Security-Policy"].replace(" sandbox;", "")}
_STYLE = (
    "body{font:14px/1.45 sans-serif;margin:1.5em;max-width:80em}table{border-collapse:collapse;margin:.6em 0 1.4em}"
    "td,th{padding:.25em .9em .25em 0;text-align:left;vertical-align:top;border-bottom:1px solid #8884}"
    "b.big{font-size:1.5em}.failed,.drift{color:#c53030}.warning{color:#b7791f}.ok,.promoted{color:#2f855a}"
)


@dataclass(frozen=True)
class Pages:
    """The routes of what can be read."""

    journal: Journal
    folder: Path  # of the reports
    way: str  # how this service looks and retrains

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()

        @router.get("/", response_class=Response)
        def page() -> Response:
            """Show the latest verdict, reports, decisions and retrainings."""
            return Response(self.page(), media_type="text/html", headers=_PAGE_POLICY)

        @router.get("/history")
        def history() -> list[dict[str, Any]]:
            """Return what the last runs of the monitoring pipeline found, the newest first."""
            return self.history()

        @router.get("/decisions")
        def decisions() -> dict[str, list[dict[str, Any]]]:
            """Return the last decisions about alerts and the last retrainings, the newest first."""
            decisions = [entry.model_dump(mode="json") for entry in self.journal.decisions(_SHOWN)]
            return {"decisions": decisions, "retrainings": self.retrainings()}

        @router.get("/reports/latest", response_class=Response)
        def latest() -> Response:
            """Return the latest report as a page."""
            return self.file("latest.html")

        @router.get("/reports/{name}", response_class=Response)
        def report(name: str) -> Response:
            """Return a report as a page or as JSON, or the log of a retraining."""
            return self.file(name)

        return router

    def file(self, name: str) -> Response:
        """Return a file of the folder. Raises `HTTPException` where there is none of that name."""
        found = _NAME.fullmatch(name)
        path = self.folder / name
        if not found or not path.is_file() or path.resolve().parent != self.folder.resolve():
            raise HTTPException(404, "there is no such report")
        policy = _SCRIPTED_POLICY if name.endswith(_EVIDENTLY) else _POLICY
        return FileResponse(path, media_type=_KINDS[found[1]], headers=policy)

    def history(self) -> list[dict[str, Any]]:
        """Return the newest lines of the history, the newest first; a line that cannot be read is left out."""
        try:
            with (self.folder / HISTORY).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _TAIL))
                lines = file.read().splitlines()
        except OSError:
            return []
        runs = []
        for line in reversed(lines):
            try:
                run = json.loads(line)
            except ValueError:
                continue
            if isinstance(run, dict):
                runs.append(run)
        return runs[:_SHOWN]

    def retrainings(self) -> list[dict[str, Any]]:
        """Return the last retrainings, the newest first."""
        return [self._retraining(job) for job in self.journal.started(_SHOWN)]

    def _retraining(self, job: AlertDecision) -> dict[str, Any]:
        end = self.journal.end_of(str(job.retraining))
        return {
            "retraining": job.retraining,
            "alert": job.alert,
            "started": job.at.isoformat(timespec="seconds"),
            "finished": end.at.isoformat(timespec="seconds") if end else None,
            "outcome": end.outcome if end else "under way",
            "reason": end.reason if end else "",
            "model_version": end.model_version if end else None,
            "log": log if (self.folder / (log := f"retraining-{job.retraining}.log")).is_file() else None,
        }

    def page(self) -> str:
        """Return the page."""
        history, retrainings = self.history(), self.retrainings()
        failed = [
            {"finished": entry.at.isoformat(timespec="seconds"), "reason": entry.reason}
            for entry in self.journal.failed_runs(_SHOWN)
        ]
        decisions = [
            {"at": f"{entry.at:%Y-%m-%d %H:%M:%S}", **entry.model_dump(include={"alert", "decision", "reason"})}
            for entry in self.journal.decisions(_SHOWN)
        ]
        sections = [
            self._latest(),
            _table("Retrainings", retrainings, "There was none."),
            _table("Alerts", decisions, "None was received."),
            _table("Runs that failed", failed, "None."),
            _table("Reports", [self._run(run) for run in history], "There is no report yet."),
            f"<p>{escape(self.way)} As JSON: <a href='history'>history</a>, <a href='decisions'>decisions</a>.</p>",
        ]
        head = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<meta http-equiv="refresh" content="30"><title>Monitoring</title><link rel="icon" href="data:,">'
            f"<style>{_STYLE}</style><h1>Monitoring</h1>"
        )
        return head + "".join(sections) + "</html>\n"

    def _latest(self) -> str:
        try:
            latest = json.loads((self.folder / LATEST).read_text(encoding="utf-8"))
            verdict = str(latest["verdict"])
        except (OSError, ValueError, KeyError, TypeError):
            return "<p><b class='big'>no verdict yet</b></p>"
        reasons = latest.get("reasons") or []
        listed = "".join(f"<li>{escape(str(reason))}</li>" for reason in reasons if isinstance(reasons, list))
        return (
            f"<p><b class='big {escape(verdict)}'>{escape(verdict)}</b> for version "
            f"{escape(str(latest.get('model_version')))} of {escape(str(latest.get('model_name')))} "
            f"(<a href='reports/latest'>report</a>)</p><ul>{listed}</ul>"
        )

    def _run(self, run: Mapping[str, Any]) -> dict[str, Any]:
        reasons = run.get("reasons")
        return {
            "at": run.get("at"),
            "verdict": run.get("verdict"),
            "model_version": run.get("model_version"),
            "current_rows": run.get("current_rows"),
            "reasons": " ".join(map(str, reasons)) if isinstance(reasons, list) else reasons,
            "report": self._link(run.get("html")),
            "json": self._link(run.get("json")),
            "evidently": self._link(f"{run.get('run')}{_EVIDENTLY}"),
        }

    def _link(self, path: Any) -> str | None:
        name = Path(str(path)).name if path else ""
        return name if _NAME.fullmatch(name) and (self.folder / name).is_file() else None


_COLOURED = frozenset({"verdict", "outcome"})
_LINKS = frozenset({"report", "json", "evidently", "log"})


def _table(title: str, rows: list[dict[str, Any]], empty: str) -> str:
    if not rows:
        return f"<h2>{title}</h2><p>{empty}</p>"
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(_cell(name, value) for name, value in row.items())}</tr>" for row in rows)
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"


def _cell(name: str, value: Any) -> str:
    text = "" if value is None else escape(str(value))
    if name in _LINKS and text:
        return f"<td><a href='reports/{text}'>{escape(name)}</a></td>"
    return f"<td class='{text}'>{text}</td>" if name in _COLOURED else f"<td>{text}</td>"
