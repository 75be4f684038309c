"""The page on which people review, on the real service."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from bento.settings import Settings
from catalog.synthetic import generate
from tests.bento.conftest import Service
from tests.ui.conftest import Tab, new_tab, reached
from ui.services import transport
from ui.services.review import ReviewService
from ui.services.transport import ServiceError

RIGHT, SKIP, UNDO = "That is right", "Skip", "Undo the last answer"
_SOME = generate(200, seed=3)


@pytest.fixture
def asked(services: Service) -> Service:
    """The service after a user has sent six listings."""
    for title, description in _SOME[["designation", "description"]].head(6).itertuples(index=False):
        listing = {"designation": title, "description": description or None}
        assert services.client.post("/predict", json=listing, headers=services.as_("ulf")).status_code == 200
    return services


@pytest.fixture
def review(asked: Service, tab: Tab) -> AppTest:
    """The page, as a reviewer sees it."""
    app = tab.sign_in("rita").open("review").app
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception


def in_hand(app: AppTest) -> dict[str, Any]:
    item: dict[str, Any] = app.session_state["review_desk"].item
    return item


def feedback(service: Service, item: dict[str, Any]) -> list[dict[str, Any]]:
    answer = service.client.get(f"/predictions/{item['prediction_id']}", headers=service.as_("ada"))
    given: list[dict[str, Any]] = answer.json()["feedback"]
    return given


def test_a_listing_is_shown_with_why_it_was_drawn_and_the_words_that_decided(review: AppTest) -> None:
    item = in_hand(review)
    said = "\n".join(text.value for text in review.markdown) + "\n".join(text.value for text in review.caption)
    assert "held for you until" in said
    assert ("not sure" in said) or ("at random" in said)
    assert str(item["predicted_code"]) in said
    assert any('<mark class="for">' in block.value for block in review.html)
    assert "Left to review:" in said


def test_right_is_stored_and_the_next_listing_follows(review: AppTest, asked: Service) -> None:
    first = in_hand(review)
    press(review, RIGHT)
    assert [given["correct_code"] for given in feedback(asked, first)] == [first["predicted_code"]]
    assert in_hand(review)["prediction_id"] != first["prediction_id"]
    assert {metric.label: metric.value for metric in review.metric}["Reviewed by you"] == "1"


def test_another_type_is_chosen_from_the_list_and_shown_among_the_changes(review: AppTest, asked: Service) -> None:
    first = in_hand(review)
    code = 10 if first["predicted_code"] != 10 else 40
    review.selectbox(key=f"review_type_{first['prediction_id']}").set_value(code)
    review.run()
    assert [given["correct_code"] for given in feedback(asked, first)] == [code]
    assert len(review.table) == 1
    assert f"\\({code}\\)" in review.table[0].value.iloc[0, 1]


def test_a_skipped_listing_is_not_offered_again(review: AppTest, asked: Service) -> None:
    skipped = []
    for _ in range(6):
        skipped.append(in_hand(review)["prediction_id"])
        press(review, SKIP)
    assert len(set(skipped)) == 6
    assert "Nothing is left to review now" in review.success[0].value
    assert feedback(asked, {"prediction_id": skipped[0]}) == []


def test_undo_takes_the_last_answer_back_and_shows_its_listing_again(review: AppTest, asked: Service) -> None:
    first = in_hand(review)
    press(review, RIGHT)
    press(review, UNDO)
    assert in_hand(review)["prediction_id"] == first["prediction_id"]
    assert feedback(asked, first) == []


def test_two_reviewers_never_have_the_same_listing_at_once(review: AppTest, asked: Service) -> None:
    other = new_tab().sign_in("ada").open("review").app
    for _ in range(3):  # one listing in twenty is for two reviewers, one after the other
        assert in_hand(review)["prediction_id"] != in_hand(other)["prediction_id"]
        press(review, RIGHT)
        press(other, RIGHT)


def test_an_answer_given_while_the_service_is_away_is_sent_when_it_is_back(
    review: AppTest, asked: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, reachable = in_hand(review), transport.connect

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    away = httpx.Client(base_url="http://service", transport=httpx.MockTransport(refuse))
    monkeypatch.setattr(transport, "connect", lambda _: away)
    press(review, RIGHT)
    assert "does not answer" in review.error[0].value
    assert "is kept here" in review.info[0].value
    monkeypatch.setattr(transport, "connect", reachable)
    press(review, "Try again")
    assert len(feedback(asked, first)) == 1


def test_an_answer_given_when_the_session_has_ended_is_sent_after_signing_in(
    review: AppTest, asked: Service, tab: Tab
) -> None:
    first = in_hand(review)
    ended = asked.client.post(f"/users/{asked.user('rita').id}/logout", headers=asked.as_("ada"))
    assert ended.status_code == 204
    press(review, RIGHT)
    assert review.title[0].value == "Sign in"
    assert feedback(asked, first) == []
    tab.sign_in("rita").open("review")
    assert len(feedback(asked, first)) == 1


def test_plain_users_do_not_see_the_page(asked: Service, tab: Tab) -> None:
    assert tab.sign_in("ulf").open("review").app.title[0].value != "Review"


def _busy(_: ReviewService) -> None:
    raise ServiceError("prediction", 503)


def test_users_review_too_where_the_service_says_so(
    settings: Settings, start: Callable[[Settings], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    reached(start(settings.model_copy(update={"review_users": True})), monkeypatch)
    tab = new_tab()
    with monkeypatch.context() as busy:
        busy.setattr(ReviewService, "status", _busy)
        tab.sign_in("uma")
    app = tab.open("review").app
    assert app.title[0].value == "Review"
    assert any("3 equal answers of users" in text.value for text in app.caption)
