"""Settings: no default secrets, weak ones are refused, and errors name the variable without its value."""

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from bento.auth import ensure_first_admin
from bento.settings import Settings, worker_count
from ledger.database import migrate, open_engine
from web.settings import SettingsError

STRONG = "9f2c41d07a6b4e0f8d13c5a7b2e46f901122334455667788"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("APP_ENV", "JWT_SECRET", "METRICS_TOKEN", "ADMIN_PASSWORD", "AUTH_URL", "DATABASE_URL", "WORKERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))


def test_a_local_start_makes_random_keys_that_only_the_owner_reads(tmp_path: Path) -> None:
    settings = Settings.from_environment()
    first, again = settings.required("jwt_secret"), settings.required("jwt_secret")
    assert first == again
    assert len(first) == 64
    assert first != settings.required("metrics_token")
    path = tmp_path / "state" / "jwt-secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_production_needs_secrets_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    settings = Settings.from_environment()
    with pytest.raises(SettingsError, match="JWT_SECRET must be set with APP_ENV=production"):
        settings.required("jwt_secret")
    assert not (tmp_path / "state").exists()
    monkeypatch.setenv("JWT_SECRET", STRONG)
    assert Settings.from_environment().required("jwt_secret") == STRONG


@pytest.mark.parametrize("weak", ["secret", "a" * 64, "0123456789abcdef", "abab" * 16])
@pytest.mark.parametrize("name", ["JWT_SECRET", "METRICS_TOKEN"])
def test_weak_secrets_are_refused_and_not_repeated(name: str, weak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, weak)
    with pytest.raises(SettingsError, match=f"{name} is too weak") as caught:
        Settings.from_environment()
    assert weak not in str(caught.value)


@pytest.mark.parametrize("weak", ["short", "passwordpassword", "admin-admin-admin"])
def test_a_weak_password_of_the_first_admin_is_refused(weak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", weak)
    with pytest.raises(SettingsError):
        Settings.from_environment()


def test_a_wrong_setting_is_named_and_its_value_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_BODY_BYTES", "hunter2-in-the-wrong-place")
    with pytest.raises(SettingsError, match="MAX_BODY_BYTES") as caught:
        Settings.from_environment()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("given", ["0", "two", "-1", "1000"])
def test_a_wrong_number_of_workers_is_named(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERS", given)
    with pytest.raises(SettingsError, match="WORKERS must be a number from 1 to 64"):
        worker_count()


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", STRONG)
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:hunter2@db/shop")
    shown = repr(Settings.from_environment())
    assert STRONG not in shown
    assert "hunter2" not in shown


def test_settings_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.from_environment()
    with pytest.raises(ValidationError):
        settings.max_in_flight = 1  # type: ignore[misc]


def test_trusted_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.from_environment().trusted_proxies == ()
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.5, 10.1.0.0/16,::1")
    assert [str(network) for network in Settings.from_environment().trusted_proxies] == [
        "10.0.0.5/32", "10.1.0.0/16", "::1/128",
    ]  # fmt: skip
    monkeypatch.setenv("TRUSTED_PROXIES", "proxy.local")
    with pytest.raises(SettingsError, match="TRUSTED_PROXIES must be addresses and networks"):
        Settings.from_environment()


@pytest.mark.parametrize(
    "name", ["JWT_SECRET", "METRICS_TOKEN", "ADMIN_PASSWORD", "AUTH_SERVICE_TOKEN", "AUTH_URL", "DATABASE_URL"]
)
def test_a_setting_that_ends_in_a_newline_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    good = {"ADMIN_PASSWORD": "violet-Umbrella-42", "AUTH_URL": "http://auth:1", "DATABASE_URL": "sqlite:////x/y.db"}
    monkeypatch.setenv(name, good.get(name, STRONG) + "\n")
    with pytest.raises(SettingsError, match=f"^{name} begins or ends with white space"):
        Settings.from_environment()


def test_a_key_in_pem_has_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nMCowBQ\n-----END PUBLIC KEY-----\n"
    monkeypatch.setenv("AUTH_PUBLIC_KEY", pem)
    assert Settings.from_environment().auth_public_key == pem


def test_an_emptied_file_is_no_password_of_the_first_admin(tmp_path: Path) -> None:
    settings = Settings.from_environment(database_url=f"sqlite:///{tmp_path / 'ledger.db'}")
    settings.state_dir.mkdir(parents=True)
    (settings.state_dir / "admin-password").write_text("\n")
    migrate(settings.database_url)
    engine = open_engine(settings.database_url)
    with pytest.raises(SettingsError, match="admin-password cannot be that of the first admin"):
        ensure_first_admin(engine, settings)
    engine.dispose()
