"""Logging in, users, and tokens that stop working."""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select

from bento.settings import Settings
from ledger.database import reading, writing
from ledger.tables import AuditRow, PredictionRow, ReceiptRow
from ledger.users import create_user
from tests.bento.conftest import PASSWORD, Service, now

Start = Callable[[Settings], Service]


def log_in(service: Service, username: str, password: str) -> tuple[int, dict[str, str]]:
    answer = service.client.post("/login", data={"username": username, "password": password})
    return answer.status_code, answer.json()


def test_name_and_password_give_a_token_for_both_headers(service: Service) -> None:
    status, answer = log_in(service, "ulf", PASSWORD)
    assert status == 200
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 1_800)
    token = answer["access_token"]
    for headers in ({"Authorization": f"Bearer {token}"}, {"authorization": f"bearer {token}"}, {"token": token}):
        me = service.client.get("/me", headers=headers)
        assert (me.status_code, me.json()) == (200, {"id": service.user("ulf").id, "username": "ulf", "role": "user"})


@pytest.mark.parametrize(
    ("username", "password"), [("ulf", "wrong-Umbrella-42"), ("nobody", PASSWORD), ("", ""), ("ulf", "")]
)
def test_a_refusal_does_not_show_whether_the_name_exists(service: Service, username: str, password: str) -> None:
    status, answer = log_in(service, username, password)
    assert status in (401, 422)
    if status == 401:
        assert answer["detail"] == "name or password is wrong"


def test_an_unknown_name_costs_as_much_as_a_wrong_password(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    from pwdlib import PasswordHash

    verified: list[str] = []
    honest = PasswordHash.verify

    def counting(self: PasswordHash, password: str, hash: str) -> bool:
        verified.append(hash.split("$")[3])
        return honest(self, password, hash)

    monkeypatch.setattr(PasswordHash, "verify", counting)
    log_in(service, "nobody", "wrong-Umbrella-42")
    log_in(service, "ulf", "wrong-Umbrella-42")
    assert verified == ["m=19456,t=2,p=1"] * 2


def test_only_admins_manage_users(service: Service) -> None:
    for username in ("ulf", "rita"):
        for method, path in (("GET", "/users"), ("POST", "/users"), ("PATCH", "/users/uma"), ("DELETE", "/users/uma")):
            answer = service.client.request(method, path, headers=service.as_(username), json={})
            assert answer.status_code == 403, (username, method, path)


def test_an_admin_creates_changes_lists_and_deletes_users(service: Service) -> None:
    admin = service.as_("ada")
    new = {"username": "zoe", "password": "orange-Tricycle-77", "role": "reviewer"}
    created = service.client.post("/users", headers=admin, json=new)
    shown = {"id": service.user("zoe").id, "username": "zoe", "role": "reviewer"}
    assert (created.status_code, created.json()) == (201, shown)
    assert service.client.post("/users", headers=admin, json=new).status_code == 409
    assert log_in(service, "zoe", "orange-Tricycle-77")[0] == 200
    changed = service.client.patch("/users/zoe", headers=admin, json={"password": "purple-Tricycle-78"})
    assert changed.status_code == 200
    assert log_in(service, "zoe", "orange-Tricycle-77")[0] == 401
    assert log_in(service, "zoe", "purple-Tricycle-78")[0] == 200
    listed = service.client.get("/users", headers=admin).json()
    assert shown in [{name: entry[name] for name in shown} for entry in listed]
    assert all(set(entry) == {"id", "username", "role", "created_at"} for entry in listed)
    assert service.client.delete("/users/zoe", headers=admin).status_code == 204
    assert service.client.delete("/users/zoe", headers=admin).status_code == 404
    assert service.client.patch("/users/zoe", headers=admin, json={"role": "user"}).status_code == 404
    with reading(service.engine) as connection:
        columns = (AuditRow.actor, AuditRow.actor_id, AuditRow.event, AuditRow.subject, AuditRow.subject_id)
        trail = connection.execute(select(*columns).where(AuditRow.event.like("user %")).order_by(AuditRow.id)).all()
    assert [tuple(entry) for entry in trail] == [
        ("ada", service.user("ada").id, event, "zoe", shown["id"])
        for event in ("user created", "user changed", "user deleted")
    ]


def test_weak_passwords_are_refused_for_users_too(service: Service) -> None:
    for password in ("short", "password-password", "qwertyuiop123", "zoe-zoe-zoe-zoe"):
        answer = service.client.post(
            "/users", headers=service.as_("ada"), json={"username": "zoe", "password": password}
        )
        assert answer.status_code == 422
        assert password not in answer.text


def test_the_last_admin_stays(service: Service) -> None:
    admin = service.as_("ada")
    assert service.client.delete("/users/ada", headers=admin).status_code == 409
    assert service.client.patch("/users/ada", headers=admin, json={"role": "user"}).status_code == 409
    service.client.patch("/users/rita", headers=admin, json={"role": "admin"})
    assert service.client.delete("/users/ada", headers=admin).status_code == 204


@pytest.mark.parametrize("change", ["deleted", "demoted", "new password"])
def test_the_tokens_of_a_changed_user_stop_working_at_once(service: Service, change: str) -> None:
    before, admin = service.as_("rita"), service.as_("ada")
    assert service.client.get("/me", headers=before).status_code == 200
    if change == "deleted":
        service.client.delete("/users/rita", headers=admin)
    elif change == "demoted":
        service.client.patch("/users/rita", headers=admin, json={"role": "user"})
    else:
        service.client.patch("/users/rita", headers=admin, json={"password": "orange-Tricycle-77"})
    listing = {"designation": "Piscine gonflable"}
    for method, path, body in (
        ("GET", "/me", None), ("POST", "/predict", listing), ("POST", "/predict/batch", {"listings": [listing]}),
        ("POST", "/feedback", {"correct_code": 10}), ("GET", "/review", None), ("GET", "/model-info", None),
        ("DELETE", "/me/predictions", None), ("GET", "/predictions/any-id", None),
        ("POST", "/renew", None),
    ):  # fmt: skip
        answer = service.client.request(method, path, headers=before, json=body)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
    if change != "deleted":
        password = "orange-Tricycle-77" if change == "new password" else PASSWORD
        token = log_in(service, "rita", password)[1]["access_token"]
        assert service.client.get("/me", headers={"token": token}).status_code == 200


def test_a_user_who_is_given_the_name_of_a_deleted_one_has_nothing_of_it(service: Service) -> None:
    before, admin, once = service.as_("ulf"), service.as_("ada"), {"Idempotency-Key": "order-1"}
    listing, client = {"designation": "Piscine gonflable"}, service.client
    first = client.post("/predict", headers=before | once, json=listing).json()
    client.delete("/users/ulf", headers=admin)
    client.post("/users", headers=admin, json={"username": "ulf", "password": "orange-Tricycle-77"})
    assert client.get("/me", headers=before).status_code == 401
    assert log_in(service, "ulf", "orange-Tricycle-77")[0] == 200
    after = service.as_("ulf")
    assert client.post("/feedback", headers=after, json={"correct_code": 10}).status_code == 404  # no last prediction
    of_first = {"prediction_id": first["prediction_id"], "correct_code": 10}
    assert client.post("/feedback", headers=after, json=of_first).status_code == 404
    second = client.post("/predict", headers=after | once, json=listing).json()
    assert second["prediction_id"] != first["prediction_id"]  # the answer of the first user was not given out
    assert client.delete("/me/predictions", headers=after).json() == {"erased": 1}
    with reading(service.engine) as connection:
        assert connection.execute(select(PredictionRow.id)).scalars().all() == []  # the first one's went with the user


def test_logging_out_ends_all_sessions_of_the_caller_and_no_others(service: Service) -> None:
    first, second = (log_in(service, "ulf", PASSWORD)[1]["access_token"] for _ in range(2))
    assert service.client.post("/logout", headers={"token": first}).status_code == 204
    for token in (first, second):
        assert service.client.get("/me", headers={"token": token}).status_code == 401
    assert service.client.get("/me", headers=service.as_("uma")).status_code == 200
    again = log_in(service, "ulf", PASSWORD)[1]["access_token"]
    assert service.client.get("/me", headers={"token": again}).status_code == 200


def test_a_token_is_renewed_for_as_long_as_a_session_may_last(
    start: Start, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start(settings.model_copy(update={"session_hours": 2}))
    token = log_in(service, "ulf", PASSWORD)[1]["access_token"]
    login = time.time()
    for hours, status in ((0.4, 200), (1.9, 200), (2.1, 401)):
        monkeypatch.setattr("bento.auth.time", lambda hours=hours: login + hours * 3_600)
        answer = service.client.post("/renew", headers={"token": token})
        assert answer.status_code == status, hours
        token = answer.json().get("access_token", token)
    assert answer.json()["detail"] == "log in again: the password was given more than 2 hours ago"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert service.client.get("/me", headers={"token": token}).json()["username"] == "ulf"


def test_nobody_renews_without_a_token_or_with_a_voided_one(service: Service) -> None:
    token = log_in(service, "ulf", PASSWORD)[1]["access_token"]
    renewed = service.client.post("/renew", headers={"token": token}).json()["access_token"]
    service.client.post("/logout", headers={"token": token})
    for headers in ({}, {"token": token}, {"token": renewed}):
        assert service.client.post("/renew", headers=headers).status_code == 401


def test_an_admin_sees_the_sessions_of_a_user_and_ends_them(service: Service) -> None:
    admin, ulf = service.as_("ada"), "/users/ulf"
    token = log_in(service, "ulf", PASSWORD)[1]["access_token"]
    log_in(service, "ulf", "wrong-Umbrella-42")
    log_in(service, "uma", PASSWORD)
    (session,) = service.client.get(f"{ulf}/sessions", headers=admin).json()
    lasts = datetime.fromisoformat(session["until"]) - datetime.fromisoformat(session["logged_in_at"])
    assert (session["address"], lasts) == ("testclient", timedelta(hours=12, minutes=30))
    assert service.client.post(f"{ulf}/logout", headers=admin).status_code == 204
    assert service.client.get("/me", headers={"token": token}).status_code == 401
    assert service.client.get(f"{ulf}/sessions", headers=admin).json() == []
    with reading(service.engine) as connection:
        by = connection.scalars(select(AuditRow.actor).where(AuditRow.event == "user logged out")).all()
    assert by == ["ada"]
    for username in ("ulf", "rita"):
        for method, path in (("GET", f"{ulf}/sessions"), ("POST", f"{ulf}/logout")):
            assert service.client.request(method, path, headers=service.as_(username)).status_code == 403
    for method, path in (("GET", "/users/nobody/sessions"), ("POST", "/users/nobody/logout")):
        assert service.client.request(method, path, headers=admin).status_code == 404


def test_users_change_their_own_password_with_the_present_one(service: Service) -> None:
    before = service.as_("ulf")

    def change(present: str, new: str) -> int:
        body = {"current_password": present, "password": new}
        return service.client.patch("/me", headers=before, json=body).status_code

    assert change(PASSWORD, "qwertyuiop123") == 422
    assert change(PASSWORD, "this-is-ulf-and-more") == 422
    assert change("wrong-Umbrella-42", "orange-Tricycle-77") == 403
    assert change(PASSWORD, "orange-Tricycle-77") == 200
    assert service.client.get("/me", headers=before).status_code == 401
    assert log_in(service, "ulf", PASSWORD)[0] == 401
    assert log_in(service, "ulf", "orange-Tricycle-77")[0] == 200


def test_a_stolen_token_does_not_help_to_guess_the_password(service: Service) -> None:
    body = {"current_password": "wrong-Umbrella-42", "password": "orange-Tricycle-77"}
    statuses = [service.client.patch("/me", headers=service.as_("ulf"), json=body).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]
    assert log_in(service, "ulf", PASSWORD)[0] == 429  # they count as attempts to log in


def test_the_same_key_with_another_password_is_another_request(service: Service) -> None:
    admin = service.as_("ada") | {"Idempotency-Key": "new-user"}
    new = {"username": "zoe", "password": "orange-Tricycle-77"}
    assert [service.client.post("/users", headers=admin, json=new).status_code for _ in range(2)] == [201, 201]
    for change in ({"password": "purple-Tricycle-78"}, {"role": "reviewer"}, {"username": "yve"}):
        assert service.client.post("/users", headers=admin, json=new | change).status_code == 409
    with reading(service.engine) as connection:
        stored = connection.execute(select(ReceiptRow)).one()
    plain = "\x1f".join(("POST /users", "zoe", "user", "orange-Tricycle-77"))
    assert stored.fingerprint != hashlib.sha256(plain.encode()).hexdigest(), "a password could be guessed from it"


@pytest.mark.parametrize(
    "name",
    [
        ".", "..", "...", ".hidden", "a/b", "a b", "", "x" * 65, "-x", "a\u0000b", "a\nb", "a\n", "\u200b",
        "6f1b6f0e-7a7c-4f3e-9f5b-0a3f5c9d1e2f",
    ],
)  # fmt: skip
def test_a_name_that_no_path_can_have_or_that_looks_like_an_id_is_refused(service: Service, name: str) -> None:
    new = {"username": name, "password": "orange-Tricycle-77"}
    assert service.client.post("/users", headers=service.as_("ada"), json=new).status_code == 422


@pytest.mark.parametrize("again", ["Zo\u00eb", "Zoe\u0308", "\uff3ao\u00eb", "Z\u00ado\u00eb\u200b", "Zo\u00eb\ufe0f"])
def test_names_that_look_the_same_are_one_user(service: Service, again: str) -> None:
    admin, password = service.as_("ada"), "orange-Tricycle-77"
    created = service.client.post("/users", headers=admin, json={"username": "Zoe\u0308", "password": password})
    assert created.json()["username"] == "Zo\u00eb"
    second = service.client.post("/users", headers=admin, json={"username": again, "password": password})
    assert second.status_code == 409
    assert log_in(service, again, password)[0] == 200
    assert service.client.delete(f"/users/{quote(again)}", headers=admin).status_code == 204


@pytest.mark.parametrize("name", ["..", ".", "a/b", "Zoe\u0308"])
def test_a_user_whose_name_is_no_longer_allowed_is_deleted_by_id(service: Service, name: str) -> None:
    with writing(service.engine) as connection:
        create_user(connection, name, "hash", "user", now())
    listed = service.client.get("/users", headers=service.as_("ada")).json()
    (user_id,) = [entry["id"] for entry in listed if entry["username"] == name]
    assert service.client.delete(f"/users/{user_id}", headers=service.as_("ada")).status_code == 204
