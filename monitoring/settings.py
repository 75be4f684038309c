"""The tokens of the monitor service, from the environment or the state folder."""

from typing import Annotated

from pydantic import Field

from monitoring.authentication import Tokens
from web.settings import SecretKey, ServiceSettings


class MonitorSettings(ServiceSettings):
    """Settings of the monitor service; `ServiceSettings` explains how they are read."""

    metrics_token: Annotated[SecretKey | None, Field(description="what Prometheus sends to read /metrics")] = None
    alert_token: Annotated[SecretKey | None, Field(description="what Alertmanager sends with alerts")] = None
    reports_token: Annotated[SecretKey | None, Field(description="what people send to read the pages")] = None

    def tokens(self) -> Tokens:
        """Return the tokens; on a local machine those that are not set are kept in the state folder.

        Raises `SettingsError` in production when one is not set.
        """
        return Tokens(*map(self.required, ("metrics_token", "alert_token", "reports_token")))
