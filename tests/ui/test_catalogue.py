"""A catalogue from the file to the stored corrections, and the history of what was asked."""

import pytest

from ledger.database import reading
from ledger.feedback import feedback_on
from tests.bento.conftest import Service
from tests.ui.conftest import Tab, reached

FILE = "sku;Titre;Description\n1;Piscine gonflable ronde;avec pompe\n2;;vide\n3;xyzzy;\n4;=1+1;\n".encode("cp1252")


@pytest.fixture
def services(shared_service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    return reached(shared_service, monkeypatch)


@pytest.fixture
def classified(tab: Tab) -> Tab:
    """A tab with three answers to a file of four rows."""
    tab.sign_in("ulf").open("catalogue")
    tab.app.file_uploader(key="catalogue_file").upload("mine.csv", FILE, "text/csv")
    tab.app.run()
    tab.press("Classify 3 listings")
    tab.app.session_state["catalogue_job"].join()
    tab.app.run()
    return tab


def test_a_file_is_read_and_its_columns_are_guessed(tab: Tab) -> None:
    tab.sign_in("ulf").open("catalogue")
    tab.app.file_uploader(key="catalogue_file").upload("mine.csv", FILE, "text/csv")
    tab.app.run()
    assert not tab.app.exception
    assert "4 rows" in tab.shown
    assert tab.app.selectbox(key="catalogue_title").value == 1
    assert tab.app.selectbox(key="catalogue_description").value == 2
    assert "1 row cannot be classified" in tab.shown


def test_rows_can_be_pasted(tab: Tab) -> None:
    tab.sign_in("ulf").open("catalogue")
    tab.app.text_area(key="catalogue_pasted").set_value("Title\tPrice\nRound pool\t12\n")
    tab.press("Read the rows")
    assert "1 row" in tab.shown
    assert [button.label for button in tab.app.button if "Classify" in button.label] == ["Classify 1 listing"]


def test_a_file_that_cannot_be_read_is_a_sentence(tab: Tab) -> None:
    tab.sign_in("ulf").open("catalogue")
    tab.app.file_uploader(key="catalogue_file").upload("mine.xlsx", b"no zip", "application/octet-stream")
    tab.app.run()
    assert "cannot be read" in tab.shown


def test_a_catalogue_is_classified_in_the_background(classified: Tab) -> None:
    assert not classified.app.exception
    assert "3 listings are classified" in classified.shown
    assert list(classified.app.session_state["catalogue"].answered().index) == [2, 4, 5]


def test_a_correction_in_the_table_becomes_feedback(classified: Tab, services: Service) -> None:
    catalogue = classified.app.session_state["catalogue"]
    classified.edit({0: {"predicted_type": "New books"}, 1: {"right": True}})
    assert set(catalogue.pending) == {2, 4}
    classified.press("Store 2 corrections")
    assert not catalogue.pending
    ids = catalogue.answered()["prediction_id"]
    with reading(services.engine) as connection:
        assert [given.correct_code for given in feedback_on(connection, [ids[2]])[ids[2]]] == [2705]
        agreed = [given.correct_code for given in feedback_on(connection, [ids[4]])[ids[4]]]
    assert agreed == [catalogue.answered().at[4, "predicted_code"]]


def test_a_correction_that_is_stored_can_be_corrected_and_stored_again(classified: Tab) -> None:
    catalogue = classified.app.session_state["catalogue"]
    for label, code in (("New books", 2705), ("Board games", 1281)):
        classified.edit({0: {"predicted_type": label}})
        classified.press("Store 1 correction")
        assert catalogue.stored == {2: code}
        assert not catalogue.pending


def test_a_correction_that_is_taken_back_before_it_is_stored_is_not_pending(classified: Tab) -> None:
    classified.edit({0: {"predicted_type": "New books"}})
    classified.edit({})
    assert not classified.app.session_state["catalogue"].pending


def test_the_filter_shows_the_uncertain_ones(classified: Tab) -> None:
    classified.app.segmented_control(key="catalogue_shown").set_value("uncertain").run()
    assert not classified.app.exception
    titles = list(classified.app.session_state["catalogue_view"].table["title"])
    assert "Piscine gonflable ronde" not in titles


def test_signing_out_stops_the_work_and_forgets_the_catalogue(classified: Tab) -> None:
    job = classified.app.session_state["catalogue_job"]
    classified.press("Sign out")
    assert job._work.stop.is_set()
    assert "catalogue" not in classified.app.session_state


def test_another_catalogue_begins_again(classified: Tab) -> None:
    classified.press("Begin again")
    assert "catalogue" not in classified.app.session_state
    assert "A CSV or Excel file" in classified.shown
