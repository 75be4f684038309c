"""The work in the background: it survives a busy service, can be stopped, and goes on."""

import gc
from collections.abc import Callable, Sequence
from threading import Event

import pytest

from ui.listings.job import Job
from ui.services.prediction import BatchItem, Listing
from ui.services.transport import AWAY, ServiceError

Behaviour = Callable[[int], None]


class Classifier:
    """Answers every listing with one type. `before` is called with the number of each request, from 1."""

    def __init__(self, before: Behaviour = lambda _: None) -> None:
        self.keys: list[str] = []
        self._before = before

    def predict_batch(self, listings: Sequence[Listing], key: str) -> list[BatchItem]:
        self.keys.append(key)
        self._before(len(self.keys))
        return [
            {
                "index": place,
                "prediction": {
                    "prediction_id": f"{key}-{place}", "predicted_class": "Toys", "predicted_code": 1280,
                    "confidence": 0.4, "abstained": True, "language": "en", "model_version": "1",
                    "top_k": [{"code": 1280, "label": "Toys", "confidence": 0.4}],
                },
            }
            for place, _ in enumerate(listings)
        ]  # fmt: skip


def job_of(count: int) -> Job:
    return Job([{"designation": "a"}] * count, list(range(2, count + 2)))


def test_every_listing_gets_its_answer_under_the_number_of_its_row() -> None:
    job = job_of(2_500)
    job.start(Classifier())
    job.join()
    frame = job.answers.frame()
    assert job.done
    assert list(frame.index) == list(range(2, 2_502))


@pytest.mark.parametrize("status", [429, 503, AWAY])
def test_a_busy_service_is_asked_again_with_the_same_key(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def busy_at_first(number: int) -> None:
        if number == 1:
            raise ServiceError("prediction", status, retry_after=17)

    job = job_of(3)
    monkeypatch.setattr(job._work.stop, "wait", lambda seconds: bool(waits.append(seconds)))
    classifier = Classifier(busy_at_first)
    job.start(classifier)
    job.join()
    assert job.done
    assert waits == [17]
    assert len(set(classifier.keys)) == 1


def test_a_refusal_ends_the_work_and_it_goes_on_where_it_was() -> None:
    def refused_second(number: int) -> None:
        if number == 2:
            raise ServiceError("prediction", 401)

    job = job_of(2_000)
    job.start(Classifier(refused_second))
    job.join()
    assert job.error is not None
    assert len(job.answers) == 1_000
    job.start(Classifier())
    job.join()
    assert job.done
    assert job.error is None
    assert len(job.answers) == 2_000


def test_a_cancelled_job_stops_after_its_piece_and_keeps_the_answers() -> None:
    job = job_of(3_000)
    job.start(Classifier(lambda _: job.cancel()))
    job.join()
    assert not job.done
    assert len(job.answers) == 1_000


def test_a_job_that_nobody_has_any_more_stops() -> None:
    reached, gone = Event(), Event()

    def pause(number: int) -> None:
        reached.set()
        assert gone.wait(30)

    job, classifier = job_of(3_000), Classifier(pause)
    job.start(classifier)
    assert reached.wait(30)
    thread = job._thread
    assert thread is not None
    del job
    gc.collect()
    gone.set()
    thread.join(30)
    assert len(classifier.keys) == 1


def test_a_listing_that_the_service_refuses_keeps_its_reason() -> None:
    class Refusing(Classifier):
        def predict_batch(self, listings: Sequence[Listing], key: str) -> list[BatchItem]:
            return [{"index": 0, "errors": [{"field": "designation", "message": "the title is blank"}]}]

    job = job_of(1)
    job.start(Refusing())
    job.join()
    assert job.answers.frame().at[2, "problem"] == "the title is blank"
