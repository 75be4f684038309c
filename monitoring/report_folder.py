"""The folder of the monitoring reports: names of its files, storing a report, the history, removing old reports."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from state.files import write_atomically

if TYPE_CHECKING:
    from checks.monitoring_report import MonitoringReport

NAME = "monitoring"  # of the folder, in the state folder
_HISTORY = "history.jsonl"
_LATEST = "latest"
_EVIDENTLY = "-evidently.html"
_SUFFIXES = (".html", ".json", _EVIDENTLY)  # of the files of a run
_KEPT = 500  # runs whose reports are kept; the history keeps a line for every run
_REMOVED_AT_ONCE = 10  # reports: earlier runs have removed the older ones
_HISTORY_READ = 2**20  # bytes at the end of the history that are read
_READABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,150}\.(?:html|json|log)", re.ASCII)


class ReportFolderError(Exception):
    """A report cannot be stored."""


@dataclass(frozen=True)
class ReportFolder:
    """The files at a path: reports of monitoring runs, reports and logs of retrainings, the journal."""

    path: Path

    @classmethod
    def of_state(cls, state_folder: Path) -> "ReportFolder":
        """Return the report folder of a state folder."""
        return cls(state_folder / NAME)

    @property
    def journal(self) -> Path:
        """The journal of the monitor service."""
        return self.path / "journal.db"

    @property
    def latest_page(self) -> Path:
        """The latest report as a page."""
        return self.path / f"{_LATEST}.html"

    @property
    def run_report(self) -> Path:
        """The report of the run under way, which the monitor service has written for itself."""
        return self.path / ".run.json"

    @property
    def run_log(self) -> Path:
        """The log of the last run that the monitor service started."""
        return self.path / "monitor.log"

    def retraining_report(self, retraining: str) -> Path:
        """Return where a local retraining writes its outcome."""
        return self.path / f"retraining-{retraining}.json"

    def retraining_log(self, retraining: str) -> Path:
        """Return where the log of a local retraining is."""
        return self.path / f"retraining-{retraining}.log"

    def store(self, report: "MonitoringReport", page: str, evidently_page: str) -> None:
        """Store the report of a run as JSON and as a page, and a line about it in the history.

        `latest.json` and `latest.html` are copies of the newest report; a reader never finds them half written.
        Evidently's page is kept where there is drift to look at. Raises `ReportFolderError`.
        """
        run, text = report.run, as_json(report)
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)  # reports may name users
            for name in (run, _LATEST):
                write_atomically(self.path / f"{name}.html", page)
                write_atomically(self.path / f"{name}.json", text)
            if report.drift.verdict in ("warning", "drift"):
                write_atomically(self.path / evidently_name(run), evidently_page)
            with (self.path / _HISTORY).open("a", encoding="utf-8") as history:
                history.write(json.dumps(_summary(report), ensure_ascii=False) + "\n")
            self._remove_old_reports()
        except OSError as error:
            raise ReportFolderError(f"the report cannot be written to {self.path}: {error.strerror}") from error

    def latest(self) -> dict[str, Any] | None:
        """Return the latest report, if there is one that can be read."""
        try:
            report = json.loads((self.path / f"{_LATEST}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return report if isinstance(report, dict) else None

    def latest_written_at(self) -> float | None:
        """Return when the latest report was written, in seconds since 1970."""
        try:
            return (self.path / f"{_LATEST}.json").stat().st_mtime
        except OSError:
            return None

    def history(self, limit: int) -> list[dict[str, Any]]:
        """Return the last lines of the history, newest first. A line that cannot be read is left out."""
        try:
            with (self.path / _HISTORY).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _HISTORY_READ))
                lines = file.read().splitlines()
        except OSError:
            return []
        return list(islice(_parse(reversed(lines)), limit))

    def find(self, name: str) -> Path | None:
        """Return the report or log of that name; None for every other file and for a link that leads out."""
        path = self.path / name
        if not _READABLE.fullmatch(name) or not path.is_file() or path.resolve().parent != self.path.resolve():
            return None
        return path

    def _remove_old_reports(self) -> None:
        lines = (self.path / _HISTORY).read_text(encoding="utf-8").splitlines()
        for run in _parse(lines[:-_KEPT][-_REMOVED_AT_ONCE:]):
            for suffix in _SUFFIXES:
                (self.path / f"{run['run']}{suffix}").unlink(missing_ok=True)


def as_json(report: "MonitoringReport") -> str:
    """Return a report as it is stored."""
    return report.model_dump_json(indent=2) + "\n"


def evidently_name(run: str) -> str:
    """Return the file name of Evidently's page of a run."""
    return f"{run}{_EVIDENTLY}"


def is_evidently(name: str) -> bool:
    """Tell whether a file name is that of a page of Evidently."""
    return name.endswith(_EVIDENTLY)


def _parse(lines: Iterable[str | bytes]) -> Iterator[dict[str, Any]]:
    """Yield the lines of the history that can be read."""
    for line in lines:
        try:
            run = json.loads(line)
        except ValueError:
            continue
        if isinstance(run, dict):
            yield run


def _summary(report: "MonitoringReport") -> dict[str, Any]:
    """Return the line about a report in the history."""
    named = {"run", "at", "model_name", "model_version", "verdict", "reasons"}
    return {
        **report.model_dump(mode="json", include=named),
        "current_rows": report.window.rows,
        "feedback_rows": report.quality.rows,
        "agreement": report.quality.agreement,
        "weighted_f1": report.quality.weighted_f1,
        "html": f"{report.run}.html",
        "json": f"{report.run}.json",
    }
