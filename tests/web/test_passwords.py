"""Weak passwords are refused: short, common, typed along the keyboard, repeated, or about their owner."""

import secrets

import pytest

from web.passwords import refuse_weak_password
from web.secret_store import WeakSecretError


@pytest.mark.parametrize("weak", ["short", "violet-Umb-", "violet-Umbrella-42" * 8, "abcab" * 5])
def test_passwords_of_a_wrong_length_or_few_different_characters_are_refused(weak: str) -> None:
    with pytest.raises(WeakSecretError):
        refuse_weak_password(weak, "somebody")


@pytest.mark.parametrize(
    "weak",
    [
        "qwertyuiop123", "QwertyUiop123", "poiuytrewq321", "azertyuiop123", "asdfghjkl;123", "1qaz2wsx3edc",
        "zaq12wsxcde3", "abcdefghijkl1", "123456789012", "!@#$%^&*()12",
    ],
)  # fmt: skip
def test_walks_on_the_keyboard_and_sequences_are_refused(weak: str) -> None:
    with pytest.raises(WeakSecretError, match="easily guessed"):
        refuse_weak_password(weak, "somebody")


@pytest.mark.parametrize(
    "weak",
    [
        "passwordpassword", "password-password", "P@ssw0rd1234", "Password2024!", "changeme12345678", "telechargement",
        "iloveyou1234", "Dragon123456", "dragon-monkey", "Summer2019!!!!!", "rakuten-admin-1",
        "motdepasse2025", "p@$$w0rd!!!!!!", "Baseball1999baseball",
    ],
)  # fmt: skip
def test_common_words_with_what_is_added_to_them_are_refused(weak: str) -> None:
    with pytest.raises(WeakSecretError, match="easily guessed"):
        refuse_weak_password(weak, "somebody")


@pytest.mark.parametrize(
    ("weak", "name"),
    [
        ("Marie-Dupont-1!", "marie-dupont"), ("my-zoe-is-the-best", "zoe"), ("zoe-zoe-zoe-zoe", "zoe"),
        ("admin-admin-admin", "admin"), ("Zoë is the one here", "zoe\u0308"), ("tnopud-violet-umbrella", "dupont"),
        ("Dupont-1234-dupont", "marie.dupont@shop.fr"),
    ],
)  # fmt: skip
def test_passwords_about_their_owner_are_refused(weak: str, name: str) -> None:
    with pytest.raises(WeakSecretError):
        refuse_weak_password(weak, name)


@pytest.mark.parametrize(
    "strong",
    [
        "violet-Umbrella-42", "trois petits chats gris", "Kühlschrank!7Tür", "correct horse battery staple",
        "日本語のパスワードです漢字", "Marie-Dupont-1!", "x7#Kp2!mQz9w",
    ],
)  # fmt: skip
def test_strong_passwords_are_accepted(strong: str) -> None:
    refuse_weak_password(strong, "ed")


def test_random_passwords_are_strong() -> None:
    for _ in range(200):
        refuse_weak_password(secrets.token_urlsafe(18), "admin")
