"""Predictions and feedback, as a caller sees them."""

import sqlite3
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from bento.schemas import BatchAnswer, Prediction
from bento.settings import Settings
from catalog.predictor import Predictor
from ledger.database import reading
from ledger.tables import FeedbackRow, PredictionRow
from tests.bento.conftest import METRICS_TOKEN, Service

Start = Callable[[Settings], Service]
POOL = {"designation": "Piscine gonflable ronde", "description": "<p>avec pompe</p>"}


def predict(service: Service, listing: dict[str, Any], username: str = "ulf", **more: Any) -> dict[str, Any]:
    answer = service.client.post("/predict", headers=service.as_(username), json=listing, **more)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def correct(service: Service, username: str, **correction: Any) -> Any:
    return service.client.post("/feedback", headers=service.as_(username), json=correction)


def rows(service: Service, table: type[Any]) -> int:
    with reading(service.engine) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_listing_gets_its_type_and_the_answer_is_stored(service: Service, predictor: Predictor) -> None:
    answer = predict(service, POOL)
    expected = predictor.predict_top_k(POOL["designation"], POOL["description"])
    assert answer["predicted_class"] == "Pool & accessories"
    assert answer["predicted_code"] == 2583
    assert answer["confidence"] == pytest.approx(expected.confidence)
    assert [entry["code"] for entry in answer["top_k"]] == [code for code, _, _ in expected.top_k]
    assert answer["abstained"] is expected.abstained
    assert (answer["language"], answer["model_version"]) == ("fr", "7")
    assert "explanation" not in answer
    with reading(service.engine) as connection:
        stored = connection.execute(select(PredictionRow.id, PredictionRow.user_id, PredictionRow.designation)).all()
    assert [tuple(row) for row in stored] == [(answer["prediction_id"], service.user("ulf").id, POOL["designation"])]


def test_the_caller_says_how_many_of_the_likeliest_types_an_answer_has(service: Service) -> None:
    ranked = predict(service, POOL, params={"top": 10})["top_k"]
    assert len({entry["code"] for entry in ranked}) == 10
    assert sorted(ranked, key=lambda entry: -entry["confidence"]) == ranked
    for top in (1, 5):
        assert predict(service, POOL, params={"top": top})["top_k"] == ranked[:top]
    body, headers = {"listings": [POOL, {"designation": "Pot"}]}, service.as_("ulf")
    batch = service.client.post("/predict/batch", headers=headers, params={"top": 2}, json=body).json()["results"]
    assert [len(entry["prediction"]["top_k"]) for entry in batch] == [2, 2]
    assert batch[0]["prediction"]["top_k"] == ranked[:2]
    for top in ("0", "11", "many"):
        for path, content in (("/predict", POOL), ("/predict/batch", body)):
            assert service.client.post(path, headers=headers, params={"top": top}, json=content).status_code == 422


def test_the_answer_to_a_listing_that_says_little_abstains_and_is_stored_as_such(service: Service) -> None:
    unclear, clear = predict(service, {"designation": "☃"}), predict(service, POOL)
    assert unclear["confidence"] < 0.5 < clear["confidence"]  # the threshold of this model
    assert (unclear["abstained"], clear["abstained"]) == (True, False)
    with reading(service.engine) as connection:
        stored = connection.execute(select(PredictionRow.id, PredictionRow.abstained)).all()
    assert {tuple(row) for row in stored} == {(unclear["prediction_id"], True), (clear["prediction_id"], False)}


def test_the_answer_to_a_listing_unlike_any_learned_says_so_and_that_to_a_usual_one_does_not(service: Service) -> None:
    strange, usual = {"designation": "☃ ☂"}, POOL
    headers = service.as_("ulf")
    one, other = predict(service, strange), predict(service, usual)
    assert one["novelty"] is True
    assert "novelty" not in other
    results = service.client.post("/predict/batch", headers=headers, json={"listings": [usual, strange]}).json()
    assert ["novelty" in item["prediction"] for item in results["results"]] == [False, True]
    for answer in (one, other):
        stored = service.client.get(f"/predictions/{answer['prediction_id']}", headers=headers).json()
        assert stored.get("novelty") == answer.get("novelty")
    metrics = service.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text
    assert "predictions_novel_total 2.0" in metrics


def test_an_explanation_names_terms_for_and_against(service: Service) -> None:
    explanation = predict(service, POOL, params={"explain": "true"})["explanation"]
    assert explanation["supporting"][0]["contribution"] > 0
    assert all(reason["contribution"] < 0 for reason in explanation["opposing"])
    piscine = next(reason for reason in explanation["supporting"] if reason["term"] == "piscine")
    assert piscine["spans"] == [{"field": "designation", "start": 0, "end": 7}]


@pytest.mark.parametrize(
    "listing",
    [{}, {"designation": ""}, {"designation": "  "}, {"designation": "\u200b\u3164"}, {"designation": None},
     {"designation": 7}, {"designation": "x" * 10_001}, {"designation": "x", "description": "y" * 20_001},
     {"designation": "a\0b"},
     {"designation": "x", "colour": "red"}, [], "x", None],
)  # fmt: skip
def test_an_invalid_listing_is_refused_and_its_field_named(service: Service, listing: Any) -> None:
    answer = service.client.post("/predict", headers=service.as_("ulf"), json=listing)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"].startswith("body")
    assert rows(service, PredictionRow) == 0


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"designation": "\\ud800"}', b'{"\\ud800": 1}', b"[" * 50_000]
)
def test_a_body_that_is_not_json_is_refused(service: Service, body: bytes) -> None:
    answer = service.client.post(
        "/predict", headers=service.as_("ulf") | {"content-type": "application/json"}, content=body
    )
    assert answer.status_code in (400, 422)


def test_a_batch_answers_each_listing_on_its_own(service: Service) -> None:
    listings = [POOL, {"designation": ""}, {"title": "x"}, 7, {"designation": "Canapé d'angle gris"}]
    answer = service.client.post("/predict/batch", headers=service.as_("ulf"), json={"listings": listings})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [entry["index"] for entry in results] == [0, 1, 2, 3, 4]
    assert ["prediction" in entry for entry in results] == [True, False, False, False, True]
    assert results[1]["errors"][0]["field"] == "designation"
    assert rows(service, PredictionRow) == 2


def test_a_batch_gets_the_same_answers_as_single_requests(service: Service) -> None:
    listings = [POOL, {"designation": "Jeu PS4 occasion"}, {"designation": "Dog collar"}]
    answer = service.client.post("/predict/batch", headers=service.as_("ulf"), json={"listings": listings}).json()
    for listing, entry in zip(listings, answer["results"], strict=True):
        alone = predict(service, listing)
        assert entry["prediction"] | {"prediction_id": ""} == alone | {"prediction_id": ""}


def test_answers_are_what_the_documented_models_write(service: Service) -> None:
    headers = service.as_("ulf")
    alone = service.client.post("/predict", headers=headers, params={"explain": "true"}, json=POOL).content
    assert Prediction.model_validate_json(alone).model_dump_json(exclude_none=True).encode() == alone
    listings = [POOL, {"designation": "Canapé\u2028 œuf 中"}, {"designation": ""}, {"designation": "x" * 3_000}]
    batch = service.client.post("/predict/batch", headers=headers, json={"listings": listings}).content
    assert BatchAnswer.model_validate_json(batch).model_dump_json(exclude_none=True).encode() == batch


@pytest.mark.parametrize("size", [0, 1_001])
def test_a_batch_has_between_one_and_a_thousand_listings(service: Service, size: int) -> None:
    answer = service.client.post("/predict/batch", headers=service.as_("ulf"), json={"listings": [POOL] * size})
    assert answer.status_code == 422


def test_feedback_belongs_to_a_prediction_and_repeated_feedback_is_stored_once(service: Service) -> None:
    prediction = predict(service, POOL)
    first = correct(service, "ulf", prediction_id=prediction["prediction_id"], correct_label="Furniture").json()
    label = " FURNI\u00adture\u200b"  # looks the same
    again = correct(service, "ulf", prediction_id=prediction["prediction_id"], correct_label=label).json()
    assert first == {
        "feedback_id": first["feedback_id"], "prediction_id": prediction["prediction_id"], "correct_code": 1560,
        "correct_label": "Furniture", "created": True, "status": "success",
    }  # fmt: skip
    assert again == first | {"created": False}
    assert rows(service, FeedbackRow) == 1


def test_feedback_without_an_id_is_about_the_callers_last_prediction(service: Service) -> None:
    assert correct(service, "ulf", correct_code=10).status_code == 404
    predict(service, POOL)
    last = predict(service, {"designation": "Canapé d'angle gris"})
    predict(service, POOL, username="uma")
    assert correct(service, "ulf", correct_code=1560).json()["prediction_id"] == last["prediction_id"]


def test_feedback_with_a_text_is_about_the_callers_newest_prediction_of_that_very_text(service: Service) -> None:
    predict(service, POOL)
    newest = predict(service, POOL)
    predict(service, POOL | {"description": "avec pompe"})
    predict(service, {"designation": "Canapé d'angle gris"})
    predict(service, POOL, username="rita")
    sent = POOL | {"predicted_label": newest["predicted_class"], "correct_label": "Furniture"}
    answer = correct(service, "ulf", **sent)
    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    assert (answer.json()["prediction_id"], answer.json()["correct_code"]) == (newest["prediction_id"], 1560)
    assert correct(service, "ulf", **sent).json() == answer.json() | {"created": False}
    by_code = correct(service, "ulf", **POOL, correct_code=10).json()
    assert (by_code["prediction_id"], by_code["created"]) == (newest["prediction_id"], True)
    assert rows(service, FeedbackRow) == 2


@pytest.mark.parametrize("predicted", [{}, {"description": None}, {"description": ""}])
@pytest.mark.parametrize("corrected", [{}, {"description": None}, {"description": ""}])
def test_no_description_and_an_empty_one_are_the_same_text(
    service: Service, predicted: dict[str, Any], corrected: dict[str, Any]
) -> None:
    prediction = predict(service, {"designation": "Canapé"} | predicted)
    answer = correct(service, "ulf", designation="Canapé", correct_code=1560, **corrected)
    assert answer.json()["prediction_id"] == prediction["prediction_id"]


@pytest.mark.parametrize(
    "text",
    [{"designation": POOL["designation"]}, POOL | {"description": "avec pompe"}, POOL | {"designation": "Piscine"},
     POOL | {"designation": POOL["designation"].upper()}, POOL | {"designation": f"{POOL['designation']} "}],
)  # fmt: skip
def test_feedback_on_a_text_that_the_caller_has_not_asked_about_is_answered_404_with_the_reason(
    service: Service, text: dict[str, str]
) -> None:
    predict(service, POOL)
    predict(service, text, username="uma")
    answer = correct(service, "ulf", **text, predicted_label="Furniture", correct_label="Furniture")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("you have no prediction of this text")
    assert rows(service, FeedbackRow) == 0


def test_feedback_on_the_longest_text_is_taken(service: Service) -> None:
    longest = {"designation": "é" * 10_000, "description": "ü" * 20_000}
    prediction = predict(service, longest)["prediction_id"]
    answer = correct(service, "ulf", **longest, predicted_label="Furniture", correct_label="Furniture")
    assert (answer.status_code, answer.json().get("prediction_id")) == (200, prediction)


def test_users_correct_their_own_predictions_and_reviewers_all(service: Service) -> None:
    prediction = predict(service, POOL)["prediction_id"]
    assert correct(service, "uma", prediction_id=prediction, correct_code=10).status_code == 404
    assert correct(service, "rita", prediction_id=prediction, correct_code=2583).status_code == 200
    assert correct(service, "ada", prediction_id=prediction, correct_code=2583).status_code == 200
    assert correct(service, "rita", prediction_id="nowhere", correct_code=10).status_code == 404
    with reading(service.engine) as connection:
        assert set(connection.execute(select(FeedbackRow.role)).scalars()) == {"reviewer", "admin"}


@pytest.mark.parametrize(
    "correction",
    [{}, {"correct_code": 10, "correct_label": "Used Books"}, {"correct_code": 31337}, {"correct_label": "Spaceships"},
     {"correct_code": "ten"}, {"correct_code": 10**30}, POOL, POOL | {"correct_label": "Spaceships"}],
)  # fmt: skip
def test_a_correction_names_one_type_of_the_taxonomy(service: Service, correction: dict[str, Any]) -> None:
    predict(service, POOL)
    assert correct(service, "ulf", **correction).status_code == 422
    assert rows(service, FeedbackRow) == 0


@pytest.mark.parametrize(
    "more",
    [{"description": "<p>avec pompe</p>"}, {"predicted_label": "Furniture"}, POOL | {"prediction_id": "x"},
     POOL | {"designation": " "}, POOL | {"colour": "red"}, {"predicted_class": "Furniture"}],
)  # fmt: skip
def test_a_correction_names_one_prediction_and_has_no_other_fields(service: Service, more: dict[str, Any]) -> None:
    predict(service, POOL)
    assert correct(service, "ulf", correct_code=10, **more).status_code == 422
    assert rows(service, FeedbackRow) == 0


def test_the_review_queue_begins_with_the_least_certain_and_leaves_out_the_reviewed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bento.answerer.uuid4", lambda: f"{str(uuid4())[:-1]}1")  # none is in the random sample
    for title in ("Piscine gonflable ronde", "Objet", "Lot de 3", "Canapé d'angle gris", "abc"):
        predict(service, {"designation": title})
    assert service.client.get("/review", headers=service.as_("ulf")).status_code == 403
    queue = service.client.get("/review", headers=service.as_("rita")).json()
    assert len(queue) == 5
    order = [(not entry["abstained"], entry["confidence"]) for entry in queue]
    assert order == sorted(order)
    correct(
        service, "ulf", prediction_id=queue[1]["prediction_id"], correct_code=10
    )  # feedback of a user does not count as a review
    correct(service, "rita", prediction_id=queue[0]["prediction_id"], correct_code=10)
    left = service.client.get("/review", headers=service.as_("rita")).json()
    assert left == queue[1:]
    page = service.client.get("/review", headers=service.as_("rita"), params={"limit": 2, "offset": 1}).json()
    assert page == queue[2:4]


def test_the_random_sample_has_a_queue_of_its_own_and_is_never_offered_by_uncertainty(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = iter("0a00f")
    monkeypatch.setattr("bento.answerer.uuid4", lambda: f"{str(uuid4())[:-1]}{next(digits)}")
    asked = [
        predict(service, {"designation": title})["prediction_id"] for title in ("Objet", "Lot", "Bac", "Pot", "abc")
    ]
    rita = service.as_("rita")

    def offered(**query: str) -> list[str]:
        answer = service.client.get("/review", headers=rita, params=query)
        return [entry["prediction_id"] for entry in answer.json()]

    assert offered(sample="random") == [asked[3], asked[2], asked[0]]  # the newest first, whatever the confidence
    assert sorted(offered()) == sorted([asked[1], asked[4]])
    correct(service, "rita", prediction_id=asked[2], correct_code=10)
    assert offered(sample="random", limit="1", offset="1") == [asked[0]]
    assert service.client.get("/review", headers=rita, params={"sample": "all"}).status_code == 422


def test_users_may_erase_their_predictions(service: Service) -> None:
    prediction = predict(service, POOL)
    correct(service, "rita", prediction_id=prediction["prediction_id"], correct_code=10)
    predict(service, POOL, username="uma")
    answer = service.client.delete("/me/predictions", headers=service.as_("ulf"))
    assert answer.json() == {"erased": 1}
    assert (rows(service, PredictionRow), rows(service, FeedbackRow)) == (1, 0)


@pytest.mark.parametrize("by", ["the user", "an admin who deletes the user"])
def test_no_file_of_the_ledger_holds_a_text_that_was_erased(service: Service, by: str) -> None:
    predict(service, {"designation": "a very private piscine"})
    if by == "the user":
        assert service.client.delete("/me/predictions", headers=service.as_("ulf")).status_code == 200
    else:
        assert service.client.delete("/users/ulf", headers=service.as_("ada")).status_code == 204
    files = [path for path in service.settings.state_dir.iterdir() if path.name.startswith("ledger.db")]
    assert files
    assert not [path.name for path in files if b"a very private piscine" in path.read_bytes()]


def with_key(service: Service, username: str, key: str) -> dict[str, str]:
    return service.as_(username) | {"Idempotency-Key": key}


def test_a_repeated_request_with_a_key_has_one_effect_and_one_answer(service: Service) -> None:
    headers = with_key(service, "ulf", "k1")
    first, again = (service.client.post("/predict", headers=headers, json=POOL) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert rows(service, PredictionRow) == 1
    batches = [service.client.post("/predict/batch", headers=with_key(service, "ulf", "k2"), json={"listings": [POOL]})
               for _ in range(2)]  # fmt: skip
    assert batches[0].json() == batches[1].json()
    assert rows(service, PredictionRow) == 2
    words = [service.client.post("/feedback", headers=with_key(service, "ulf", "k3"), json={"correct_code": 10})
             for _ in range(2)]  # fmt: skip
    assert words[0].json() == words[1].json()
    assert words[1].json()["created"] is True
    new = {"username": "zoe", "password": "orange-Tricycle-77"}
    users = [service.client.post("/users", headers=with_key(service, "ada", "k4"), json=new) for _ in range(2)]
    assert [answer.status_code for answer in users] == [201, 201]
    with reading(service.engine) as connection:
        kept = str(connection.execute(text("select * from receipts")).all())
    assert "Tricycle" not in kept


def test_a_key_belongs_to_one_caller_and_one_request(service: Service) -> None:
    service.client.post("/predict", headers=with_key(service, "ulf", "k"), json=POOL)
    for query in ({"top": 5}, {"explain": True}):
        again = service.client.post("/predict", headers=with_key(service, "ulf", "k"), params=query, json=POOL)
        assert again.status_code == 409
    other = {"designation": "Canapé"}
    reused = service.client.post("/predict", headers=with_key(service, "ulf", "k"), json=other)
    assert reused.status_code == 409
    assert "Idempotency-Key" in reused.json()["detail"]
    assert service.client.post("/predict", headers=with_key(service, "uma", "k"), json=other).status_code == 200


def test_model_info_shows_the_served_model(service: Service) -> None:
    info = service.client.get("/model-info", headers=service.as_("ulf")).json()
    assert info["version"] == info["model_version"] == "7"
    assert info["taxonomy"]["2583"] == "Pool & accessories"
    assert info["abstention_threshold"] == 0.5
    assert info["sentence_vectors"] is None
    assert info["metrics"] == {"weighted_f1": 0.8}
    assert info["card"].startswith("# Model card")
    assert {"parameters", "registered_at", "data_hash", "run_id", "name"} <= set(info)


def test_health_is_public_and_readiness_checks_the_database(service: Service) -> None:
    assert service.client.get("/health").json() == {"status": "healthy", "model_name": "rakuten", "model_version": "7"}
    assert service.client.get("/livez").status_code == 200
    assert service.client.get("/readyz").status_code == 200


def test_while_the_database_does_not_answer_nothing_is_acknowledged_and_the_service_recovers(service: Service) -> None:
    holder = sqlite3.connect(service.settings.state_dir / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")  # as a backup or another program may, for longer than one waits for it
    answer = service.client.post("/predict", headers=service.as_("ulf"), json=POOL)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "sqlite" not in answer.text
    holder.execute("ROLLBACK")
    holder.close()
    predict(service, POOL)
    assert rows(service, PredictionRow) == 1
