"""The folder of the monitoring reports: names of its files, storing a report, the history, what is outdated."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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
_RETRAINING = "retraining-"
_HISTORY_READ = 2**20  # bytes at the end of the history that are read
_READABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,150}\.(?:html|json|log)", re.ASCII)


class ReportFolderError(Exception):
    """A report cannot be stored."""


@dataclass(frozen=True)
class Kept:
    """What is kept of the files of runs: those of the newest `runs`, written since a moment (0, None: all)."""

    runs: int = 0
    since: datetime | None = None

    def outdated(self, runs: Mapping[str, Sequence[Path]]) -> list[Path]:
        """Return the files of the other runs; `runs` are files by the name of the run. The newest run is kept."""
        ages = {name: max(path.stat().st_mtime for path in paths) for name, paths in runs.items()}
        newest_first = sorted(runs, key=lambda name: ages[name], reverse=True)
        old = [
            name
            for place, name in enumerate(newest_first)
            if place and ((self.runs and place >= self.runs) or (self.since and ages[name] < self.since.timestamp()))
        ]
        return [path for name in old for path in runs[name]]


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

    @property
    def command_report(self) -> Path:
        """What the command under way about models returns."""
        return self.path / ".command.json"

    @property
    def command_log(self) -> Path:
        """The log of the last command about models."""
        return self.path / ".command.log"

    def retraining_report(self, retraining: str) -> Path:
        """Return where a local retraining writes its outcome."""
        return self.path / f"{_RETRAINING}{retraining}.json"

    def retraining_log(self, retraining: str) -> Path:
        """Return where the log of a local retraining is."""
        return self.path / f"{_RETRAINING}{retraining}.log"

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

    def files(self) -> list[Path]:
        """Return the files of reports and retrainings, which can be read as pages."""
        return [path for path in self.path.glob("*") if _READABLE.fullmatch(path.name) and path.is_file()]

    def outdated(self, reports: Kept, retrainings: Kept) -> list[Path]:
        """Return the files of reports and of retrainings that are not kept any more. The latest report always is."""
        groups: dict[bool, dict[str, list[Path]]] = {True: {}, False: {}}
        for path in self.files():
            if path.stem != _LATEST and path != self.run_log:
                name = path.name.removesuffix(_EVIDENTLY) if is_evidently(path.name) else path.stem
                groups[name.startswith(_RETRAINING)].setdefault(name, []).append(path)
        return [*reports.outdated(groups[False]), *retrainings.outdated(groups[True])]

    def forget_before(self, moment: datetime) -> int:
        """Remove the lines of the history from before a moment and return how many. Raises `ReportFolderError`."""
        path = self.path / _HISTORY
        try:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
            kept = [line for line in lines if not _is_before(line, moment)]
            if len(kept) < len(lines):
                write_atomically(path, "".join(kept))
        except OSError as error:
            raise ReportFolderError(f"the history {path} cannot be shortened: {error.strerror}") from error
        return len(lines) - len(kept)


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


def _is_before(line: str, moment: datetime) -> bool:
    """Return whether a line of the history has a time before a moment. A line that cannot be read has none."""
    for run in _parse([line]):
        try:
            return datetime.fromisoformat(str(run.get("at"))) < moment
        except (ValueError, TypeError):  # TypeError: a time without a zone
            return False
    return False


def _summary(report: "MonitoringReport") -> dict[str, Any]:
    """Return the line about a report in the history: what lists and charts show."""
    named = {"run", "at", "model_name", "model_version", "verdict", "reasons"}
    quality, columns = report.quality, report.drift.columns
    return {
        **report.model_dump(mode="json", include=named),
        "current_rows": report.window.rows,
        "feedback_rows": quality.rows,
        "agreement": quality.agreement,
        "agreement_interval": None if quality.agreement is None else [quality.lower, quality.upper],
        "weighted_f1": quality.weighted_f1,
        "columns": {column.column: {"score": column.score, "drifted": column.drifted} for column in columns},
        "html": f"{report.run}.html",
        "json": f"{report.run}.json",
    }
