"""What charts show of the stored reports."""

from pathlib import Path

import pytest

from monitoring.report_folder import ReportFolder
from monitoring.verdicts import read_verdicts
from tests.reports.values import a_monitoring_report


@pytest.fixture
def folder(tmp_path: Path) -> ReportFolder:
    return ReportFolder.of_state(tmp_path)


def test_a_stored_report_is_a_verdict_with_its_columns_and_its_quality(folder: ReportFolder) -> None:
    report = a_monitoring_report()
    folder.store(report, "", "")
    (found,) = read_verdicts(folder, 9)
    assert (found.name, found.at, found.verdict) == (f"{report.run}.html", report.at, report.verdict)
    assert found.model_dump(mode="json")["drifted_share"] == sum(
        column.drifted for column in report.drift.columns
    ) / len(report.drift.columns)
    assert {name: column.score for name, column in found.columns.items()} == {
        column.column: column.score for column in report.drift.columns
    }
    quality = report.quality
    assert found.quality is not None
    assert (found.quality.accuracy, found.quality.low, found.quality.high) == (
        quality.agreement, quality.lower, quality.upper,
    )  # fmt: skip


def test_what_was_not_measured_is_null_and_never_zero(folder: ReportFolder) -> None:
    folder.path.mkdir()
    line = (
        '{"at": "2026-03-04T12:00:00Z", "verdict": "insufficient_data", "reasons": [], "model_version": "1", '
        '"current_rows": 3, "agreement": null, "html": "gone.html"}'
    )
    (folder.path / "history.jsonl").write_text(f'{line}\n{{"verdict": "ok"}}\n')
    (found,) = read_verdicts(folder, 9)
    assert (found.rows, found.drifted_share, found.columns, found.quality, found.name) == (3, None, {}, None, None)
