"""A catalogue of a hundred thousand rows: the page stays usable while it is classified."""

import io
from time import perf_counter

import pandas as pd
import pytest

from catalog.synthetic import generate
from tests.bento.conftest import Service
from tests.ui.conftest import Tab, reached
from ui.listings.catalogue import PAGE_ROWS
from ui.listings.writing import csv_bytes, excel_bytes

ROWS = 100_000
_QUICK = 10  # seconds for a run of the page on a busy machine; it takes less than one


@pytest.fixture
def services(shared_service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    return reached(shared_service, monkeypatch)


def seconds(run: object) -> float:
    assert callable(run)
    start = perf_counter()
    run()
    return perf_counter() - start


@pytest.mark.system
def test_a_hundred_thousand_rows_are_classified_while_the_page_stays_usable(tab: Tab) -> None:
    listings = generate(ROWS, seed=5)[["designation", "description"]]
    tab.sign_in("ulf").open("catalogue")
    content = listings.to_csv(index=False, sep=";").encode()
    tab.app.file_uploader(key="catalogue_file").upload("large.csv", content, "text/csv")
    took = {"read": seconds(tab.app.run)}
    catalogue = tab.app.session_state["catalogue"]
    checked = catalogue.check()
    assert len(checked.listings) + len(checked.problems) == ROWS
    took["begin"] = seconds(lambda: tab.press(f"Classify {len(checked.listings):,} listings"))
    job = tab.app.session_state["catalogue_job"]
    while not len(job.answers):  # the first piece
        assert job.running
    took["while it runs"] = seconds(tab.app.run)
    took["another page"] = seconds(lambda: tab.open("history"))
    assert job.running
    took["classify"] = seconds(job.join)
    assert job.error is None
    took["done"] = seconds(lambda: tab.open("catalogue"))
    assert not tab.app.exception
    assert len(catalogue.answered()) == len(checked.listings)
    assert len(tab.app.data_editor[0].value) == PAGE_ROWS
    took["next page"] = seconds(tab.app.number_input[0].set_value(2).run)
    for name in ("begin", "while it runs", "another page", "done", "next page"):
        assert took[name] < _QUICK, took
    result = catalogue.result(dict.fromkeys(set(checked.problems.values()), "left out"), {})
    took["csv"] = seconds(lambda: csv_bytes(result, ";"))
    assert len(pd.read_excel(io.BytesIO(excel_bytes(result, "types")), engine="calamine")) == ROWS
    print({name: round(value, 2) for name, value in took.items()})  # noqa: T201 - pytest -s shows it
