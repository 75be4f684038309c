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
    find_user_by_id,
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
        bob = create_user(connection, "bob", "hash", "user", NOW)
        assert bob == User(bob.id, "bob", "user", "hash", 0, NOW)
        assert find_user(connection, "bob") == find_user_by_id(connection, bob.id) == bob
        with pytest.raises(UserExistsError):
            create_user(connection, "bob", "other", "admin", LATER)
        changed = change_user(connection, bob.id, now=LATER, role="reviewer")
        assert changed == User(bob.id, "bob", "reviewer", "hash", 1, NOW)
        again = change_user(connection, bob.id, now=LATER, password_hash="new")
        assert again == User(bob.id, "bob", "reviewer", "new", 2, NOW)
        delete_user(connection, bob.id, LATER)
        assert find_user(connection, "bob") is find_user_by_id(connection, bob.id) is None
        for refused in (lambda: delete_user(connection, bob.id, NOW), lambda: change_user(connection, bob.id, now=NOW)):
            with pytest.raises(UnknownUserError):
                refused()


def test_a_name_given_again_is_another_user(engine: Engine) -> None:
    with writing(engine) as connection:
        first = create_user(connection, "bob", "hash", "user", NOW)
        delete_user(connection, first.id, LATER)
        second = create_user(connection, "bob", "other", "user", LATER)
        assert second.id != first.id
        assert find_user(connection, "bob") == second
        delete_user(connection, second.id, LATER)
        third = create_user(connection, "bob", "third", "user", LATER)
        assert len({first.id, second.id, third.id}) == 3
        with pytest.raises(UserExistsError):
            create_user(connection, "bob", "fourth", "user", LATER)
        assert active_users(connection, [first.id, second.id, third.id]) == {third.id: ("user", 0)}


def test_the_password_of_a_deleted_user_is_erased(engine: Engine) -> None:
    bob = add_user(engine, "bob", "user")
    with writing(engine) as connection:
        delete_user(connection, bob.user_id, LATER)
        assert connection.exec_driver_sql("SELECT password_hash FROM users").scalar() == ""


def test_users_are_listed_by_name_without_the_deleted(engine: Engine) -> None:
    ids = {name: add_user(engine, name, "user").user_id for name in ("carol", "alice", "bob")}
    with writing(engine) as connection:
        delete_user(connection, ids["bob"], LATER)
        assert [user.username for user in list_users(connection)] == ["alice", "carol"]


def test_an_unknown_role_is_refused(engine: Engine) -> None:
    with (
        pytest.raises(ValueError, match="a role is one of user, simulator, reviewer, admin"),
        writing(engine) as connection,
    ):
        create_user(connection, "bob", "hash", "root", NOW)


def test_the_last_admin_stays(engine: Engine) -> None:
    ada = add_user(engine, "ada", "admin").user_id
    with writing(engine) as connection:
        with pytest.raises(LastAdminError):
            change_user(connection, ada, now=LATER, role="user")
        with pytest.raises(LastAdminError):
            delete_user(connection, ada, LATER)
        change_user(connection, ada, now=LATER, role="admin", password_hash="new")
        create_user(connection, "eve", "hash", "admin", LATER)
        delete_user(connection, ada, LATER)
        assert has_admin(connection)


def test_two_admins_who_demote_each_other_leave_one(engine: Engine) -> None:
    for _ in range(10):
        with writing(engine) as connection:
            ada, eve = (
                change_user(connection, found.id, now=NOW, role="admin")
                if (found := find_user(connection, name))
                else create_user(connection, name, "hash", "admin", NOW)
                for name in ("ada", "eve")
            )
        outcomes = at_once(
            engine,
            lambda connection, ada=ada: change_user(connection, ada.id, now=LATER, role="user"),  # type: ignore[misc]
            lambda connection, eve=eve: delete_user(connection, eve.id, LATER),  # type: ignore[misc]
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
    root = add_user(engine, "root", "user")
    with writing(engine) as connection:
        assert ensure_admin(connection, "root", "new", LATER)
        assert find_user(connection, "root") == User(root.user_id, "root", "admin", "new", 1, NOW)


def test_active_users_are_those_who_are_not_deleted(engine: Engine) -> None:
    alice, bob, _ = (add_user(engine, name, "reviewer").user_id for name in ("alice", "bob", "carol"))
    with writing(engine) as connection:
        delete_user(connection, bob, LATER)
        assert active_users(connection, {alice, bob, "alice", "\0"}) == {alice: ("reviewer", 0)}
        assert active_users(connection, []) == {}


def test_revocations_name_whose_tokens_were_voided(engine: Engine) -> None:
    _, bob, carol = (add_user(engine, name, "user").user_id for name in ("alice", "bob", "carol"))
    with writing(engine) as connection:
        delete_user(connection, bob, LATER)
        change_user(connection, carol, now=NOW + timedelta(minutes=1), password_hash="new")
        change_user(connection, carol, now=LATER, password_hash="newer")
        assert revocations(connection, NOW) == {bob: 1, carol: 2}
        assert revocations(connection, LATER) == {}
