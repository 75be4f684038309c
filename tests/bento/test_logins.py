"""Attempts to log in: failures are limited, nobody is locked out by others, and the trail names no typed password."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select, update

from bento import logins
from bento.logins import ThrottledError, hash_password, log_in
from bento.settings import Settings
from ledger.database import reading, writing
from ledger.tables import AuditRow, LoginAttemptRow, UserRow
from tests.bento.conftest import PASSWORD, Service
from web.addresses import read_networks

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WRONG = "wrong-Umbrella-42"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are tested here, and not how long a password takes."""
    monkeypatch.setattr(logins._HASHING, "verify", lambda password, hashed: password == PASSWORD)


def outcome(engine: Engine, username: str, password: str, address: str, now: datetime = NOW) -> bool | str:
    """Return whether the login succeeded, or that it has to wait."""
    try:
        return log_in(engine, username, password, address, now) is not None
    except ThrottledError as error:
        return "wait" if 0 < error.seconds <= 301 else f"wait {error.seconds} s"


def test_guessing_is_throttled_and_the_answer_says_how_long(service: Service) -> None:
    for _ in range(5):
        answer = service.client.post("/login", data={"username": "ulf", "password": WRONG})
        assert answer.status_code == 401
    answer = service.client.post("/login", data={"username": "ulf", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 301
    answer = service.client.post("/login", data={"username": "uma", "password": PASSWORD})
    assert answer.status_code == 200  # another name is not concerned


def test_the_header_of_a_client_does_not_move_it_to_another_address(service: Service) -> None:
    def ask(number: int) -> int:
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        return service.client.post("/login", data={"username": "ulf", "password": WRONG}, headers=headers).status_code

    assert [ask(number) for number in range(6)] == [401] * 5 + [429]


def test_behind_a_trusted_proxy_each_client_has_an_address_of_its_own(
    start: Callable[[Settings], Service], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start(settings.model_copy(update={"trusted_proxies": read_networks("10.0.0.5")}))
    monkeypatch.setattr(service.client._transport, "client", ("10.0.0.5", 4711))

    def ask(client: str, password: str) -> int:
        headers = {"X-Forwarded-For": f"192.0.2.77, {client}"}
        form = {"username": "ada", "password": password}
        return service.client.post("/login", data=form, headers=headers).status_code

    assert [ask("198.51.100.1", WRONG) for _ in range(6)] == [401] * 5 + [429]
    assert ask("198.51.100.2", PASSWORD) == 200


def test_successes_are_no_failures(service: Service) -> None:
    names = ["ulf", "uma", "rita", "ada"]
    assert all(outcome(service.engine, names[number % 4], PASSWORD, "192.0.2.1") is True for number in range(60))
    for _ in range(4):
        assert outcome(service.engine, "ulf", WRONG, "192.0.2.1") is False
    assert outcome(service.engine, "ulf", PASSWORD, "192.0.2.1") is True
    assert outcome(service.engine, "ulf", WRONG, "192.0.2.1") is False  # counted from the start again


def test_failures_of_an_address_lock_no_user_who_logged_in_from_it(service: Service) -> None:
    assert outcome(service.engine, "ada", PASSWORD, "192.0.2.1") is True
    guesses = [outcome(service.engine, f"guess {number}", WRONG, "192.0.2.1") for number in range(51)]
    assert guesses == [False] * 50 + ["wait"]
    assert outcome(service.engine, "uma", PASSWORD, "192.0.2.1") == "wait"
    assert outcome(service.engine, "ada", PASSWORD, "192.0.2.1") is True


def test_failures_from_everywhere_lock_nobody_who_knows_the_password(service: Service) -> None:
    assert outcome(service.engine, "ada", PASSWORD, "192.0.2.1") is True
    for number in range(100):
        assert outcome(service.engine, "ada", WRONG, f"198.51.100.{number}") is False
    assert outcome(service.engine, "ada", PASSWORD, "203.0.113.1") is True  # a new address: the first try counts
    assert outcome(service.engine, "ada", WRONG, "203.0.113.2") is False
    assert outcome(service.engine, "ada", WRONG, "203.0.113.2") == "wait"  # it has one try, no five
    for _ in range(4):
        assert outcome(service.engine, "ada", WRONG, "192.0.2.1") is False
    assert outcome(service.engine, "ada", PASSWORD, "192.0.2.1") is True


def test_an_attempt_long_ago_does_not_count(service: Service) -> None:
    for _ in range(5):
        outcome(service.engine, "ulf", WRONG, "192.0.2.1", NOW - timedelta(minutes=6))
    assert outcome(service.engine, "ulf", PASSWORD, "192.0.2.1") is True


def test_a_clock_that_was_ahead_locks_nobody_out(service: Service) -> None:
    """Attempts of that time are ignored, and tokens issued after a change of that time count."""
    tomorrow = NOW + timedelta(days=1)
    for _ in range(5):
        outcome(service.engine, "ulf", WRONG, "192.0.2.1", tomorrow)
    with writing(service.engine) as connection:
        connection.execute(
            update(UserRow).where(UserRow.username == "ulf").values(voided_at=tomorrow + timedelta(days=9))
        )
        marked = {"subject": logins._digest("name", "ulf"), "at": tomorrow}
        connection.execute(insert(LoginAttemptRow), [marked] * 200)
    assert outcome(service.engine, "ulf", PASSWORD, "192.0.2.1") is True
    assert service.client.get("/me", headers=service.as_("ulf")).status_code == 200
    for _ in range(5):
        assert outcome(service.engine, "ulf", WRONG, "192.0.2.2") is False
    assert outcome(service.engine, "ulf", WRONG, "192.0.2.2") == "wait"  # at most the window, see `outcome`


def test_typed_names_are_stored_as_digests_only(service: Service) -> None:
    outcome(service.engine, "my-password-by-mistake", WRONG, "192.0.2.1")
    with reading(service.engine) as connection:
        subjects = connection.execute(select(LoginAttemptRow.subject)).scalars().all()
    assert subjects
    assert all(len(subject) == 64 and "password" not in subject for subject in subjects)


def test_logins_leave_a_trail_that_names_no_typed_password(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    ulf = service.user("ulf").id
    with caplog.at_level(logging.INFO):
        outcome(service.engine, "my-password-by-mistake", WRONG, "192.0.2.1")
        outcome(service.engine, "ulf", PASSWORD, "192.0.2.1")
        for _ in range(9):  # 5 fail, 4 have to wait
            outcome(service.engine, "ulf", WRONG, "192.0.2.1")
    with reading(service.engine) as connection:
        columns = (AuditRow.actor_id, AuditRow.event, AuditRow.subject, AuditRow.subject_id, AuditRow.detail)
        trail = connection.execute(select(*columns).order_by(AuditRow.id)).tuples().all()
    where = {"address": "192.0.2.1"}
    assert trail == [
        (None, "login refused", "", None, where),
        (ulf, "logged in", "ulf", ulf, where),
        *[(None, "login refused", "ulf", ulf, where)] * 5,
        (None, "login throttled", "ulf", ulf, where),  # once in the window
    ]
    said = [record.getMessage() for record in caplog.records if record.name == "bento.logins"]
    assert len(said) == 7
    assert all("192.0.2.1" in line and "ulf" not in line and "mistake" not in line for line in said)


def test_an_address_that_has_to_wait_leaves_one_entry_whatever_names_it_tries(service: Service) -> None:
    tried = [outcome(service.engine, f"name-{number}", WRONG, "192.0.2.1") for number in range(80)]
    assert tried == [False] * 50 + ["wait"] * 30
    with reading(service.engine) as connection:
        throttled = select(AuditRow.id).where(AuditRow.event == "login throttled")
        assert len(connection.execute(throttled).all()) == 1


def test_a_password_is_stored_as_an_argon2_hash() -> None:
    assert hash_password(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
