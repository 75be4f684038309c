"""What can be set about the prediction service and about auth."""

import os
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bento.usernames import Username
from ledger.location import absolute, database_url
from ledger.review_state import ReviewRules
from web.passwords import refuse_weak_password
from web.settings import SOURCE_ROOT, Folder, SecretKey, ServiceSettings, SettingsError

ADMIN_PASSWORD_FILE = "admin-password"  # in the state folder


class Settings(ServiceSettings):
    """Settings of the prediction service and of auth; `ServiceSettings` explains how they are read."""

    model_dir: Folder = SOURCE_ROOT / "model"
    database_url: Annotated[str, AfterValidator(absolute), Field(repr=False, default_factory=database_url)]

    jwt_secret: Annotated[SecretKey | None, Field(description="signs tokens")] = None
    metrics_token: Annotated[SecretKey | None, Field(description="what Prometheus sends to read /metrics")] = None
    admin_username: Username = "admin"
    admin_password: Annotated[SecretStr | None, Field(description="of the first admin")] = None

    session_hours: Annotated[
        float, Field(gt=0, le=720, description="for which tokens can be renewed after the password was given")
    ] = 12

    review_users: Annotated[bool, Field(description="plain users review too, and see the listings of others")] = False
    review_quorum: Annotated[int, Field(ge=1, le=100, description="equal answers of users that finish a listing")] = 3
    review_random_share: Annotated[
        float, Field(ge=0, le=1, description="of the listings handed out: of the random sample")
    ] = 0.25
    review_overlap: Annotated[float, Field(ge=0, le=1, description="of the listings: for two reviewers")] = 0.05
    review_hold_seconds: Annotated[
        int, Field(ge=10, le=86_400, description="for which a listing handed out is kept for one person")
    ] = 300

    auth_url: Annotated[
        str | None,
        Field(description="address of auth that runs apart; None: it runs in this service", pattern=r"^https?://"),
    ] = None
    auth_public_key: Annotated[str | None, Field(description="its public key (PEM), instead of asking it")] = None
    auth_service_token: Annotated[SecretKey | None, Field(description="reads its list of revoked tokens")] = None

    max_body_bytes: Annotated[int, Field(ge=1_024, description="of a batch; others have lower ones")] = 4 * 2**20
    max_in_flight: Annotated[int, Field(ge=1, description="requests that a worker takes at a time")] = 512
    max_anonymous_in_flight: Annotated[int, Field(ge=1, description="the same, for each path without a token")] = 64
    request_timeout_seconds: Annotated[float, Field(gt=0)] = 30
    body_timeout_seconds: Annotated[float, Field(gt=0, description="in which a body must arrive")] = 10

    @model_validator(mode="after")
    def _refuse_weak_password(self) -> Self:
        if self.admin_password:
            refuse_weak_password(self.admin_password.get_secret_value(), self.admin_username)
        return self


def review_rules(settings: Settings) -> ReviewRules:
    """Return who reviews, and what finishes a listing."""
    return ReviewRules(
        users=settings.review_users,
        quorum=settings.review_quorum,
        overlap=settings.review_overlap,
        random_share=settings.review_random_share,
        hold_seconds=settings.review_hold_seconds,
    )


def worker_count() -> int:
    """Return `WORKERS`, which is needed before the other settings are read. Raises `SettingsError`."""
    given = os.environ.get("WORKERS") or "1"
    if not given.isdecimal() or not 1 <= int(given) <= 64:
        raise SettingsError(f"WORKERS must be a number from 1 to 64, not {given!r}")
    return int(given)
