"""Auth: the routes /login, /logout and /me, in the prediction service or in a service of its own."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import time
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Form, HTTPException, Request
from sqlalchemy import Engine
from starlette.responses import Response

from bento.access import Access
from bento.logins import ThrottledError, hash_password, log_in
from bento.metrics import ServiceMetrics
from bento.settings import ADMIN_PASSWORD_FILE, Settings
from bento.tokens import LIFETIME, Signer
from bento.user_schemas import PasswordChange, Token, UserInfo
from bento.usernames import normalised
from bento.users import refuse_weak, shown
from ledger import users
from ledger.audit import Party, record_event
from ledger.database import reading, writing
from ledger.users import User
from web import secret_store
from web.addresses import client_address
from web.authentication import Authenticated, only_programs
from web.json_body import JsonRoute
from web.passwords import refuse_weak_password
from web.problems import problem_responses
from web.settings import SettingsError

_LISTED = timedelta(days=1)  # longer than a token lives, since the clock may have been wrong when it was voided
_CONCURRENT_LOGINS = 2  # each takes a core, and predictions need some too


@dataclass(frozen=True)
class Credentials:
    """The fields of the login form that are read (OAuth2 password grant)."""

    username: Annotated[str, Form(max_length=64)]
    password: Annotated[str, Form(max_length=128, json_schema_extra={"format": "password"})]
    grant_type: Annotated[str | None, Form(pattern="^password$")] = None
    scope: Annotated[str, Form()] = ""
    client_id: Annotated[str | None, Form()] = None
    client_secret: Annotated[str | None, Form()] = None


def create_auth_router(access: Access, signer: Signer, metrics: ServiceMetrics, settings: Settings) -> APIRouter:
    """Return the routes of auth."""
    router = APIRouter(tags=["auth"], route_class=JsonRoute)
    limiter: list[CapacityLimiter] = []  # created in the event loop that uses it

    async def checked(request: Request, username: str, password: str) -> User | None:
        """Return the user if the password is right, or None. Raises `HTTPException` when too many attempts failed."""
        if not limiter:
            limiter.append(CapacityLimiter(_CONCURRENT_LOGINS))
        address = client_address(request.scope, settings.trusted_proxies)
        try:
            user = await to_thread.run_sync(
                log_in, access.engine, username, password, address, datetime.now(UTC), limiter=limiter[0]
            )
        except ThrottledError as error:
            metrics.logins.labels("throttled").inc()
            raise HTTPException(429, str(error), {"Retry-After": str(error.seconds)}) from None
        metrics.logins.labels("accepted" if user else "refused").inc()
        return user

    @router.post("/login", responses=problem_responses(401, 422, 429))
    async def login(request: Request, credentials: Annotated[Credentials, Depends()]) -> Token:
        """Exchange name and password for a token (OAuth2 password grant)."""
        user = await checked(request, normalised(credentials.username), credentials.password)
        if user is None:
            raise HTTPException(401, "name or password is wrong", {"WWW-Authenticate": "Bearer"})
        return _token(signer.sign(user))

    @router.post("/renew")
    def renew(caller: Authenticated) -> Token:
        """Exchange a valid token for a new one. The password must not have been given too long ago."""
        if time() - caller.authenticated_at > settings.session_hours * 3_600:
            raise HTTPException(
                401, f"log in again: the password was given more than {settings.session_hours:g} hours ago",
                {"WWW-Authenticate": "Bearer"},
            )  # fmt: skip
        with access.reading(caller):
            return _token(signer.renew(caller))

    @router.get("/me")
    def me(caller: Authenticated) -> UserInfo:
        """Show the user that the token belongs to."""
        with access.reading(caller):
            return UserInfo(id=caller.user_id, username=caller.username, role=caller.role)

    @router.patch("/me", responses=problem_responses(403, 422, 429))
    async def change_own_password(request: Request, caller: Authenticated, change: PasswordChange) -> UserInfo:
        """Change the own password; all tokens of the caller stop working."""
        refuse_weak(change.password, caller.username)
        user = await checked(request, caller.username, change.current_password)
        if user is None or user.id != caller.user_id:
            raise HTTPException(403, "the current password is wrong")

        def store() -> UserInfo:
            hashed, now, me = hash_password(change.password), datetime.now(UTC), Party.of(caller)
            with access.writing(caller) as connection:
                changed = users.change_user(connection, caller.user_id, now=now, password_hash=hashed)
                record_event(connection, me, "user changed", me, now, changed=["password"], role=changed.role)
            return shown(changed)

        return await to_thread.run_sync(store, limiter=limiter[0])

    @router.post("/logout", status_code=204, response_class=Response)
    def logout(caller: Authenticated) -> None:
        """Log out: all tokens of the caller stop working, those of other sessions too."""
        now, me = datetime.now(UTC), Party.of(caller)
        with access.writing(caller) as connection:
            users.change_user(connection, caller.user_id, now=now)
            record_event(connection, me, "logged out", me, now)

    return router


def create_directory_router(published: dict[str, Any], access: Access) -> APIRouter:
    """Return the routes for prediction services on other machines: the key set, and whose tokens were voided."""
    router = APIRouter(tags=["auth apart"])

    @router.get("/.well-known/jwks.json")
    def public_keys() -> dict[str, list[dict[str, str]]]:
        """Return the key that verifies tokens (JSON Web Key Set)."""
        return published

    @router.get("/revocations", dependencies=[Depends(only_programs)])
    def revocations() -> dict[str, int]:
        """List the ids of users whose tokens were voided, each with the first generation of tokens that counts."""
        with reading(access.engine) as connection:
            return users.revocations(connection, datetime.now(UTC) - _LISTED)

    return router


def _token(signed: str) -> Token:
    return Token(access_token=signed, expires_in=int(LIFETIME.total_seconds()))


def ensure_first_admin(engine: Engine, settings: Settings) -> str | None:
    """Create the first admin if there is none. Return its password, to be shown once, if it is a new random one.

    Raises `SettingsError` in production when `ADMIN_PASSWORD` is not set, and for a weak one in the state folder.
    """
    with reading(engine) as connection:
        if users.has_admin(connection):
            return None
    new = False
    if settings.admin_password:
        password = settings.admin_password.get_secret_value()
    elif settings.app_env == "production":
        raise SettingsError("there is no admin yet: ADMIN_PASSWORD must be set with APP_ENV=production")
    else:
        path = settings.state_dir / ADMIN_PASSWORD_FILE
        password, new = secret_store.random_password(path)
        try:
            refuse_weak_password(password, settings.admin_username)
        except secret_store.WeakSecretError as error:  # somebody has emptied or changed the file
            raise SettingsError(f"the password in {path} cannot be that of the first admin: {error}") from None
    with writing(engine) as connection:
        users.ensure_admin(connection, settings.admin_username, hash_password(password), datetime.now(UTC))
    return password if new else None
