"""Who signs in, how long it lasts, and what is left when the session ends."""

import pytest

from tests.bento.conftest import Service
from tests.ui.conftest import Tab, new_tab, reached


@pytest.fixture
def services(shared_service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    return reached(shared_service, monkeypatch)


def test_nobody_sees_a_page_before_signing_in(tab: Tab) -> None:
    assert tab.app.title[0].value == "Sign in"
    assert not tab.app.header


def test_a_user_signs_in_with_the_password_of_the_service(tab: Tab) -> None:
    tab.sign_in("ulf")
    assert not tab.app.exception
    assert tab.app.title[0].value == "Classify a listing"
    assert "ulf" in tab.shown


def test_a_wrong_password_is_a_sentence(tab: Tab) -> None:
    tab.sign_in("ulf", "wrong-Password-1")
    assert "Name or password is wrong" in tab.shown


def test_a_form_that_is_not_complete_is_not_sent(tab: Tab) -> None:
    tab.sign_in("ulf", "")
    assert "Enter your name and your password" in tab.shown


def test_the_token_is_in_no_element_and_no_address(tab: Tab) -> None:
    tab.sign_in("ulf")
    token = tab.app.session_state["login"].token
    assert token
    assert token not in str(tab.app.main) + str(tab.app.sidebar) + str(tab.app.query_params)
    assert token not in repr(tab.app.session_state["login"])


def test_a_token_is_renewed_before_it_expires(tab: Tab) -> None:
    tab.sign_in("ulf")
    login = tab.app.session_state["login"]
    before = login.token
    login._expires_at -= 1_500
    tab.app.run()
    assert login.token != before
    assert tab.app.title[0].value == "Classify a listing"


def test_a_token_that_the_service_refuses_brings_the_form_back(tab: Tab, services: Service) -> None:
    tab.sign_in("ulf")
    services.client.post("/logout", headers=services.as_("ulf"))
    tab.app.session_state["login"]._expires_at -= 1_500
    tab.app.run()
    assert tab.app.title[0].value == "Sign in"
    assert "Your session has ended" in tab.shown


def test_signing_out_ends_the_token_and_clears_the_session(tab: Tab, services: Service) -> None:
    tab.sign_in("ulf")
    token = tab.app.session_state["login"].token
    tab.press("Sign out")
    assert tab.app.title[0].value == "Sign in"
    assert "login" not in tab.app.session_state
    answer = services.client.get("/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_what_a_user_has_typed_is_not_shown_to_the_next_one_in_the_same_tab(tab: Tab, services: Service) -> None:
    tab.sign_in("ulf")
    tab.app.text_input(key="classify_designation").set_value("a secret of ulf")
    tab.press("Classify")
    tab.open("catalogue").app.text_area(key="catalogue_pasted").set_value("another secret of ulf").run()
    services.client.post("/logout", headers={"Authorization": f"Bearer {tab.app.session_state['login'].token}"})
    tab.open("history").sign_in("uma").open("classify")
    assert tab.app.text_input(key="classify_designation").value == ""
    assert "secret" not in tab.html
    assert not tab.open("catalogue").app.text_area(key="catalogue_pasted").value


@pytest.mark.parametrize(
    ("username", "pages"),
    [
        ("ulf", {"", "catalogue", "history"}),
        ("rita", {"", "catalogue", "history", "review", "monitoring"}),
        ("ada", {"", "catalogue", "history", "review", "monitoring", "models", "users"}),
    ],
)
def test_the_role_decides_which_pages_are_in_the_navigation(tab: Tab, username: str, pages: set[str]) -> None:
    tab.sign_in(username)
    assert tab.pages == pages


@pytest.mark.parametrize(("locale", "title"), [("fr-FR", "Connexion"), ("de", "Anmelden"), ("it-IT", "Sign in")])
def test_the_language_is_that_of_the_browser(services: Service, locale: str, title: str) -> None:
    assert new_tab(locale=locale).app.title[0].value == title


def test_the_language_can_be_changed_and_stays_after_signing_in(tab: Tab) -> None:
    tab.app.selectbox(key="language").set_value("de").run()
    assert tab.app.title[0].value == "Anmelden"
    tab.sign_in("ulf")
    assert tab.app.title[0].value == "Ein Angebot klassifizieren"
