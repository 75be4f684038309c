"""Reports are stored completely, found by name, listed newest first, and outdated by rules."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from catalog.verdict import Verdict
from checks.monitoring_report import MonitoringReport
from monitoring.report_folder import Kept, ReportFolder, ReportFolderError
from tests.monitoring.watching import NOON
from tests.reports.values import a_drift, a_monitoring_report


@pytest.fixture
def folder(tmp_path: Path) -> ReportFolder:
    return ReportFolder.of_state(tmp_path)


def report(run: str, verdict: Verdict = "ok") -> MonitoringReport:
    return a_monitoring_report().model_copy(
        update={
            "run": run,
            "verdict": verdict,
            "reasons": ("Drift: none.",),
            "drift": a_drift().model_copy(update={"verdict": verdict}),
        }
    )


def names(folder: ReportFolder) -> set[str]:
    return {path.name for path in folder.path.iterdir()}


def test_an_empty_folder_has_no_report(folder: ReportFolder) -> None:
    assert (folder.latest(), folder.latest_written_at(), folder.history(9)) == (None, None, [])
    assert folder.find("latest.html") is None


def test_a_report_is_stored_under_its_run_and_as_the_latest(folder: ReportFolder) -> None:
    folder.store(report("run-1"), "<p>first</p>", "")
    folder.store(report("run-2", "drift"), "<p>second</p>", "<p>evidently</p>")
    assert names(folder) == {
        "run-1.html", "run-1.json", "run-2.html", "run-2.json", "run-2-evidently.html", "latest.html", "latest.json",
        "history.jsonl",
    }  # fmt: skip
    assert folder.latest() == report("run-2", "drift").model_dump(mode="json")
    assert folder.latest_page.read_text() == "<p>second</p>"
    assert (folder.path / "run-1.html").read_text() == "<p>first</p>"
    assert (folder.latest_written_at() or 0) > 1e9
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_the_history_is_newest_first_and_a_line_that_cannot_be_read_is_left_out(folder: ReportFolder) -> None:
    for number in range(3):
        folder.store(report(f"run-{number}"), "", "")
        with (folder.path / "history.jsonl").open("a") as history:
            history.write("nonsense\n[]\n")
    assert [entry["run"] for entry in folder.history(2)] == ["run-2", "run-1"]
    newest = report("run-2").model_dump(mode="json")
    assert folder.history(1)[0] == {
        **{key: newest[key] for key in ("run", "at", "model_name", "model_version", "verdict", "reasons")},
        "current_rows": newest["window"]["rows"], "feedback_rows": newest["quality"]["rows"],
        "agreement": newest["quality"]["agreement"], "weighted_f1": newest["quality"]["weighted_f1"],
        "agreement_interval": [newest["quality"]["lower"], newest["quality"]["upper"]],
        "columns": {"title_words": {"score": 0.1, "drifted": False}, "language": {"score": 0.4, "drifted": True}},
        "html": "run-2.html", "json": "run-2.json",
    }  # fmt: skip


def written_at(folder: ReportFolder, pattern: str, moment: datetime) -> None:
    for path in folder.path.glob(pattern):
        os.utime(path, (moment.timestamp(), moment.timestamp()))


def test_the_files_of_the_newest_runs_are_kept_and_of_retrainings_by_a_rule_of_their_own(folder: ReportFolder) -> None:
    for number in range(3):
        folder.store(report(f"run-{number}", "drift"), "page", "evidently")
        written_at(folder, f"run-{number}*", NOON + timedelta(hours=number))
        folder.retraining_log(f"r{number}").write_text("log")
        folder.retraining_report(f"r{number}").write_text("{}")
        written_at(folder, f"retraining-r{number}*", NOON + timedelta(hours=number))
    folder.run_log.write_text("log")
    written_at(folder, "[ml]*", NOON - timedelta(days=9))
    assert folder.outdated(Kept(), Kept()) == []
    assert {path.name for path in folder.outdated(Kept(runs=2), Kept(runs=1))} == {
        "run-0.html", "run-0.json", "run-0-evidently.html",
        "retraining-r0.log", "retraining-r0.json", "retraining-r1.log", "retraining-r1.json",
    }  # fmt: skip
    late = NOON + timedelta(hours=1)
    assert {path.stem for path in folder.outdated(Kept(since=late), Kept(runs=9))} == {"run-0", "run-0-evidently"}
    future = NOON + timedelta(days=1)
    assert {path.stem for path in folder.outdated(Kept(since=future), Kept(runs=9)) if "2" in path.stem} == set()


def test_lines_of_the_history_from_before_a_moment_are_forgotten(folder: ReportFolder) -> None:
    assert folder.forget_before(NOON) == 0
    for number in range(3):
        folder.store(report(f"run-{number}").model_copy(update={"at": NOON + timedelta(hours=number)}), "page", "")
    with (folder.path / "history.jsonl").open("a") as history:
        history.write("nonsense\n")
    assert folder.forget_before(NOON + timedelta(hours=2)) == 2
    assert [entry["run"] for entry in folder.history(9)] == ["run-2"]


def test_only_reports_and_logs_of_the_folder_are_found(folder: ReportFolder, tmp_path: Path) -> None:
    folder.store(report("run-1"), "page", "")
    folder.retraining_log("r1").write_text("log")
    folder.journal.write_text("")
    (tmp_path / "secret.json").write_text("{}")
    (folder.path / "link.json").symlink_to(tmp_path / "secret.json")
    (folder.path / "folder.json").mkdir()
    assert folder.find("run-1.html") == folder.path / "run-1.html"
    assert folder.find("retraining-r1.log") == folder.retraining_log("r1")
    for name in ("journal.db", "history.jsonl", "link.json", "folder.json", "../secret.json", ".run.json", "", "."):
        assert folder.find(name) is None, name


def test_a_report_that_cannot_be_stored_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "monitoring").write_text("a file in the place of the folder")
    with pytest.raises(ReportFolderError, match=r"the report cannot be written to .*/monitoring: File exists"):
        ReportFolder.of_state(tmp_path).store(report("run-1"), "", "")
