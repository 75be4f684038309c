"""Requests and answers about users, their tokens and their sessions, as models."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bento.bodies import AnswerBody, RequestBody, storable
from bento.usernames import Username
from ledger.callers import Role

Password = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(storable)]


class NewUser(RequestBody):
    """A user to create."""

    username: Username
    password: Password
    role: Role = "user"


class UserChange(RequestBody):
    """The changes of a user."""

    password: Password | None = None
    role: Role | None = None


class PasswordChange(RequestBody):
    """The caller's own new password."""

    current_password: Annotated[str, Field(max_length=128)]
    password: Password


class Token(AnswerBody):
    """A token, valid for `expires_in` seconds."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int


class UserInfo(AnswerBody):
    """A user, without anything secret. The id is for ever this user's; the name can be given again."""

    id: str
    username: str
    role: Role


class ListedUser(UserInfo):
    """A user in the list of users."""

    created_at: datetime


class Session(AnswerBody):
    """A login whose tokens may still be valid, and until when they can be renewed and used at most."""

    logged_in_at: datetime
    address: str
    until: datetime
