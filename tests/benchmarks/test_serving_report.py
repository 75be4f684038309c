"""What the serving benchmark computes from its measurements."""

from operator import attrgetter
from pathlib import Path

import pytest

from benchmarks.contestants import Contestant
from benchmarks.listings import in_batches, unseen_listings
from benchmarks.load import Load, fresh
from benchmarks.no_server import Alone, Rate
from benchmarks.processes import Service
from benchmarks.serving_report import Results, layers_of_request, ratio, repeated_share


def load(answers: int = 100, **more: float) -> Load:
    return Load(**{"answers": answers, "seconds": 1.0, "p50_ms": 1.0, "p99_ms": 2.0, **more})  # type: ignore[arg-type]


def contestant(name: str, *loads: Load, workers: int = 1, classifies: bool = True) -> Contestant:
    service = Service(name, [], Path(), {}, workers)
    return Contestant(service, classifies=classifies, loads={1: list(loads)})


def test_listings_do_not_repeat_and_batches_hold_a_thousand_each() -> None:
    listings = unseen_listings(2_200)
    assert len({(each["designation"], each.get("description")) for each in listings}) == len(listings)
    assert [len(batch["listings"]) for batch in in_batches(listings)] == [1_000, 1_000]


@pytest.mark.parametrize(
    ("sent", "prepared", "left", "expected"),
    [
        pytest.param(50, 100, 1_000, 50, id="all of them are new"),
        pytest.param(150, 100, 1_000, 100, id="wrk has sent what it had prepared again"),
        pytest.param(50, 100, 20, 20, id="the service has had all listings"),
        pytest.param(50, 100, -300, 0, id="more than once"),
    ],
)
def test_a_listing_counts_as_new_until_the_service_has_had_it(
    sent: int, prepared: int, left: int, expected: int
) -> None:
    assert fresh(sent, prepared, left) == expected


def test_a_ratio_is_the_median_of_the_ratios_of_each_round() -> None:
    ours, base = [load(300), load(100), load(800)], [load(100), load(100), load(100)]
    assert ratio(ours, base) == 3
    assert ratio([load(p99_ms=1.0)], [load(p99_ms=4.0)], "p99_ms") == 0.25


def test_the_share_of_repeated_listings_is_that_of_all_requests() -> None:
    assert repeated_share([load(sent=100, repeated=0), load(sent=300, repeated=100)]) == 0.25


def test_the_limit_of_a_service_is_the_constant_answer_in_as_many_workers() -> None:
    base = contestant("stand-in", load(10))
    one, two = contestant("run.py serve", load(100)), contestant("run.py serve", load(150), workers=2)
    constant = contestant("constant answer", load(200), workers=2, classifies=False)
    results = Results({}, [base, one, two, constant], rounds=1, seconds=1)
    assert results.share_of_limit(two, 1) == 0.75
    assert [results.share_of_limit(each, 1) for each in (base, one, constant)] == [None, None, None]


def test_layers_are_the_bare_server_and_what_was_measured_inside_beside_the_time_of_the_worker() -> None:
    served = contestant("run.py serve", load(1_000, processor_seconds=0.6))
    bare = contestant("bare server", load(10_000, processor_seconds=1.0), classifies=False)
    names = ("gate", "token", "routing", "JSON and validation", "model", "language, id and record")
    rounds = [
        {**dict.fromkeys(names, 10.0 * number), "ledger, alone": 7.0, "ledger, many": 5.0} for number in (1, 2, 9)
    ]
    layers, whole = layers_of_request(Results({}, [served, bare], 3, 1, layers=rounds), 1)
    assert layers == {"server": 100, **dict.fromkeys(names, 20), "ledger, alone": 7}
    assert whole == 600


def test_the_share_of_a_batch_compares_a_worker_with_the_predictor_round_by_round() -> None:
    served = contestant("run.py serve", workers=2)
    served.batches = [load(6, busy=2, processor_seconds=1.2), load(8, busy=1, processor_seconds=0.8)]
    served.alone = [
        Alone(one_by_one=Rate(4_000.0, 250.0), in_batches=Rate(6_000.0, 150.0)),
        Alone(one_by_one=Rate(8_000.0, 125.0), in_batches=Rate(16_000.0, 50.0)),
    ]
    assert [rate.per_second for rate in served.batch_rates] == [3_000, 8_000]
    assert [rate.microseconds for rate in served.batch_rates] == pytest.approx([200, 100])
    one_by_one, in_batches = (served.batch_share(attrgetter(way)) for way in ("one_by_one", "in_batches"))
    assert (one_by_one.per_second, one_by_one.microseconds) == pytest.approx((0.875, 1.25))
    assert (in_batches.per_second, in_batches.microseconds) == pytest.approx((0.5, 0.625))
