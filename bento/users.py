"""The routes with which admins manage users."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path
from sqlalchemy import Connection
from starlette.responses import Response

from bento.access import Access, IdempotencyKey
from bento.logins import hash_password
from bento.settings import Settings
from bento.tokens import LIFETIME, Signer
from bento.user_schemas import ListedUser, NewUser, Session, UserChange, UserInfo
from bento.usernames import normalised
from ledger import users
from ledger.audit import Party, logins_since, record_event
from ledger.predictions import erase_predictions
from ledger.users import LastAdminError, UnknownUserError, User, UserExistsError
from web.authentication import Authenticated, require
from web.json_body import JsonRoute
from web.passwords import refuse_weak_password
from web.problems import problem_responses
from web.secret_store import WeakSecretError

_UNKNOWN = "there is no user with that name or id"
NameOrId = Annotated[str, Path(description="the user's name, or its id as GET /users shows it")]


def create_users_router(access: Access, signer: Signer, settings: Settings) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/users", tags=["auth"], route_class=JsonRoute, dependencies=[Depends(require("admin"))])
    longest = timedelta(hours=settings.session_hours) + LIFETIME  # a token may be renewed in the last moment

    @router.get("", responses=problem_responses(403))
    def list_users(caller: Authenticated) -> list[ListedUser]:
        """List the users, by name."""
        with access.reading(caller) as connection:
            return [
                ListedUser(id=user.id, username=user.username, role=user.role, created_at=user.created_at)
                for user in users.list_users(connection)
            ]

    @router.post("", status_code=201, response_model=UserInfo, responses=problem_responses(403, 409, 422))
    def create_user(caller: Authenticated, new: NewUser, key: IdempotencyKey = None) -> Response:
        """Create a user."""
        refuse_weak(new.password, new.username)
        hashed = hash_password(new.password)

        def effect(connection: Connection) -> tuple[int, str]:
            now = datetime.now(UTC)
            user = users.create_user(connection, new.username, hashed, new.role, now)
            record_event(connection, Party.of(caller), "user created", Party.of(user), now, role=user.role)
            return 201, shown(user).model_dump_json()

        # The same request has the same password too; it is known by a digest that is worth nothing without our key.
        request = ("POST /users", new.username, new.role, signer.digest(new.password))
        return _answered(lambda: access.run_once(caller, key, request, effect))

    @router.patch("/{user}", response_model=UserInfo, responses=problem_responses(403, 404, 409, 422))
    def change_user(caller: Authenticated, user: NameOrId, change: UserChange) -> Response:
        """Change a user's role or password; the tokens issued so far stop working."""

        def effect(connection: Connection) -> tuple[int, str]:
            found, now = _found(connection, user), datetime.now(UTC)
            if change.password is not None:
                refuse_weak(change.password, found.username)
            changed = users.change_user(connection, found.id, now=now, password_hash=hashed, role=change.role)
            fields = sorted(change.model_dump(exclude_none=True))
            detail = {"changed": fields, "role": changed.role}
            record_event(connection, Party.of(caller), "user changed", Party.of(changed), now, **detail)
            return 200, shown(changed).model_dump_json()

        hashed = hash_password(change.password) if change.password is not None else None
        return _answered(lambda: access.run_once(caller, None, (), effect))

    @router.delete("/{user}", status_code=204, response_class=Response, responses=problem_responses(403, 404, 409, 422))
    def delete_user(caller: Authenticated, user: NameOrId) -> Response:
        """Delete a user with all predictions of that user; the tokens issued so far stop working."""

        def effect(connection: Connection) -> tuple[int, str]:
            found, now = _found(connection, user), datetime.now(UTC)
            users.delete_user(connection, found.id, now)
            erase_predictions(connection, found.id, now)
            record_event(connection, Party.of(caller), "user deleted", Party.of(found), now)
            return 204, ""

        answer = _answered(lambda: access.run_once(caller, None, (), effect))
        access.empty_log()
        return answer

    @router.get("/{user}/sessions", responses=problem_responses(403, 404, 422))
    def list_sessions(caller: Authenticated, user: NameOrId) -> list[Session]:
        """List the logins of a user whose tokens may still be valid, the newest first; of more than 100 the newest."""
        with access.reading(caller) as connection:
            try:
                found = _found(connection, user)
            except UnknownUserError:
                raise HTTPException(404, _UNKNOWN) from None
            logins = logins_since(connection, found.id, datetime.now(UTC) - longest)
        return [Session(logged_in_at=at, address=address, until=at + longest) for at, address in logins]

    @router.post("/{user}/logout", status_code=204, response_class=Response, responses=problem_responses(403, 404, 422))
    def log_user_out(caller: Authenticated, user: NameOrId) -> Response:
        """End all sessions of a user: the tokens issued so far stop working."""

        def effect(connection: Connection) -> tuple[int, str]:
            found, now = _found(connection, user), datetime.now(UTC)
            users.change_user(connection, found.id, now=now)
            record_event(connection, Party.of(caller), "user logged out", Party.of(found), now)
            return 204, ""

        return _answered(lambda: access.run_once(caller, None, (), effect))

    return router


def _found(connection: Connection, name_or_id: str) -> User:
    """Return the user with that id or name. Raises `UnknownUserError`."""
    user = users.find_user_by_id(connection, name_or_id) or users.find_user(connection, normalised(name_or_id))
    if user is None:
        raise UnknownUserError(f"there is no user {name_or_id}")
    return user


def shown(user: User) -> UserInfo:
    """Return what others see of a user."""
    return UserInfo(id=user.id, username=user.username, role=user.role)


def refuse_weak(password: str, username: str) -> None:
    """Raise `HTTPException` for a weak password."""
    try:
        refuse_weak_password(password, username)
    except WeakSecretError as error:
        raise HTTPException(422, str(error)) from None


def _answered(effect: Callable[[], tuple[int, str]]) -> Response:
    """Return the answer of an effect on a user. Raises `HTTPException` when the ledger refuses it."""
    try:
        status, body = effect()
    except UserExistsError:
        raise HTTPException(409, "there is a user of that name") from None
    except UnknownUserError:
        raise HTTPException(404, _UNKNOWN) from None
    except LastAdminError:
        raise HTTPException(409, "the last admin cannot be removed") from None
    return Response(body or None, status, media_type="application/json" if body else None)
