"""Group commit: acknowledged requests are stored, invalid callers are refused, and single requests do not wait."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine

from ledger.batch import BatchStore
from ledger.callers import Caller, RevokedError
from ledger.database import LedgerError, open_engine, reading, writing
from ledger.direct_insert import DirectInsert
from ledger.predictions import PredictionRecord, find_prediction
from ledger.receipts import KeyReuseError, ReceiptRecord, find_receipt, find_receipts
from ledger.tables import PredictionRow, ReceiptRow
from ledger.users import change_user, delete_user
from ledger.writer import PredictionWriter
from tests.ledger.conftest import NOW, add_user, prediction
from tests.ledger.test_predictions import count
from tests.system.workspace import LIMIT


@pytest.fixture
def writer(engine: Engine) -> Iterator[PredictionWriter]:
    writer = PredictionWriter(engine, check_callers=True)
    yield writer
    writer.close()


def receipt(owner: str = "alice", key: str = "key", fingerprint: str = "print", body: str = "answer") -> ReceiptRecord:
    return ReceiptRecord(owner, key, fingerprint, 200, body, NOW)


def together(*stores: Awaitable[ReceiptRecord | None]) -> list[ReceiptRecord | BaseException | None]:
    """Run all at the same time, and return the result or the error of each."""

    async def run() -> list[ReceiptRecord | BaseException | None]:
        async with asyncio.timeout(LIMIT):
            return await asyncio.gather(*stores, return_exceptions=True)

    return asyncio.run(run())


def found(engine: Engine, record: PredictionRecord) -> PredictionRecord | None:
    with reading(engine) as connection:
        return find_prediction(connection, record.id)


def test_a_prediction_is_there_when_store_returns(writer: PredictionWriter, engine: Engine, alice: Caller) -> None:
    records = [prediction(), prediction(description=None)]
    assert together(writer.store(alice, records)) == [None]
    assert [found(engine, record) for record in records] == records
    assert writer.waiting == 0


def test_many_at_once_are_all_stored(writer: PredictionWriter, engine: Engine, alice: Caller) -> None:
    bob = add_user(engine, "bob", "reviewer")
    callers = enumerate([alice, bob] * 400)
    orders = [(caller, [prediction(caller.user_id) for _ in range(number % 4)]) for number, caller in callers]
    assert together(*(writer.store(*order) for order in orders)) == [None] * 800
    assert count(engine, PredictionRow) == sum(len(records) for _, records in orders)


def test_a_request_larger_than_a_batch_is_stored_whole(writer: PredictionWriter, engine: Engine, alice: Caller) -> None:
    sizes = [1, 1_000, 499, 2]
    assert together(*(writer.store(alice, [prediction() for _ in range(size)]) for size in sizes)) == [None] * 4
    assert count(engine, PredictionRow) == sum(sizes)


def test_requests_of_invalid_callers_store_nothing(writer: PredictionWriter, engine: Engine, alice: Caller) -> None:
    deleted, changed = (add_user(engine, name, "user") for name in ("deleted", "changed"))
    with writing(engine) as connection:
        delete_user(connection, deleted.user_id, NOW)
        change_user(connection, changed.user_id, now=NOW + timedelta(minutes=5), password_hash="new")
    refused = [
        Caller("nobody", "nobody", "user", 0),
        deleted,
        changed,
        replace(alice, role="admin"),
        replace(alice, user_id="alice"),
    ]
    accepted = [alice, replace(changed, generation=1)]
    outcomes = together(
        *(writer.store(caller, [prediction()], receipt(key=str(caller))) for caller in refused + accepted)
    )
    assert [type(outcome) for outcome in outcomes] == [RevokedError] * 5 + [type(None)] * 2
    assert (count(engine, PredictionRow), count(engine, ReceiptRow)) == (2, 2)
    assert [type(outcome) for outcome in together(writer.store(refused[0], []))] == [RevokedError]


def test_callers_kept_elsewhere_are_not_checked(engine: Engine) -> None:
    writer = PredictionWriter(engine, check_callers=False)
    assert together(writer.store(Caller("somebody", "somebody", "user", 0), [prediction("somebody")])) == [None]
    writer.close()


def test_a_repeated_request_gets_the_first_answer(writer: PredictionWriter, engine: Engine, alice: Caller) -> None:
    first = receipt(body="first")
    assert together(writer.store(alice, [prediction()], first)) == [None]
    assert together(writer.store(alice, [prediction()], receipt(body="second"))) == [first]
    (outcome,) = together(writer.store(alice, [prediction()], receipt(fingerprint="other")))
    assert isinstance(outcome, KeyReuseError)
    assert count(engine, PredictionRow) == 1


def test_the_same_request_in_one_batch_is_stored_once(writer: PredictionWriter, engine: Engine, alice: Caller) -> None:
    repeated = [receipt(body=str(number)) for number in range(20)]
    outcomes = together(
        writer.store(alice, [prediction()]),
        *(writer.store(alice, [prediction()], each) for each in repeated),
        writer.store(alice, [prediction()], receipt(fingerprint="other")),
        writer.store(alice, [prediction()], receipt(key="another")),
    )
    assert outcomes[:2] + outcomes[2:21] == [None, None] + [repeated[0]] * 19
    assert isinstance(outcomes[21], KeyReuseError)
    assert outcomes[22] is None
    assert count(engine, PredictionRow) == 3


def test_two_processes_with_the_same_key_store_once(engine: Engine, ledger_url: str, alice: Caller) -> None:
    """Two engines and two writers, as in two processes."""
    second = open_engine(ledger_url)
    writers = [PredictionWriter(each, check_callers=True) for each in (engine, second)]
    rounds = 40
    for number in range(rounds):
        mine, yours = receipt(key=str(number), body="mine"), receipt(key=str(number), body="yours")
        outcomes = together(
            writers[0].store(alice, [prediction()], mine),
            writers[1].store(alice, [prediction()], yours),
            writers[1].store(alice, [prediction()]),
        )
        assert outcomes in ([None, mine, None], [yours, None, None])
    assert count(engine, PredictionRow) == 2 * rounds
    for writer in writers:
        writer.close()
    second.dispose()


def test_a_key_that_another_process_stores_meanwhile_is_found_on_the_next_attempt(
    engine: Engine, alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above, but always: the receipt of another process is not found at first, and then its key is taken."""
    unseen: list[dict[tuple[str, str], ReceiptRecord]] = [{}]
    writer, theirs = PredictionWriter(engine, check_callers=True), receipt(body="theirs")
    assert together(writer.store(alice, [prediction()], theirs)) == [None]
    monkeypatch.setattr("ledger.batch.find_receipts", lambda *these: unseen.pop() if unseen else find_receipts(*these))
    outcomes = together(writer.store(alice, [prediction()], receipt()), writer.store(alice, [prediction()]))
    assert outcomes == [theirs, None]
    assert not unseen
    assert count(engine, PredictionRow) == 2
    writer.close()


def test_a_request_that_cannot_be_stored_does_not_affect_others(
    writer: PredictionWriter, engine: Engine, alice: Caller
) -> None:
    twice = prediction()
    assert together(writer.store(alice, [twice])) == [None]
    wrong = [prediction(created_at=NOW.replace(tzinfo=None)), twice, prediction(predicted_code=2**70)]
    outcomes = together(
        *(writer.store(alice, [prediction(), record]) for record in [prediction(), *wrong, prediction()])
    )
    assert [outcome is None for outcome in outcomes] == [True, False, False, False, True]
    assert not any(isinstance(outcome, LedgerError) for outcome in outcomes)
    assert count(engine, PredictionRow) == 5
    assert together(writer.store(alice, [prediction()])) == [None]


def test_a_cancelled_request_does_not_affect_others(writer: PredictionWriter, engine: Engine, alice: Caller) -> None:
    async def run() -> None:
        gone = [asyncio.create_task(writer.store(alice, [prediction()])) for _ in range(50)]
        stays = [asyncio.create_task(writer.store(alice, [prediction()])) for _ in range(50)]
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        async with asyncio.timeout(LIMIT):
            assert await asyncio.gather(*stays) == [None] * 50
        assert all(task.cancelled() for task in gone)

    asyncio.run(run())
    assert writer.waiting == 0
    assert together(writer.store(alice, [prediction()])) == [None]


def test_an_event_loop_that_ended_does_not_affect_others(writer: PredictionWriter, alice: Caller) -> None:
    async def leave() -> None:
        tasks = [asyncio.ensure_future(writer.store(alice, [prediction()])) for _ in range(50)]
        await asyncio.sleep(0)
        assert not tasks[0].done()

    asyncio.run(leave())
    assert together(writer.store(alice, [prediction()])) == [None]
    assert writer.waiting == 0


def test_several_event_loops_may_store(writer: PredictionWriter, engine: Engine, alice: Caller) -> None:
    def work() -> None:
        assert together(*(writer.store(alice, [prediction()]) for _ in range(100))) == [None] * 100

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(engine, PredictionRow) == 400


def test_too_many_waiting_predictions_are_refused(engine: Engine, alice: Caller) -> None:
    writer = PredictionWriter(engine, check_callers=True, maximum_waiting=10)

    async def run() -> list[object]:
        sizes = [4, 4, 4, 11, 2]
        return await asyncio.gather(
            *(writer.store(alice, [prediction() for _ in range(size)]) for size in sizes), return_exceptions=True
        )

    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as connection:  # nobody else gets to write meanwhile
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE predictions")
            outcomes = pool.submit(asyncio.run, run())
            while writer.waiting < 10:
                time.sleep(0.001)
        refused = [isinstance(outcome, LedgerError) for outcome in outcomes.result()]
    assert refused == [False, False, True, True, False]
    assert (count(engine, PredictionRow), writer.waiting) == (10, 0)
    writer.close()


def test_closing_stores_what_waits_and_ends_the_thread(engine: Engine, alice: Caller) -> None:
    writer = PredictionWriter(engine, check_callers=True)

    async def run() -> list[object]:
        tasks = [asyncio.ensure_future(writer.store(alice, [prediction()])) for _ in range(700)]
        await asyncio.sleep(0)
        await asyncio.to_thread(writer.close)
        with pytest.raises(LedgerError, match="closed"):
            await writer.store(alice, [prediction()])
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == [None] * 700
    assert count(engine, PredictionRow) == 700
    assert not [thread for thread in threading.enumerate() if thread.name == "prediction-writer"]
    writer.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_fails_answers_all_that_wait(
    engine: Engine, alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unforeseen(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(BatchStore, "store", unforeseen)
    writer = PredictionWriter(engine, check_callers=True)
    outcomes = together(*(writer.store(alice, [prediction()]) for _ in range(3)))
    assert [type(outcome) for outcome in outcomes] == [LedgerError] * 3
    assert [type(outcome) for outcome in together(writer.store(alice, [prediction()]))] == [LedgerError]
    assert writer.waiting == 0


def test_a_single_prediction_does_not_wait_for_others(writer: PredictionWriter, alice: Caller) -> None:
    async def run() -> float:
        taken = []
        for _ in range(50):
            started = time.perf_counter()
            await writer.store(alice, [prediction()])
            taken.append(time.perf_counter() - started)
        return min(taken)

    assert asyncio.run(run()) < 0.01


def test_no_receipt_is_stored_when_its_prediction_cannot_be(
    writer: PredictionWriter, engine: Engine, alice: Caller
) -> None:
    (outcome,) = together(writer.store(alice, [prediction(predicted_code=2**70)], receipt()))
    assert isinstance(outcome, Exception)
    with reading(engine) as connection:
        assert find_receipt(connection, "alice", "key", "print") is None


def test_while_another_process_writes_the_prediction_waits_and_the_event_loop_does_not(
    writer: PredictionWriter, engine: Engine, alice: Caller
) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's writers do not wait for each other")
    ticks: list[float] = []

    async def run() -> None:
        await writer.store(alice, [prediction()])
        with writing(engine):
            storing = asyncio.create_task(writer.store(alice, [prediction()]))
            for _ in range(30):
                await asyncio.sleep(0.01)
                ticks.append(time.monotonic())
            assert not storing.done()
        await storing

    asyncio.run(run())
    longest = max(later - earlier for earlier, later in pairwise(ticks))
    assert longest < 2.5, "the event loop stood still, as it would for the 5 s that SQLite waits for a lock"
    assert count(engine, PredictionRow) == 2


def test_single_predictions_one_after_another_are_all_stored(
    writer: PredictionWriter, engine: Engine, alice: Caller
) -> None:
    async def run() -> None:
        for _ in range(200):
            await writer.store(alice, [prediction()])

    asyncio.run(run())
    assert count(engine, PredictionRow) == 200
    assert writer.waiting == 0


def test_a_prediction_whose_direct_insert_fails_is_stored_by_a_batch(
    writer: PredictionWriter, engine: Engine, alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unforeseen(*_: object) -> None:
        raise AttributeError

    monkeypatch.setattr(DirectInsert, "store", unforeseen)

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        async with asyncio.timeout(LIMIT):
            await writer.store(alice, [prediction()])

    asyncio.run(run())
    assert count(engine, PredictionRow) == 1
    assert writer.waiting == 0
