"""Review for people: a listing is handed out, held, answered, taken back; and the figures are those of the answers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from bento.settings import Settings
from ledger.database import reading
from ledger.feedback import read_feedback
from ledger.predictions import read_erased
from ledger.tables import AuditRow
from tests.bento.conftest import METRICS_TOKEN, Service
from tests.bento.test_predictions import correct, predict

Start = Callable[[Settings], Service]


@pytest.fixture(autouse=True)
def last_digits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The last digits of the next ids; of the others it is 1, which is not in the random sample. None is for two."""
    digits: list[str] = []

    def draw() -> str:
        return f"{str(uuid4())[:-5]}ffff{digits.pop(0) if digits else 1}"

    monkeypatch.setattr("bento.answerer.uuid4", draw)
    return digits


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"review_random_share": 0})


@pytest.fixture
def where_users_review(start: Start, settings: Settings) -> Service:
    return start(settings.model_copy(update={"review_users": True, "review_quorum": 2}))


def post(service: Service, username: str, path: str, **body: Any) -> Any:
    return service.client.post(path, headers=service.as_(username), json=body)


def claim(service: Service, username: str, **body: Any) -> Any:
    answer = post(service, username, "/review/claim", **body)
    assert answer.status_code == 200, answer.text
    return answer.json()["item"]


def status(service: Service, username: str = "rita") -> Any:
    return service.client.get("/review/status", headers=service.as_(username)).json()


def take_back(service: Service, username: str, feedback_id: int) -> int:
    return service.client.delete(f"/feedback/{feedback_id}", headers=service.as_(username)).status_code


def test_a_claimed_listing_is_shown_with_its_answer_and_held_for_the_caller(service: Service) -> None:
    unsure, sure = (predict(service, {"designation": title}) for title in ("Objet", "Piscine gonflable ronde"))
    item = claim(service, "rita")
    assert {key: item[key] for key in ("prediction_id", "designation", "predicted_class", "drawn")} == {
        "prediction_id": unsure["prediction_id"], "designation": "Objet", "predicted_class": unsure["predicted_class"],
        "drawn": "uncertain",
    }  # fmt: skip
    held = datetime.fromisoformat(item["held_until"]) - datetime.now(UTC)
    assert timedelta(seconds=290) < held <= timedelta(seconds=300)
    assert claim(service, "rita")["prediction_id"] == unsure["prediction_id"]
    assert claim(service, "ada")["prediction_id"] == sure["prediction_id"]
    assert status(service)["held"] == 2
    correct(service, "rita", prediction_id=unsure["prediction_id"], correct_code=10)
    assert claim(service, "rita") is None
    assert (status(service)["held"], status(service)["uncertain_left"]) == (1, 1)


def test_only_reviewers_review(service: Service) -> None:
    prediction = predict(service, {"designation": "Objet"})["prediction_id"]
    for path, body in (("/review/claim", {}), ("/review/release", {"prediction_id": prediction})):
        assert post(service, "ulf", path, **body).status_code == 403
        assert service.client.post(path, json=body).status_code == 401
    assert service.client.get("/review/status", headers=service.as_("ulf")).status_code == 403


def test_a_certain_listing_can_be_claimed_unless_somebody_else_holds_it(service: Service) -> None:
    first, second = (predict(service, {"designation": title})["prediction_id"] for title in ("Objet", "Lot"))
    assert claim(service, "rita", prediction_id=second)["prediction_id"] == second
    refused = post(service, "ada", "/review/claim", prediction_id=second)
    assert (refused.status_code, refused.json()["detail"]) == (409, "somebody else reviews this listing now")
    assert post(service, "ada", "/review/claim", prediction_id="nowhere").status_code == 404
    assert claim(service, "ada")["prediction_id"] == first


def test_a_listing_is_released_or_skipped_for_good(service: Service) -> None:
    first, second = (predict(service, {"designation": title})["prediction_id"] for title in ("☃", "Piscine gonflable"))
    assert claim(service, "rita")["prediction_id"] == first
    assert post(service, "rita", "/review/release", prediction_id=first).status_code == 204
    assert claim(service, "ada")["prediction_id"] == first
    assert post(service, "ada", "/review/release", prediction_id=first, skip=True).status_code == 204
    assert claim(service, "ada")["prediction_id"] == second
    assert claim(service, "rita", skipped=[second])["prediction_id"] == first
    assert post(service, "rita", "/review/release", prediction_id="nowhere").status_code == 404


def test_a_share_of_the_random_sample_is_handed_out_in_between(
    start: Start, settings: Settings, last_digits: list[str]
) -> None:
    service = start(settings.model_copy(update={"review_random_share": 1}))
    last_digits += "10"
    uncertain, sampled = (predict(service, {"designation": title})["prediction_id"] for title in ("☃", "Piscine"))
    assert [(item["prediction_id"], item["drawn"]) for item in (claim(service, "rita"), claim(service, "ada"))] == [
        (sampled, "random"), (uncertain, "uncertain"),
    ]  # fmt: skip
    assert (status(service)["uncertain_left"], status(service)["random_left"]) == (1, 1)
    metrics = service.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text
    assert 'review_claims_total{outcome="random"} 1.0' in metrics


def test_feedback_is_taken_back_by_the_one_who_gave_it_and_the_listing_is_in_the_queue_again(service: Service) -> None:
    prediction = predict(service, {"designation": "Objet"})["prediction_id"]
    given = correct(service, "rita", prediction_id=prediction, correct_code=10).json()["feedback_id"]
    assert claim(service, "ada") is None
    for username in ("ulf", "ada"):
        assert take_back(service, username, given) == 404
    assert [take_back(service, "rita", given), take_back(service, "rita", given)] == [204, 404]
    assert claim(service, "rita", prediction_id=prediction)["prediction_id"] == prediction
    url = service.settings.database_url
    assert read_feedback(url, "rakuten").empty, "no later training may learn from it"
    with reading(service.engine) as connection:
        columns = (AuditRow.actor, AuditRow.subject_id, AuditRow.detail)
        trail = connection.execute(select(*columns).where(AuditRow.event == "feedback withdrawn")).all()
    assert [tuple(row) for row in trail] == [("rita", prediction, {"feedback": given})]
    service.client.delete("/me/predictions", headers=service.as_("ulf"))
    assert read_erased(url) == {prediction}, "a training may have copied the listing before"


def test_feedback_that_is_taken_back_leaves_what_the_caller_said_before(service: Service) -> None:
    prediction = predict(service, {"designation": "Objet"})["prediction_id"]
    correct(service, "rita", prediction_id=prediction, correct_code=10)
    second = correct(service, "rita", prediction_id=prediction, correct_code=40).json()["feedback_id"]
    assert take_back(service, "rita", second) == 204
    assert read_feedback(service.settings.database_url, "rakuten")["prdtypecode"].tolist() == [10]
    assert claim(service, "ada") is None


def test_where_users_review_they_answer_listings_of_others_that_they_hold(where_users_review: Service) -> None:
    service = where_users_review
    first, second = (predict(service, {"designation": title})["prediction_id"] for title in ("☃", "Piscine gonflable"))
    assert correct(service, "uma", prediction_id=first, correct_code=10).status_code == 404
    assert claim(service, "uma")["prediction_id"] == first
    assert correct(service, "uma", prediction_id=second, correct_code=10).status_code == 404
    assert correct(service, "uma", prediction_id=first, correct_code=10).status_code == 200
    assert correct(service, "uma", prediction_id=first, correct_code=40).status_code == 404, "the hold has ended"
    assert claim(service, "uma")["prediction_id"] == second
    assert claim(service, "ulf")["prediction_id"] == first, "an own prediction"
    correct(service, "ulf", prediction_id=first, correct_code=10)
    assert claim(service, "rita") is None, "two users agree on the first, and uma holds the second"
    assert service.client.get("/review", headers=service.as_("ulf")).status_code == 403
    feedback = read_feedback(service.settings.database_url, "rakuten")
    assert feedback["trusted"].tolist() == [False, False]
    assert status(service, "uma")["settings"] == {
        "users": True, "quorum": 2, "random_share": 0, "hold_seconds": 300,
    }  # fmt: skip


def test_a_user_reads_a_listing_of_others_while_holding_it_without_what_others_said(
    where_users_review: Service,
) -> None:
    service = where_users_review
    prediction = predict(service, {"designation": "Piscine gonflable"}, username="ulf")["prediction_id"]
    correct(service, "ulf", prediction_id=prediction, correct_code=10)

    def read(username: str) -> Any:
        path = f"/predictions/{prediction}?explain=true"
        return service.client.get(path, headers=service.as_(username))

    assert read("uma").status_code == 404
    assert claim(service, "uma")["prediction_id"] == prediction
    shown = read("uma").json()
    assert shown["explanation"]["supporting"]
    assert shown["feedback"] == []
    assert len(read("ulf").json()["feedback"]) == len(read("rita").json()["feedback"]) == 1
    post(service, "uma", "/review/release", prediction_id=prediction, skip=False)
    assert read("uma").status_code == 404


def test_the_status_says_how_far_reviewers_agree_and_what_they_change(service: Service) -> None:
    assert status(service)["agreement"] == {"listings": 0, "equal": 0, "share": None}
    titles = ("Piscine gonflable", "Piscine ronde", "Piscine", "Canapé d'angle gris")
    pools = [predict(service, {"designation": title}) for title in titles]
    assert [answer["predicted_code"] for answer in pools] == [2583, 2583, 2583, 1560]
    for number, reviewer, code in (
        (0, "rita", 10), (0, "ada", 10), (1, "rita", 2583), (1, "ada", 10), (2, "ada", 40), (2, "ada", 2583),
        (2, "ulf", 10),
    ):  # fmt: skip
        correct(service, reviewer, prediction_id=pools[number]["prediction_id"], correct_code=code)
    found = status(service)
    assert (found["uncertain_left"], found["reviewed"], found["reviewed_by_me"]) == (1, 3, 2)
    assert found["agreement"] == {"listings": 2, "equal": 1, "share": 0.5}
    assert found["changed"] == {
        "reviews": 3, "changed": 2, "share": pytest.approx(2 / 3),
        "pairs": [{"from_code": 2583, "from_label": "Pool & accessories", "to_code": 10, "to_label": "Used Books",
                   "count": 2}],
    }  # fmt: skip
