"""The base of settings: read from the environment, frozen, no weak keys, and errors that show no value."""

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from web.settings import SecretKey, ServiceSettings, SettingsError

STRONG = "9f2c41d07a6b4e0f8d13c5a7b2e46f901122334455667788"


class Example(ServiceSettings):
    """Settings of no service."""

    first_key: SecretKey | None = None
    second_key: SecretKey | None = None
    number: int = 1


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("APP_ENV", "FIRST_KEY", "SECOND_KEY", "NUMBER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))


def test_a_local_start_makes_random_keys_that_only_the_owner_reads(tmp_path: Path) -> None:
    settings = Example.from_environment()
    key = settings.required("first_key")
    assert key == Example.from_environment().required("first_key")
    assert len(key) == 64
    assert key != settings.required("second_key")
    assert stat.S_IMODE((tmp_path / "state" / "first-key").stat().st_mode) == 0o600


def test_production_needs_keys_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    with pytest.raises(SettingsError, match="FIRST_KEY must be set with APP_ENV=production"):
        Example.from_environment().required("first_key")
    assert not (tmp_path / "state").exists()
    monkeypatch.setenv("FIRST_KEY", STRONG)
    assert Example.from_environment().required("first_key") == STRONG


@pytest.mark.parametrize("weak", ["secret", "a" * 64, "0123456789abcdef", "abab" * 16])
def test_weak_keys_are_refused_and_not_repeated(weak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_KEY", weak)
    with pytest.raises(SettingsError, match=r"^FIRST_KEY is too weak") as caught:
        Example.from_environment()
    assert weak not in str(caught.value)


def test_everything_that_is_wrong_is_named_and_no_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBER", "hunter2")
    monkeypatch.setenv("SECOND_KEY", "hunter2")
    monkeypatch.setenv("APP_ENV", "staging")
    with pytest.raises(SettingsError) as caught:
        Example.from_environment()
    sentence = str(caught.value)
    for expected in ("NUMBER: Input should be", "SECOND_KEY is too weak", "APP_ENV: Input should be"):
        assert expected in sentence
    assert "hunter2" not in sentence


def test_empty_variables_count_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_KEY", "")
    monkeypatch.setenv("NUMBER", "")
    assert Example.from_environment().number == 1


def test_fields_that_are_given_come_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBER", "2")
    settings = Example.from_environment(number=3, state_dir=tmp_path)
    assert (settings.number, settings.state_dir) == (3, tmp_path)


def test_settings_are_frozen_and_hide_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_KEY", STRONG)
    settings = Example.from_environment()
    assert STRONG not in repr(settings)
    with pytest.raises(ValidationError):
        settings.number = 2  # type: ignore[misc]


@pytest.mark.parametrize("name", ["FIRST_KEY", "SECOND_KEY", "TRUSTED_PROXIES", "NUMBER"])
@pytest.mark.parametrize("around", ["{}\n", " {}", "{}\r\n", "\t{}", "{}\u00a0"])
def test_a_value_with_white_space_around_it_is_refused_since_no_client_would_send_it(
    name: str, around: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, around.format("1" if name == "NUMBER" else STRONG))
    with pytest.raises(SettingsError, match=f"^{name} begins or ends with white space") as caught:
        Example.from_environment()
    assert STRONG not in str(caught.value)


@pytest.mark.parametrize(
    ("inside", "message"),
    [("\n", "a control character"), ("\x7f", "a control character"), ("\u200b", "one that is not seen"),
     ("é", "is not ASCII")],
)  # fmt: skip
def test_a_key_that_no_header_can_hold_is_refused(inside: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_KEY", f"{STRONG}{inside}{STRONG}")
    with pytest.raises(SettingsError, match=f"^FIRST_KEY has .*{message}") as caught:
        Example.from_environment()
    assert STRONG not in str(caught.value)


@pytest.mark.parametrize("content", ["", "\n", "short\n", "é" * 40])
def test_a_key_file_that_was_emptied_or_changed_is_refused_and_named(
    content: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = Example.from_environment()
    settings.required("first_key")
    (tmp_path / "state" / "first-key").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"^the key in .*first-key "):
        settings.required("first_key")
