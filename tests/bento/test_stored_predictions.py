"""A stored prediction: who may see it, whose names are in it, and when it is explained."""

from typing import Any

import pytest

from ledger.database import writing
from ledger.predictions import PredictionRecord, store_predictions
from ledger.users import delete_user
from tests.bento.conftest import Service, now
from tests.bento.test_predictions import POOL, correct, predict

OF_ANOTHER = PredictionRecord(
    "stored-before", "", "Piscine gonflable", None, 2583, 0.9, False, False, "fr", "rakuten", "6", now()
)  # fmt: skip


def show(service: Service, username: str, prediction_id: str, **parameters: str) -> Any:
    return service.client.get(f"/predictions/{prediction_id}", headers=service.as_(username), params=parameters)


def store(service: Service, record: PredictionRecord) -> None:
    """Store a prediction of the user `ulf`."""
    stored = record._replace(user_id=service.user("ulf").id)
    with writing(service.engine) as connection:
        store_predictions(connection, [stored])


def test_its_owner_and_reviewers_see_a_prediction_and_to_others_it_does_not_exist(service: Service) -> None:
    prediction = predict(service, POOL)
    for username, status in {"ulf": 200, "rita": 200, "ada": 200, "uma": 404}.items():
        answer = show(service, username, prediction["prediction_id"])
        assert answer.status_code == status, username
    assert answer.json()["detail"] == show(service, "uma", "no-such-id").json()["detail"]
    assert service.client.get(f"/predictions/{prediction['prediction_id']}").status_code == 401


def test_a_prediction_is_shown_as_it_was_answered(service: Service) -> None:
    prediction = predict(service, POOL)
    shown = show(service, "ulf", prediction["prediction_id"]).json()
    common = prediction.keys() & shown.keys()
    assert {key: shown[key] for key in common} == {key: prediction[key] for key in common}
    assert {key: shown[key] for key in POOL} == POOL
    assert (shown["model_name"], shown["model_version"], shown["served"]) == ("rakuten", "7", True)
    assert shown["feedback"] == []
    assert not shown.keys() & {"explanation", "user_id"}


def test_a_user_sees_the_feedback_of_others_without_their_names(service: Service) -> None:
    prediction_id = predict(service, POOL)["prediction_id"]
    correct(service, "ulf", prediction_id=prediction_id, correct_code=10)
    correct(service, "rita", prediction_id=prediction_id, correct_code=2583)
    to_owner, to_reviewer = (show(service, name, prediction_id).json()["feedback"] for name in ("ulf", "rita"))
    assert [(item["role"], item["correct_code"], item.get("given_by")) for item in to_owner] == [
        ("user", 10, "ulf"), ("reviewer", 2583, None),
    ]  # fmt: skip
    assert [item["given_by"] for item in to_reviewer] == ["ulf", "rita"]
    assert to_owner[1]["correct_label"] == "Pool & accessories"
    assert service.user("rita").id not in show(service, "ulf", prediction_id).text


def test_the_feedback_of_a_deleted_user_stays_under_the_id(service: Service) -> None:
    prediction_id = predict(service, POOL)["prediction_id"]
    correct(service, "rita", prediction_id=prediction_id, correct_code=10)
    user_id = service.user("rita").id
    with writing(service.engine) as connection:
        delete_user(connection, user_id, now())
    assert [item["given_by"] for item in show(service, "ada", prediction_id).json()["feedback"]] == [user_id]


def test_the_explanation_is_the_one_that_the_answer_had(service: Service) -> None:
    prediction = predict(service, POOL, params={"explain": "true"})
    shown = show(service, "rita", prediction["prediction_id"], explain="true").json()
    assert shown["explanation"] == prediction["explanation"]


@pytest.mark.parametrize(
    ("record", "label"),
    [(OF_ANOTHER, "Pool & accessories"), (OF_ANOTHER._replace(model_name="other-shop", model_version="7"), None)],
)
def test_an_answer_of_another_version_or_model_is_shown_and_not_explained(
    service: Service, record: PredictionRecord, label: str | None
) -> None:
    store(service, record)
    answer = show(service, "ulf", record.id, explain="true")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["served"], shown.get("predicted_class"), "explanation" in shown) == (False, label, False)


def test_what_predict_does_not_explain_is_not_explained_later(service: Service) -> None:
    store(service, OF_ANOTHER._replace(model_version="7", description="piscine " * 1_300))
    assert show(service, "ulf", OF_ANOTHER.id).status_code == 200
    answer = show(service, "ulf", OF_ANOTHER.id, explain="true")
    assert answer.status_code == 422
    assert "more than 10,000 characters is not explained" in answer.text


def test_an_erased_prediction_is_no_longer_shown(service: Service) -> None:
    prediction_id = predict(service, POOL)["prediction_id"]
    service.client.delete("/me/predictions", headers=service.as_("ulf"))
    assert show(service, "ulf", prediction_id).status_code == 404


def test_of_much_feedback_the_newest_is_shown(service: Service) -> None:
    prediction_id = predict(service, POOL)["prediction_id"]
    for number in range(102):
        correct(service, "ulf", prediction_id=prediction_id, correct_code=(10, 2583)[number % 2])
    shown = show(service, "ulf", prediction_id).json()["feedback"]
    assert (len(shown), shown[-1]["correct_code"]) == (100, 2583)


def own(service: Service, username: str, **parameters: Any) -> Any:
    return service.client.get("/me/predictions", headers=service.as_(username), params=parameters)


def test_a_user_lists_the_own_predictions_page_by_page_the_newest_first(service: Service) -> None:
    asked = [predict(service, {"designation": f"Piscine {number}"})["prediction_id"] for number in range(5)]
    predict(service, POOL, username="uma")
    pages = [own(service, "ulf", limit=2).json()]
    while pages[-1]["next"]:
        pages.append(own(service, "ulf", limit=2, before=pages[-1]["next"]).json())
    assert [[item["prediction_id"] for item in page["items"]] for page in pages] == [
        asked[:2:-1], asked[2:0:-1], asked[:1],
    ]  # fmt: skip
    assert own(service, "rita").json() == {"items": [], "next": None}
    assert service.client.get("/me/predictions").status_code == 401


def test_the_list_shows_a_prediction_as_its_own_page_does(service: Service) -> None:
    prediction_id = predict(service, POOL)["prediction_id"]
    predict(service, POOL)
    correct(service, "ulf", prediction_id=prediction_id, correct_code=10)
    correct(service, "rita", prediction_id=prediction_id, correct_code=2583)
    latest, first = own(service, "ulf").json()["items"]
    alone = show(service, "ulf", prediction_id).json()
    without = alone.keys() - {"feedback"}
    assert {key: first[key] for key in without} == {key: alone[key] for key in without}
    assert [(given["role"], given["given_by"]) for given in first["feedback"]] == [("user", "ulf"), ("reviewer", None)]
    assert latest["feedback"] == []
    assert "explanation" not in first


@pytest.mark.parametrize("before", ["", "x", "17.", ".id", "99999999999999999999.id", "1.a/b"])
def test_a_place_in_the_list_that_no_page_has_named_is_refused(service: Service, before: str) -> None:
    assert own(service, "ulf", before=before).status_code == 422
