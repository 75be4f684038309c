"""The tokens of the monitor service, from the environment or the state folder."""

from pathlib import Path
from typing import Literal, Self

from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bento import secret_store
from monitoring.gate import Tokens


class WatchSettingsError(ValueError):
    """The environment does not say what it must."""


class WatchSettings(BaseSettings):
    """One field a variable, in capitals. With `APP_ENV=production` tokens come from the environment or not at all."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True)

    app_env: Literal["local", "production"] = "local"
    metrics_token: SecretStr | None = None  # what Prometheus shows to read /metrics
    alert_token: SecretStr | None = None  # what Alertmanager shows to send alerts
    reports_token: SecretStr | None = None  # what people show to read the pages

    @model_validator(mode="after")
    def _refuse_weak_tokens(self) -> Self:
        for name in ("metrics_token", "alert_token", "reports_token"):
            if given := getattr(self, name):
                secret_store.refuse_weak_key(name.upper(), given.get_secret_value())
        return self

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment. Raises `WatchSettingsError` naming what is wrong, and never its value."""
        try:
            return cls()
        except ValidationError as error:
            problems = [
                f"{'.'.join(map(str, entry['loc'])).upper()}: {entry['msg']}".removeprefix(": Value error, ")
                for entry in error.errors(include_input=False, include_url=False)
            ]
            raise WatchSettingsError("; ".join(problems)) from None

    def tokens(self, state_dir: Path) -> Tokens:
        """Return the tokens; on a local machine those that are not set are kept in the state folder.

        Raises `WatchSettingsError` in production when one is not set.
        """
        return Tokens(*(self._required(name, state_dir) for name in ("metrics_token", "alert_token", "reports_token")))

    def _required(self, name: str, state_dir: Path) -> str:
        given: SecretStr | None = getattr(self, name)
        if given:
            return given.get_secret_value()
        if self.app_env == "production":
            raise WatchSettingsError(
                f"{name.upper()} must be set with APP_ENV=production; one can be made with 'openssl rand -hex 32'"
            )
        return secret_store.random_key(state_dir / name.replace("_", "-"))
