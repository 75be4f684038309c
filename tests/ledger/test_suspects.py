"""Suspects of an audit are reviewed like answers of the service, and are never taken for them."""

from datetime import timedelta

from sqlalchemy import Engine

from ledger.database import reading, writing
from ledger.feedback import give_feedback, read_feedback
from ledger.predictions import find_prediction
from ledger.review_queue import Claimant, claim_next, review_queue, sample_queue
from ledger.review_state import ReviewRules
from ledger.sampling import is_sampled
from ledger.suspects import AUDIT, Suspect, queue_suspects
from ledger.windows import WindowRules, read_predictions
from tests.ledger.conftest import NOW

MANY = [Suspect(f"key {number}", f"Piscine {number}", None, "fr", 2583, 0.9) for number in range(64)]
RITA = Claimant("rita", True, "rakuten")


def queue(engine: Engine, suspects: list[Suspect], model: str = "rakuten") -> int:
    with writing(engine) as connection:
        return queue_suspects(connection, model, suspects, NOW)


def test_a_reviewer_gets_them_and_the_next_training_the_label(engine: Engine, ledger_url: str) -> None:
    assert queue(engine, MANY[:1]) == 1
    with writing(engine) as connection:
        claim = claim_next(connection, RITA, NOW, ReviewRules(random_share=0))
        assert claim is not None
        assert (claim.record.designation, claim.record.predicted_code, claim.drawn) == ("Piscine 0", 2583, "uncertain")
        give_feedback(connection, claim.record.id, 1560, "rita", "reviewer", NOW)
    learned = read_feedback(ledger_url, "rakuten")
    assert learned[["designation", "prdtypecode", "trusted", "sampled", "simulated"]].values.tolist() == [
        ["Piscine 0", 1560, True, False, False]
    ]


def test_a_text_is_queued_once_also_after_its_review(engine: Engine) -> None:
    assert queue(engine, MANY) == 64
    assert queue(engine, [suspect._replace(confidence=0.5) for suspect in MANY]) == 0
    with writing(engine) as connection:
        reviewed = review_queue(connection, "rakuten", 1)[0]
        give_feedback(connection, reviewed.id, 2583, "rita", "reviewer", NOW)
    assert queue(engine, MANY) == 0
    with reading(engine) as connection:
        assert len(review_queue(connection, "rakuten", 100)) == 63
        assert find_prediction(connection, reviewed.id) is not None


def test_they_belong_to_one_model(engine: Engine) -> None:
    assert queue(engine, MANY[:3]) == queue(engine, MANY[:3], "shop") == 3
    with reading(engine) as connection:
        assert len(review_queue(connection, "shop", 100)) == 3


def test_none_is_in_the_random_sample(engine: Engine) -> None:
    queue(engine, MANY)
    with reading(engine) as connection:
        assert sample_queue(connection, "rakuten", 100) == []
        assert not any(is_sampled(record.id) for record in review_queue(connection, "rakuten", 100))


def test_monitoring_does_not_take_them_for_answers(engine: Engine, ledger_url: str) -> None:
    queue(engine, MANY)
    later = NOW + timedelta(hours=1)
    assert read_predictions(ledger_url, WindowRules().window("rakuten", "3", later)).empty
    assert not read_predictions(ledger_url, WindowRules().window("rakuten", AUDIT, later)).empty
