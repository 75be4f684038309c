"""Users, the last admin, and since when tokens count."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from ledger.database import reading, writing
from ledger.users import (
    LastAdminError,
    UnknownUserError,
    User,
    UserExistsError,
    active_users,
    change_user,
    create_user,
    delete_user,
    ensure_admin,
    find_user,
    has_admin,
    list_users,
    revocations,
)
from tests.ledger.conftest import NOW, add_user

LATER = NOW + timedelta(hours=1)


def at_once(engine: Engine, *effects: Callable[[Connection], object]) -> list[object]:
    """Run each effect in a thread and transaction of its own; return what each of them returned or raised."""
    barrier = threading.Barrier(len(effects))
    outcomes: list[object] = [None] * len(effects)

    def run(index: int) -> None:
        barrier.wait()
        try:
            with writing(engine) as connection:
                outcomes[index] = effects[index](connection)
        except (LastAdminError, UserExistsError) as error:
            outcomes[index] = type(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(effects))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_a_user_is_created_changed_and_deleted(engine: Engine) -> None:
    with writing(engine) as connection:
        assert create_user(connection, "bob", "hash", "user", NOW) == User("bob", "user", "hash", NOW, NOW)
        assert find_user(connection, "bob") == User("bob", "user", "hash", NOW, NOW)
        with pytest.raises(UserExistsError):
            create_user(connection, "bob", "other", "admin", LATER)
        changed = change_user(connection, "bob", now=LATER, role="reviewer")
        assert changed == User("bob", "reviewer", "hash", LATER, NOW)
        assert change_user(connection, "bob", now=LATER, password_hash="new").password_hash == "new"
        delete_user(connection, "bob", LATER)
        assert find_user(connection, "bob") is None
        for refused in (lambda: delete_user(connection, "bob", NOW), lambda: change_user(connection, "bob", now=NOW)):
            with pytest.raises(UnknownUserError):
                refused()
        again = LATER + timedelta(hours=1)
        assert create_user(connection, "bob", "third", "user", again) == User("bob", "user", "third", again, again)


def test_the_password_of_a_deleted_user_is_erased(engine: Engine) -> None:
    add_user(engine, "bob", "user")
    with writing(engine) as connection:
        delete_user(connection, "bob", LATER)
        assert connection.exec_driver_sql("SELECT password_hash FROM users").scalar() == ""


def test_users_are_listed_by_name_without_the_deleted(engine: Engine) -> None:
    for name in ("carol", "alice", "bob"):
        add_user(engine, name, "user")
    with writing(engine) as connection:
        delete_user(connection, "bob", LATER)
        assert [user.username for user in list_users(connection)] == ["alice", "carol"]


def test_an_unknown_role_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="a role is one of user, reviewer, admin"), writing(engine) as connection:
        create_user(connection, "bob", "hash", "root", NOW)


def test_the_last_admin_stays(engine: Engine) -> None:
    add_user(engine, "ada", "admin")
    with writing(engine) as connection:
        with pytest.raises(LastAdminError):
            change_user(connection, "ada", now=LATER, role="user")
        with pytest.raises(LastAdminError):
            delete_user(connection, "ada", LATER)
        change_user(connection, "ada", now=LATER, role="admin", password_hash="new")
        create_user(connection, "eve", "hash", "admin", LATER)
        delete_user(connection, "ada", LATER)
        assert has_admin(connection)


def test_two_admins_who_demote_each_other_leave_one(engine: Engine) -> None:
    for _ in range(10):
        with writing(engine) as connection:
            for name in ("ada", "eve"):
                if find_user(connection, name):
                    change_user(connection, name, now=NOW, role="admin")
                else:
                    create_user(connection, name, "hash", "admin", NOW)
        outcomes = at_once(
            engine,
            lambda connection: change_user(connection, "ada", now=LATER, role="user"),
            lambda connection: delete_user(connection, "eve", LATER),
        )
        assert outcomes.count(LastAdminError) == 1
        with reading(engine) as connection:
            assert [user.role for user in list_users(connection)].count("admin") == 1


def test_of_two_who_create_the_same_user_one_gets_an_error(engine: Engine) -> None:
    outcomes = at_once(engine, *[lambda connection: create_user(connection, "bob", "hash", "user", NOW)] * 2)
    assert outcomes.count(UserExistsError) == 1


def test_the_first_admin_is_created_once(engine: Engine) -> None:
    outcomes = at_once(engine, *[lambda connection: ensure_admin(connection, "root", "hash", NOW)] * 4)
    assert sorted(map(bool, outcomes)) == [False, False, False, True]
    with writing(engine) as connection:
        assert not ensure_admin(connection, "other", "hash", LATER)
        assert [user.username for user in list_users(connection)] == ["root"]


def test_the_first_admin_may_have_been_a_user(engine: Engine) -> None:
    add_user(engine, "root", "user")
    with writing(engine) as connection:
        assert ensure_admin(connection, "root", "new", LATER)
        assert find_user(connection, "root") == User("root", "admin", "new", LATER, LATER)


def test_active_users_are_those_who_are_not_deleted(engine: Engine) -> None:
    for name in ("alice", "bob", "carol"):
        add_user(engine, name, "reviewer")
    with writing(engine) as connection:
        delete_user(connection, "bob", LATER)
        assert active_users(connection, {"alice", "bob", "nobody", "\0"}) == {"alice": ("reviewer", NOW)}
        assert active_users(connection, []) == {}


def test_revocations_name_whose_tokens_were_voided(engine: Engine) -> None:
    for name in ("alice", "bob", "carol"):
        add_user(engine, name, "user")
    with writing(engine) as connection:
        delete_user(connection, "bob", LATER)
        change_user(connection, "carol", now=LATER, password_hash="new")
        assert revocations(connection, NOW) == {"bob": LATER, "carol": LATER}
        assert revocations(connection, LATER) == {}
        assert revocations(connection, NOW - timedelta(seconds=1)).keys() == {"alice", "bob", "carol"}
