"""Who signs in, and what is left when the session ends."""

from tests.bento.conftest import Service
from tests.ui.conftest import Tab


def test_nobody_sees_a_page_before_signing_in(tab: Tab) -> None:
    assert tab.app.title[0].value == "Sign in"


def test_a_user_signs_in_with_the_password_of_the_service(tab: Tab) -> None:
    tab.sign_in("ulf")
    assert not tab.app.exception
    assert tab.app.title[0].value == "Classify a listing"
    assert "ulf" in tab.shown


def test_a_wrong_password_is_a_sentence(tab: Tab) -> None:
    tab.sign_in("ulf", "wrong-Password-1")
    assert "Name or password is wrong" in tab.shown


def test_the_token_is_in_no_element_of_the_page(tab: Tab, services: Service) -> None:
    tab.sign_in("ulf")
    token = tab.app.session_state["login"].token
    assert token
    assert token not in str(tab.app.main) + str(tab.app.sidebar)
