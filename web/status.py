"""The answer of a service that is up."""

from typing import Literal

from pydantic import BaseModel


class Status(BaseModel):
    """The service is up, or ready."""

    status: Literal["ok"] = "ok"
