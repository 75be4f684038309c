"""The page of a monitoring report, and its charts."""

from datetime import datetime, timedelta, timezone

from catalog.agreement import Quality
from checks.drift import Drift
from reports.monitoring_page import monitoring_page
from tests.reports.boxes import assert_nothing_collides, charts_of
from tests.reports.reading import Page
from tests.reports.values import a_drift, a_monitoring_report, a_quality


def test_the_page_contains_its_charts_and_loads_nothing() -> None:
    page = Page(monitoring_page(a_monitoring_report()))
    page.assert_it_loads_nothing()
    assert page.charts == 2


def test_names_reasons_and_terms_are_escaped() -> None:
    page = monitoring_page(a_monitoring_report())
    assert not {"b", "i", "u", "em", "script"} & Page(page).tags
    for escaped in ("rakuten&lt;i&gt;", "&lt;script&gt;eve", "Pools &lt;b&gt;&amp;", "&lt;u&gt;de", "&lt;em&gt;pool"):
        assert escaped in page


def test_the_page_shows_the_verdict_the_window_and_the_reasons() -> None:
    text = Page(monitoring_page(a_monitoring_report())).text
    assert text.startswith("rakuten<i>, version 7: drift Drift: language drifted;")
    assert "1,500 predictions since 2026-03-03 12:00 UTC, 1,234 different texts" in text
    assert "4,321 held-out listings. Measured at 2026-03-04 12:30 UTC." in text


def test_times_are_shown_in_utc() -> None:
    elsewhere = datetime(2026, 3, 4, 1, 15, tzinfo=timezone(timedelta(hours=2)))
    page = monitoring_page(a_monitoring_report().model_copy(update={"at": elsewhere}))
    assert "Measured at 2026-03-03 23:15 UTC." in Page(page).text


def test_quality_is_shown_beside_its_expectation() -> None:
    text = Page(monitoring_page(a_monitoring_report())).text
    assert "right answers 0.810 0.820 0.700 to 0.890 weighted F1 0.800 0.805" in text
    assert "By 60 reviewed predictions, 4.0% of the window, of which 50.0% were right." in text
    assert "The figures above are about the 83% of the window that are represented in this way" in text
    assert "Pools <b>& 12 0.750 0.500 to 0.900" in text
    assert "Plain users and simulators gave feedback 1,200 times and agreed with 90.0% of the answers." in text
    assert "<script>eve user 1,100 0.700 no rob reviewer 55 0.650 yes" in text


def test_drift_is_shown_column_by_column() -> None:
    text = Page(monitoring_page(a_monitoring_report())).text
    assert (
        "with an AUC of 0.91 (0.5: it cannot tell them apart; up to 0.56 can be chance), on 600 texts of each." in text
    )
    assert "Terms typical of current texts: <em>pool, tent." in text
    assert "title words 0.100 0.150 0.050 11.000 12.500 no language 0.400 0.120 0.200 yes" in text
    assert "language reference share current share <u>de 0.100 0.300 fr 0.800 0.700 en 0.100 0.000" in text


def test_only_the_categories_that_moved_most_are_shown() -> None:
    drift = a_drift()
    shares = {f"type {number}": (0.05, 0.05 + number / 1000) for number in range(20)}
    columns = (drift.columns[1].model_copy(update={"shares": shares}),)
    text = Page(monitoring_page(a_monitoring_report(drift=drift.model_copy(update={"columns": columns})))).text
    assert "type 19 0.050 0.069" in text
    assert "type 8 0.050 0.058" in text
    assert "type 7" not in text


def test_terms_are_left_out_when_texts_do_not_differ() -> None:
    drift = a_drift()
    assert drift.text is not None
    same = drift.model_copy(update={"text": drift.text.model_copy(update={"verdict": "ok"})})
    assert "Terms typical" not in monitoring_page(a_monitoring_report(drift=same))


def test_what_was_not_measured_says_why() -> None:
    drift = Drift(
        verdict="insufficient_data", reason="3 different texts in the window", rows=3, distinct_rows=3, reference_rows=9
    )
    quality = Quality(verdict="insufficient_data", reason="0 reviewed predictions", rows=0)
    page = Page(monitoring_page(a_monitoring_report(drift, quality)))
    assert "version 7: insufficient data" in page.text
    assert page.text.endswith(
        "Quality, by reviewed feedback Not measured: 0 reviewed predictions. "
        "Drift Not measured: 3 different texts in the window."
    )
    assert not page.charts


def test_quality_without_types_or_users_has_no_tables_for_them() -> None:
    quality = a_quality().model_copy(update={"per_type": (), "users_rows": 0, "disagreeing_users": ()})
    text = Page(monitoring_page(a_monitoring_report(quality=quality))).text
    for absent in ("predicted type", "Plain users", "mostly disagree"):
        assert absent not in text


def test_the_chart_of_drift_shows_each_distance_beside_its_limit_the_farthest_first() -> None:
    page = monitoring_page(a_monitoring_report())
    texts = Page(page).chart_texts
    assert texts.index("0.400 of 0.200") < texts.index("0.100 of 0.150")
    assert "limit" in texts
    chart = charts_of(page)[1]
    assert [bar.get("class") for bar in chart.iter("rect")] == ["bar drift", "bar ok"]


def test_a_column_far_beyond_its_limit_does_not_hide_the_others() -> None:
    drift = a_drift()
    far = drift.columns[1].model_copy(update={"score": 50.0})
    near = drift.columns[0]
    page = monitoring_page(a_monitoring_report(drift.model_copy(update={"columns": (far, near)})))
    widths = [float(bar.get("width", 0)) for bar in charts_of(page)[1].iter("rect")]
    assert widths[1] > widths[0] / 10


def test_no_text_of_a_chart_collides_with_another_one_or_with_a_line() -> None:
    charts = charts_of(monitoring_page(a_monitoring_report()))
    assert len(charts) == 2
    for chart in charts:
        assert_nothing_collides(chart)
