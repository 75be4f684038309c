"""The page of a decision about a promotion."""

from catalog.comparison import Decision, PairedDifference
from reports.decision_page import decision_page
from tests.reports.boxes import assert_nothing_collides, charts_of
from tests.reports.reading import Page

DECISION = Decision(
    promoted=True,
    reason="weighted F1 0.912 against 0.850 of version <7> on the same 6,000 test rows",
    on_test=PairedDifference(rows=6_000, difference=0.0623, lower=0.04, upper=0.08),
)


def test_the_page_shows_the_reason_and_the_differences() -> None:
    page = Page(decision_page(DECISION))
    page.assert_it_loads_nothing()
    assert page.text.startswith("Promoted Weighted F1 0.912 against 0.850 of version <7> on the same 6,000 test rows. ")
    assert page.text.endswith("upper bound all test listings 6,000 0.062 0.040 0.080")
    assert "7" not in page.tags


def test_the_page_shows_which_types_lose_too_much() -> None:
    recent = PairedDifference(rows=250, difference=-0.1, lower=-0.2, upper=0.0)
    refused = DECISION.model_copy(update={"promoted": False, "type_losses": {"Pools <b>": 0.25}, "on_recent": recent})
    page = Page(decision_page(refused))
    assert page.text.startswith("Not promoted ")
    assert "recent reviewed feedback 250 -0.100 -0.200 0.000" in page.text
    assert page.text.endswith("Types that lose too much type F1 lost Pools <b> 0.250")
    assert "b" not in page.tags


def test_a_decision_without_a_comparison_has_no_table() -> None:
    page = Page(decision_page(Decision(promoted=False, reason="same data and code as version 1")))
    assert page.text == "Not promoted Same data and code as version 1."
    assert "table" not in page.tags
    assert not page.charts


def test_the_chart_shows_the_differences_with_their_intervals() -> None:
    recent = PairedDifference(rows=250, difference=-0.1, lower=-0.2, upper=0.0)
    content = decision_page(DECISION.model_copy(update={"on_recent": recent}))
    assert {"+0.062 on 6,000", "-0.100 on 250"} <= set(Page(content).chart_texts)
    (chart,) = charts_of(content)
    assert_nothing_collides(chart)


def test_the_page_shows_the_scores_of_both_versions() -> None:
    scores = {"champion_version": "7", "champion_weighted_f1": 0.85, "challenger_version": "8",
              "challenger_weighted_f1": 0.912}  # fmt: skip
    text = Page(decision_page(DECISION.model_copy(update=scores))).text
    assert "New version 0.912 weighted F1 of version 8 In production before 0.850 weighted F1 of version 7" in text
