"""What can be set about the service, from the environment: the only place here that reads it."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bento import secret_store
from ledger.database import database_url

_SOURCE_ROOT = Path(__file__).resolve().parents[1]


class SettingsError(ValueError):
    """The environment does not say what it must."""


class Settings(BaseSettings):
    """One field a variable, in capitals. With `APP_ENV=production` secrets come from the environment or not at all."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True)

    app_env: Literal["local", "production"] = "local"
    state_dir: Annotated[
        Path, Field(description="keys, the first password and the ledger, where nothing else is set")
    ] = _SOURCE_ROOT / ".state"
    model_dir: Path = _SOURCE_ROOT / "model"
    database_url: Annotated[str, Field(repr=False)]

    jwt_secret: Annotated[SecretStr | None, Field(description="signs tokens; 32 bytes or more")] = None
    metrics_token: Annotated[SecretStr | None, Field(description="what Prometheus shows to read /metrics")] = None
    admin_username: Annotated[str, Field(pattern=r"^[\w.@+-]{1,64}$")] = "admin"
    admin_password: Annotated[SecretStr | None, Field(description="of the first admin")] = None

    auth_url: Annotated[str | None, Field(description="where auth runs apart; None: here", pattern=r"^https?://")] = (
        None
    )
    auth_public_key: Annotated[str | None, Field(description="its PEM, instead of asking it for its keys")] = None
    auth_service_token: Annotated[SecretStr | None, Field(description="reads its list of revoked tokens")] = None

    max_body_bytes: Annotated[int, Field(ge=1_024)] = 8 * 2**20
    max_in_flight: Annotated[int, Field(ge=1, description="requests a worker takes at a time")] = 512
    request_timeout_seconds: Annotated[float, Field(gt=0)] = 30

    @model_validator(mode="after")
    def _refuse_weak_secrets(self) -> Self:
        for name in ("jwt_secret", "metrics_token", "auth_service_token"):
            if given := getattr(self, name):
                secret_store.refuse_weak_key(name.upper(), given.get_secret_value())
        if self.admin_password:
            secret_store.refuse_weak_password(self.admin_password.get_secret_value(), self.admin_username)
        return self

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment. Raises `SettingsError` naming every variable that is wrong, and never its value."""
        try:
            return cls(database_url=database_url())
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, entry['loc'])).upper()}: {entry['msg']}".removeprefix(": Value error, ")
                for entry in error.errors(include_input=False, include_url=False)
            ]
            raise SettingsError("; ".join(problems)) from None

    def required(self, name: Literal["jwt_secret", "metrics_token", "auth_service_token"]) -> str:
        """Return a secret: the one that is set, or on a local machine a random one from the state folder.

        Raises `SettingsError` in production when it is not set.
        """
        given: SecretStr | None = getattr(self, name)
        if given:
            return given.get_secret_value()
        if self.app_env == "production":
            raise SettingsError(
                f"{name.upper()} must be set with APP_ENV=production; one can be made with 'openssl rand -hex 32'"
            )
        return secret_store.random_key(self.state_dir / name.replace("_", "-"))


def worker_count() -> int:
    """Return `WORKERS`, which is wanted before anything else is known. Raises `SettingsError`."""
    given = os.environ.get("WORKERS") or "1"
    if not given.isdecimal() or not 1 <= int(given) <= 64:
        raise SettingsError(f"WORKERS must be a number from 1 to 64, not {given!r}")
    return int(given)
