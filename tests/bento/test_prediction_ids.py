"""The ids of a batch are UUIDs beside each other, and random where the sample for review looks."""

from collections import Counter
from uuid import RFC_4122, UUID

from bento.prediction_ids import new_ids


def test_ids_are_uuids_of_version_4() -> None:
    ids = new_ids(8_000)
    assert len(set(ids)) == 8_000
    assert all(str(UUID(each)) == each for each in ids)
    assert {(UUID(each).version, UUID(each).variant) for each in ids} == {(4, RFC_4122)}


def test_the_ids_of_a_batch_ascend_and_are_beside_each_other() -> None:
    ids, others = new_ids(1_000), new_ids(1_000)
    assert ids == sorted(ids)
    assert len({each[:8] for each in ids}) == 1
    assert others[0][:8] != ids[0][:8]
    assert len({each[15:18] + each[20:] for each in ids + others}) == 2_000


def test_a_digit_that_decides_on_a_second_review_is_a_fair_draw() -> None:
    drawn = Counter(each[31] for each in new_ids(16_000))
    assert len(drawn) == 16
    assert all(800 < number < 1_200 for number in drawn.values())


def test_the_last_digit_is_a_fair_draw() -> None:
    drawn = Counter(each[-1] for each in new_ids(16_000))
    assert len(drawn) == 16
    assert all(800 < number < 1_200 for number in drawn.values())  # six standard deviations around 1,000


def test_no_ids_for_no_listings() -> None:
    assert new_ids(0) == []
