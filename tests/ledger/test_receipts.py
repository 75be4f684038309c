"""Requests that are repeated with their key, one after the other and at the same time."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from ledger.database import reading, writing
from ledger.receipts import KeyReuseError, ReceiptRecord, find_receipt, find_receipts, run_once, store_receipts
from ledger.throttle import count_attempts, forget_attempt, forget_attempts, record_attempt
from ledger.users import create_user, list_users
from tests.ledger.conftest import NOW


def test_receipts_belong_to_an_owner_and_a_key(engine: Engine) -> None:
    kept = [ReceiptRecord(owner, key, f"{owner}{key}", 201, "é\n", NOW) for owner in "ab" for key in "xy"]
    with writing(engine) as connection:
        store_receipts(connection, kept)
        store_receipts(connection, [])
    with reading(engine) as connection:
        assert find_receipt(connection, "a", "x", "ax") == kept[0]
        assert find_receipt(connection, "a", "z", "az") is None
        assert find_receipts(connection, [("a", "x"), ("b", "y"), ("b", "z")]) == {
            ("a", "x"): kept[0], ("b", "y"): kept[3],
        }  # fmt: skip
        assert find_receipts(connection, []) == {}
        with pytest.raises(KeyReuseError):
            find_receipt(connection, "a", "x", "other")


def create(connection: Connection) -> tuple[int, str]:
    name = f"user{len(list_users(connection))}"
    create_user(connection, name, "hash", "user", NOW)
    return 201, name


def test_a_repetition_gets_the_first_answer(engine: Engine) -> None:
    assert run_once(engine, "ada", "key", "print", create, NOW) == (201, "user0", False)
    assert run_once(engine, "ada", "key", "print", create, NOW + timedelta(hours=1)) == (201, "user0", True)
    with pytest.raises(KeyReuseError):
        run_once(engine, "ada", "key", "other", create, NOW)
    assert run_once(engine, "eve", "key", "other", create, NOW) == (201, "user1", False)
    assert run_once(engine, "ada", None, "print", create, NOW) == (201, "user2", False)
    assert run_once(engine, "ada", None, "print", create, NOW) == (201, "user3", False)


def test_an_effect_that_fails_leaves_the_key_free(engine: Engine) -> None:
    def fail(connection: Connection) -> tuple[int, str]:
        create(connection)
        raise LookupError

    with pytest.raises(LookupError):
        run_once(engine, "ada", "key", "print", fail, NOW)
    assert run_once(engine, "ada", "key", "print", create, NOW) == (201, "user0", False)


def test_the_same_request_several_times_at_once_has_one_effect(engine: Engine) -> None:
    barrier = threading.Barrier(6)
    answers: list[tuple[int, str, bool]] = []

    def create_bob(connection: Connection) -> tuple[int, str]:
        create_user(connection, "bob", "hash", "user", NOW)
        return 201, "bob"

    def ask() -> None:
        barrier.wait()
        answers.append(run_once(engine, "ada", "key", "print", create_bob, NOW))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [(201, "bob", False)] + [(201, "bob", True)] * 5


def test_attempts_are_counted_within_the_window(engine: Engine) -> None:
    times = [NOW + timedelta(minutes=minute) for minute in range(3)]
    with writing(engine) as connection:
        for time in times:
            record_attempt(connection, ["who", "where"], time)
        record_attempt(connection, ["where"], times[2])
        record_attempt(connection, [], NOW)
        since = count_attempts(connection, ["who", "where", "nobody"], times[1], times[2])
        assert since == {"who": (2, times[1]), "where": (3, times[1])}
        assert count_attempts(connection, ["who"], NOW, times[1]) == {"who": (2, NOW)}  # not those of the future
        forget_attempts(connection, ["who"])
        assert count_attempts(connection, ["who", "where"], NOW, times[2]) == {"where": (4, NOW)}
        forget_attempt(connection, record_attempt(connection, ["where", "who"], times[2]))
        assert count_attempts(connection, ["who", "where"], NOW, times[2]) == {"where": (4, NOW)}


def test_attempts_at_the_same_time_are_all_counted(engine: Engine) -> None:
    barrier = threading.Barrier(8)
    counted: list[int] = []

    def attempt() -> None:
        barrier.wait()
        with writing(engine) as connection:
            before, _ = count_attempts(connection, ["where", "who"], NOW, NOW).get("who", (0, NOW))
            record_attempt(connection, ["who", "where"], NOW)
            counted.append(before)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counted) == list(range(8))
