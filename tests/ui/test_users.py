"""The page on which admins manage accounts, on the real service."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.bento.conftest import PASSWORD, Service
from tests.ui.conftest import Tab
from ui import i18n


@pytest.fixture
def users(tab: Tab) -> AppTest:
    """The page, as an admin sees it."""
    return tab.sign_in("ada").open("users").app


def form(app: AppTest, name: str, password: str) -> None:
    fields = {field.label: field for field in app.text_input}
    fields["Name"].set_value(name)
    fields["New password"].set_value(password)
    press(app, "Create")


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click()
    app.run()


def choose(app: AppTest, service: Service, username: str) -> None:
    app.selectbox(key="users_chosen").set_value(service.user(username).id)
    app.run()


def test_an_admin_creates_a_user_who_can_sign_in(users: AppTest, services: Service) -> None:
    form(users, "nora", "orchid-Lantern-93")
    assert not users.exception
    assert "User nora was created." in [message.value for message in users.success]
    assert services.user("nora").role == "user"
    assert next(field for field in users.text_input if field.label == "Name").value == ""


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("nora", "short", "The password must have 12 to 128 characters."),
        ("nora", "nora-Lantern-93-x", "The password must not contain the user's name."),
        ("nora", "password1234", "The password is easily guessed"),
        ("ulf", "orchid-Lantern-93", "There is a user of that name already."),
        ("n o", "orchid-Lantern-93", "The name has 1 to 64 letters"),
    ],
)
def test_what_the_service_refuses_is_said_and_what_was_typed_stays(
    users: AppTest, name: str, password: str, said: str
) -> None:
    form(users, name, password)
    assert said in users.error[0].value
    assert next(field for field in users.text_input if field.label == "Name").value == name


def test_a_refusal_is_in_the_language_of_the_user(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "language", lambda: "de")
    tab.app.run()
    users = tab.sign_in("ada").open("users").app
    next(field for field in users.text_input if field.label == "Name").set_value("ulf")
    next(field for field in users.text_input if field.label == "Neues Passwort").set_value("orchid-Lantern-93")
    press(users, "Anlegen")
    assert "gibt es schon" in users.error[0].value


def test_a_new_role_holds_at_once(users: AppTest, services: Service) -> None:
    choose(users, services, "ulf")
    users.selectbox(key=f"users_role_{services.user('ulf').id}").set_value("reviewer")
    press(users, "Change the role")
    assert services.user("ulf").role == "reviewer"
    assert "ulf has the role reviewer now" in users.success[0].value


def test_the_last_admin_keeps_the_role(users: AppTest, services: Service) -> None:
    choose(users, services, "ada")
    users.selectbox(key=f"users_role_{services.user('ada').id}").set_value("user")
    press(users, "Change the role")
    assert "last admin" in users.error[0].value
    assert services.user("ada").role == "admin"


def test_a_password_is_reset(users: AppTest, services: Service) -> None:
    choose(users, services, "ulf")
    users.text_input(key=f"users_password_{services.user('ulf').id}").set_value("orchid-Lantern-93")
    press(users, "Set the password")
    answers = [
        services.client.post("/login", data={"username": "ulf", "password": password}).status_code
        for password in (PASSWORD, "orchid-Lantern-93")
    ]
    assert answers == [401, 200]


def test_sessions_are_listed_and_ended(users: AppTest, services: Service) -> None:
    token = services.client.post("/login", data={"username": "ulf", "password": PASSWORD}).json()["access_token"]
    choose(users, services, "ulf")
    press(users, "End all sessions")
    assert "All sessions of ulf have ended." in users.success[0].value
    assert services.client.get("/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_user_is_deleted_after_the_name_was_typed(users: AppTest, services: Service) -> None:
    choose(users, services, "ulf")
    press(users, "Delete this user…")
    confirm = next(button for button in users.button if button.label == "Delete for ever")
    assert confirm.disabled
    users.text_input(key="users_delete_name").set_value("ulf")
    users.run()
    press(users, "Delete for ever")
    assert "ulf was deleted" in users.success[0].value
    left = services.client.get("/users", headers=services.as_("ada")).json()
    assert "ulf" not in [user["username"] for user in left]


def test_others_do_not_see_the_page(tab: Tab) -> None:
    assert tab.sign_in("rita").open("users").app.title[0].value != "Users"
