"""The settings of the monitor service: its tokens, and where the users are known."""

from typing import Annotated

from pydantic import Field

from monitoring.authentication import Tokens
from web.settings import SecretKey, ServiceSettings

_ADDRESS = r"^https?://[^@\s]+$"  # without a name and password, since it is logged


class MonitorSettings(ServiceSettings):
    """Settings of the monitor service; `ServiceSettings` explains how they are read."""

    metrics_token: Annotated[SecretKey | None, Field(description="what Prometheus sends to read /metrics")] = None
    alert_token: Annotated[SecretKey | None, Field(description="what Alertmanager sends with alerts")] = None
    reports_token: Annotated[SecretKey | None, Field(description="what people send to read the pages")] = None
    service_url: Annotated[
        str, Field(description="address of the prediction service, which knows the users", pattern=_ADDRESS)
    ] = "http://127.0.0.1:3000"
    auth_url: Annotated[
        str | None, Field(description="address of auth, where it runs apart: it knows them", pattern=_ADDRESS)
    ] = None

    @property
    def users_url(self) -> str:
        """The address of the service that knows the users."""
        return self.auth_url or self.service_url

    def tokens(self) -> Tokens:
        """Return the tokens; on a local machine those that are not set are kept in the state folder.

        Raises `SettingsError` in production when one is not set.
        """
        return Tokens(*map(self.required, ("metrics_token", "alert_token", "reports_token")))
