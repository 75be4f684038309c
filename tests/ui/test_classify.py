"""One listing: its type, why, and what a person says on it."""

import pytest

from tests.bento.conftest import Service
from tests.ui.conftest import Tab, reached
from ui.marked_text import listing_html
from ui.model import Model
from ui.services.prediction import Explanation, Listing
from ui.types_table import types_html
from ui.views.classify import abstention

NAMES = {"for": "for", "against": "against"}
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def services(shared_service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    return reached(shared_service, monkeypatch)


def classify(tab: Tab, title: str, description: str = "") -> None:
    tab.app.text_input(key="classify_designation").set_value(title)
    tab.app.text_area(key="classify_description").set_value(description)
    tab.press("Classify")


def test_a_listing_gets_its_type_with_the_five_likeliest_and_the_words_that_decided(tab: Tab) -> None:
    tab.sign_in("ulf")
    classify(tab, "Piscine gonflable ronde", "avec pompe")
    assert not tab.app.exception
    assert tab.app.header[0].value == r"Pool \& accessories"
    assert tab.html.count('<th scope="row">') == 5
    assert "French" in tab.shown
    assert '<mark class="for">' in tab.html
    assert "Words for it" in tab.shown


def test_what_abstention_means_is_said(tab: Tab) -> None:
    tab.sign_in("ulf")
    classify(tab, "xyzzy")
    assert "its confidence is below 50%" in tab.shown


def test_a_listing_unlike_any_that_was_learned_is_marked(tab: Tab) -> None:
    tab.sign_in("ulf")
    classify(tab, "xyzzy")
    assert "This listing looks like nothing the model has learned from." in tab.shown
    classify(tab, "Piscine gonflable ronde", "avec pompe")
    assert "looks like nothing" not in tab.shown


def test_a_sure_answer_on_which_the_model_abstains_is_not_called_unsure() -> None:
    assert "below" not in abstention(0.9, 0.5)
    assert "before a person has checked it" in abstention(0.9, 0.5)
    assert "below 50%" in abstention(0.4, 0.5)


def test_a_blank_title_is_not_sent(tab: Tab) -> None:
    tab.sign_in("ulf")
    classify(tab, "  ")
    assert "The title is empty" in tab.shown


def test_right_is_one_click_and_can_be_taken_back(tab: Tab, services: Service) -> None:
    tab.sign_in("ulf")
    classify(tab, "Piscine gonflable ronde")
    tab.press("Right")
    assert r"Stored as **Pool \& accessories**" in tab.shown
    assert tab.app.session_state["verdict_given"]


def test_the_right_type_is_chosen_from_a_list_of_all(tab: Tab) -> None:
    tab.sign_in("ulf")
    classify(tab, "Piscine gonflable ronde")
    tab.press("Wrong")
    choice = tab.app.selectbox[0]
    assert len(choice.options) == 26  # all but the one that was predicted
    choice.select_index(choice.options.index("New books"))
    tab.press("Save")
    assert "Stored as **New books**" in tab.shown


def test_texts_and_labels_are_shown_and_never_run(tab: Tab) -> None:
    tab.sign_in("ulf")
    classify(tab, f"Piscine {SCRIPT} gonflable", f'<img src=x onerror="alert(1)"> {SCRIPT}')
    listing = next(element for element in tab.htmls if "listing" in element)
    assert "<script>" not in listing
    assert "<img" not in listing
    assert "&lt;img" in listing
    assert "alert(1)" in listing


def test_the_stronger_word_decides_where_two_overlap_and_spans_outside_are_cut() -> None:
    listing: Listing = {"designation": "<b> pool table", "description": None}
    explanation: Explanation = {
        "supporting": [{"term": "pool table", "field": "both", "contribution": 0.1,
                        "spans": [{"field": "designation", "start": 4, "end": 99}]}],
        "opposing": [{"term": "pool", "field": "both", "contribution": -0.5,
                      "spans": [{"field": "designation", "start": 4, "end": 8}]}],
    }  # fmt: skip
    html = listing_html(listing, explanation, NAMES)
    assert html.count("<mark") == 2
    assert '<mark class="against"><span class="unseen">[against] </span>pool</mark>' in html
    assert "&lt;b&gt;" in html


def test_a_label_of_the_taxonomy_is_escaped() -> None:
    html = types_html([{"code": 1, "label": SCRIPT, "confidence": 1.0}], SCRIPT)
    assert "<script>" not in html


def test_what_was_typed_is_there_after_signing_in_again(tab: Tab) -> None:
    tab.sign_in("ulf")
    classify(tab, "Piscine gonflable ronde")
    tab.app.session_state["login"].ended = True
    tab.app.run()
    assert tab.app.title[0].value == "Sign in"
    assert "what you typed is kept" in tab.shown
    tab.sign_in("ulf")
    assert tab.app.text_input(key="classify_designation").value == "Piscine gonflable ronde"


def test_another_user_finds_nothing_of_the_one_before(tab: Tab) -> None:
    tab.sign_in("ulf")
    classify(tab, "Piscine gonflable ronde")
    tab.app.session_state["login"].ended = True
    tab.app.run()
    tab.sign_in("uma")
    assert tab.app.text_input(key="classify_designation").value == ""
    assert not tab.app.header


def test_an_answer_whose_type_the_served_model_does_not_have_can_be_corrected(
    tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab.sign_in("ulf")
    other = Model("9", {10: "Used books", 2705: "New books"}, None, 0.0)
    monkeypatch.setattr("ui.model.served", lambda version=None: other)
    classify(tab, "Piscine gonflable ronde", "avec pompe")
    tab.press("Wrong")
    assert not tab.app.exception
    assert tab.app.selectbox[0].options == ["Used books", "New books"]
