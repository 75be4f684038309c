"""Every page in a real browser: light, dark, on a phone, printed, and with its script."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe

from catalog.comparison import Decision, PairedDifference
from checks.data_report import DataReport, Example, Finding
from reports.data_report_page import data_report_page
from reports.decision_page import decision_page
from reports.evaluation_charts import evaluation_charts
from reports.evaluation_page import evaluation_page
from reports.label_audit_page import label_audit_page
from reports.monitoring_page import monitoring_page
from reports.rendering import script_source
from reports.service_page import service_page
from reports.table_page import first_rows_page
from tests.browser import chromium
from tests.reports.test_label_audit_page import RULES, SUSPECTS
from tests.reports.test_service_page import EMPTY, LATEST, LOOP
from tests.reports.values import TAXONOMY, a_monitoring_report, an_evaluation, an_evaluation_of_27_types

pytestmark = pytest.mark.browser
POLICY = f"default-src 'none'; script-src {script_source()}; style-src 'unsafe-inline'; img-src data:"
ADDRESS = "http://pages.test/"  # is answered by the test itself
DIFFERENCE = PairedDifference(rows=6_000, difference=0.06, lower=0.04, upper=0.08)
DECISION = Decision(promoted=True, reason="it is better", on_test=DIFFERENCE, type_losses={"Pools": 0.2})
FINDING = Finding(
    name="known_codes", description="prdtypecode is known", severity="critical", passed=False, observed="2 rows",
    examples=(Example(row=7, index="6", value="x"),),
)  # fmt: skip
PAGES = {
    "evaluation": lambda: evaluation_page(
        an_evaluation_of_27_types(), evaluation_charts(an_evaluation_of_27_types()), "Evaluation"
    ),
    "small evaluation": lambda: evaluation_page(an_evaluation(), evaluation_charts(an_evaluation()), "Evaluation"),
    "decision": lambda: decision_page(DECISION),
    "contract": lambda: data_report_page(DataReport(rows=9, findings=(FINDING, FINDING, FINDING), notes=("Note.",))),
    "label audit": lambda: label_audit_page(SUSPECTS, 20_000, TAXONOMY, RULES),
    "monitoring": lambda: monitoring_page(a_monitoring_report()),
    "service": lambda: service_page(EMPTY | {"latest": LATEST, "events": LOOP}),
    "table": lambda: first_rows_page(pd.DataFrame({"title": ["a", "b", "c"], "price": [3, 20, 1]})),
}
TEXTS_THAT_OVERLAP = """() => [...document.querySelectorAll("svg")].flatMap(svg => {
  const room = svg.viewBox.baseVal.width;
  const texts = [...svg.querySelectorAll("text:not([transform])")].map(text => [text.textContent, text.getBBox()]);
  const over = ([, one], [, other]) => one.x < other.x + other.width && other.x < one.x + one.width
    && one.y + 2 < other.y + other.height && other.y + 2 < one.y + one.height;
  return texts.flatMap((text, place) => [
    ...(text[1].x < 0 || text[1].x + text[1].width > room ? [text[0]] : []),
    ...texts.slice(place + 1).filter(other => over(text, other)).map(other => [text[0], other[0]]),
  ]);
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def opened(browser: Any, content: str, *, policy: str = POLICY, **settings: Any) -> Any:
    """A page with this content and policy, and everything that it said or asked for in `page.heard`."""
    context = browser.new_context(**settings)
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    headers = {"Content-Security-Policy": policy, "Content-Type": "text/html; charset=utf-8"}
    page.route("**/*", lambda route: route.fulfill(body=content, headers=headers))
    page.goto(ADDRESS)
    assert heard == []
    return page


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_of_accessibility(browser: Any, name: str, scheme: str) -> None:
    # axe is run in the page, which its policy would not let in
    page = opened(browser, PAGES[name](), policy="", color_scheme=scheme)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("name", PAGES)
def test_no_texts_of_a_chart_overlap_as_the_browser_draws_them(browser: Any, name: str) -> None:
    assert opened(browser, PAGES[name]()).evaluate(TEXTS_THAT_OVERLAP) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_need_not_scroll_the_page_to_the_side(browser: Any, name: str) -> None:
    page = opened(browser, PAGES[name](), viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("name", PAGES)
def test_a_printed_page_is_white_and_nothing_of_it_is_cut(browser: Any, name: str) -> None:
    page = opened(browser, PAGES[name](), color_scheme="dark", viewport={"width": 700, "height": 1000})
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("[...document.querySelectorAll('svg')].filter(svg => svg.clientWidth > 700).length") == 0
    assert page.evaluate("[...document.querySelectorAll('.scroll')].filter(part => "
                         "getComputedStyle(part).overflowX !== 'visible').length") == 0  # fmt: skip
    assert page.pdf().startswith(b"%PDF")


def test_a_click_on_a_columns_title_sorts_the_table_and_another_one_turns_it_around(browser: Any) -> None:
    page = opened(browser, PAGES["table"]())
    price = page.get_by_role("columnheader", name="price")
    for order, values in (("ascending", ["1", "3", "20"]), ("descending", ["20", "3", "1"])):
        price.get_by_role("button").press("Enter")
        assert price.get_attribute("aria-sort") == order
        assert page.locator("tbody td:nth-child(2)").all_inner_texts() == values


def test_without_scripts_the_page_is_whole_and_offers_nothing_that_does_not_work(browser: Any) -> None:
    page = opened(browser, PAGES["service"](), java_script_enabled=False)
    assert page.get_by_role("button").count() == 0
    assert not page.locator("#reload").is_visible()
    assert page.locator("svg").is_visible()


def test_a_script_that_is_not_ours_does_not_run_under_the_policy(browser: Any) -> None:
    page = opened(browser, PAGES["table"]())
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken over'";
      document.body.append(script);
    }""")
    assert page.title() == "First rows"
    assert any("Content Security Policy" in text for text in heard)


def test_the_service_page_loads_again_until_a_person_sorts_a_table_or_says_no(browser: Any) -> None:
    content = service_page(EMPTY | {"events": LOOP})
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    loads: list[str] = []
    page.route("**/*", lambda route: (loads.append(route.request.url), route.fulfill(
        body=content, content_type="text/html", headers={"Content-Security-Policy": POLICY})))  # fmt: skip
    page.goto(ADDRESS)
    with page.expect_navigation():
        page.clock.run_for(31_000)
    assert len(loads) == 2
    page.get_by_role("columnheader", name="outcome").first.get_by_role("button").click()
    assert not page.get_by_role("checkbox").is_checked()
    page.clock.run_for(120_000)
    assert len(loads) == 2
