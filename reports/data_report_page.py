"""The page of a data report: every expectation of the data contract, and what was found."""

from checks.data_report import DataReport, Finding
from reports.rendering import render


def data_report_page(report: DataReport) -> str:
    """Return the findings, the most severe first, as one HTML page."""
    return render("data_report_page.html.j2", report=report, findings=sorted(report.findings, key=_order))


def _order(finding: Finding) -> int:
    return 2 if finding.passed else 0 if finding.severity == "critical" else 1
