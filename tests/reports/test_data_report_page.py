"""The page of a data report."""

from checks.data_report import DataReport, Example, Finding
from reports.data_report_page import data_report_page
from tests.reports.reading import Page


def a_report(*findings: Finding) -> DataReport:
    return DataReport(rows=12_345, findings=findings, notes=("Nothing is compared <yet>.",))


KEPT = Finding(name="unique_index", description="every index occurs once", severity="critical", passed=True,
               observed="no row violates this")  # fmt: skip
WARNED = Finding(name="no_empty_title", description="no title is empty", severity="warning", passed=False, observed="3")
BROKEN = Finding(
    name="known_codes", description="prdtypecode is one of the <27> types", severity="critical", passed=False,
    observed="2 rows violate this",
    examples=(Example(row=7, index="<i>6", value="<script>alert(1)</script>"), Example(row=9, index="8", value="x&y")),
)  # fmt: skip


def test_the_most_severe_findings_come_first_with_their_examples() -> None:
    page = Page(data_report_page(a_report(KEPT, WARNED, BROKEN)))
    page.assert_it_loads_nothing()
    assert page.text == (
        "Data contract: failed 12,345 listings, 3 expectations. Outcome Expectation Found Examples: row, index, value "
        "✗ stops the run prdtypecode is one of the <27> types 2 rows violate this "
        "7, <i>6, <script>alert(1)</script> 9, 8, x&y "
        "! warning no title is empty 3 "
        "✓ ok every index occurs once no row violates this "
        "Nothing is compared <yet>."
    )


def test_values_of_listings_are_escaped() -> None:
    page = data_report_page(a_report(BROKEN))
    assert not {"i", "script", "yet"} & Page(page).tags
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_title_names_the_verdict() -> None:
    assert "<title>Data contract: ok</title>" in data_report_page(a_report(KEPT))
    assert "<title>Data contract: warning</title>" in data_report_page(a_report(WARNED))


def test_a_violation_says_what_to_do() -> None:
    advised = BROKEN.model_copy(update={"advice": "correct the code"})
    assert "2 rows violate this correct the code" in Page(data_report_page(a_report(advised))).text
    kept = advised.model_copy(update={"passed": True})
    assert "correct the code" not in Page(data_report_page(a_report(kept))).text
