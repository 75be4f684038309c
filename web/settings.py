"""The base of every service's settings: read from the environment, frozen, and without weak secrets."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from web import secret_store
from web.addresses import Network, read_networks

_PEM = "-----BEGIN "
SOURCE_ROOT = Path(__file__).resolve().parents[1]


class SettingsError(ValueError):
    """The environment lacks a value, or a value in it is wrong."""


def _refuse_weak_key(key: SecretStr, info: ValidationInfo) -> SecretStr:
    secret_store.refuse_weak_key(str(info.field_name).upper(), key.get_secret_value())
    return key


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


Folder = Annotated[Path, AfterValidator(_absolute)]  # a relative one begins where the service is started
SecretKey = Annotated[SecretStr, AfterValidator(_refuse_weak_key)]  # of 32 bytes or more


def _read_networks(given: object) -> object:
    if not isinstance(given, str):
        return given
    try:
        return read_networks(given)
    except ValueError as error:
        raise ValueError(
            f"TRUSTED_PROXIES must be addresses and networks, as 10.0.0.5,10.1.0.0/16, but {error}"
        ) from None


class ServiceSettings(BaseSettings):
    """One field a variable, whose name is in capitals. With `APP_ENV=production` keys must be in the environment."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True)

    app_env: Literal["local", "production"] = "local"
    state_dir: Annotated[Folder, Field(description="folder of keys and of what else is not in the environment")] = (
        SOURCE_ROOT / ".state"
    )
    trusted_proxies: Annotated[
        tuple[Network, ...],
        NoDecode,
        BeforeValidator(_read_networks),
        Field(description="addresses and networks whose X-Forwarded-For is believed; none: the header is ignored"),
    ] = ()
    max_connections: Annotated[
        int | None, Field(ge=1, description="of a process; None: as many as the limit of open files allows")
    ] = None
    max_connections_per_address: Annotated[int, Field(ge=1, description="trusted proxies have no such limit")] = 200
    head_timeout_seconds: Annotated[float, Field(gt=0, description="in which a request's headers must arrive")] = 10

    @model_validator(mode="before")
    @classmethod
    def _refuse_unusable(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Refuse texts that cannot have been meant; a PEM alone has several lines."""
        wrong: list[str] = []
        for name, value in given.items():
            text = value.get_secret_value() if isinstance(value, SecretStr) else value
            if isinstance(text, str) and not text.startswith(_PEM):
                try:
                    secret_store.refuse_unusable(name.upper(), text)
                except secret_store.UnusableError as error:
                    wrong.append(str(error))
        if wrong:
            raise ValueError("; ".join(wrong))
        return given

    @classmethod
    def from_environment(cls, **given: Any) -> Self:
        """Read the environment; `given` fields come before it.

        Raises `SettingsError`, which names every variable that is wrong and never a value.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            raise SettingsError("; ".join(map(_sentence, error.errors(include_input=False)))) from None

    def required(self, name: str) -> str:
        """Return the key in the field `name`, or on a local machine a random one that is kept in the state folder.

        Raises `SettingsError` in production when the key is not set, and `ValueError` when the file holds no good key.
        """
        key: SecretStr | None = getattr(self, name)
        if key:
            return key.get_secret_value()
        if self.app_env == "production":
            raise SettingsError(
                f"{name.upper()} must be set with APP_ENV=production; one can be made with 'openssl rand -hex 32'"
            )
        path = self.state_dir / name.replace("_", "-")
        made = secret_store.random_key(path)
        secret_store.refuse_weak_key(f"the key in {path}", made)  # somebody may have emptied or changed the file
        return made


def _sentence(error: Any) -> str:
    """Return what is wrong about a variable: our own errors name it already."""
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    return f"{'.'.join(map(str, error['loc'])).upper()}: {error['msg']}"
