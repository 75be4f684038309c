"""The reason that a user gives for what is asked for."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _printable(text: str) -> str:
    if not text.isprintable() or text.isspace():
        raise ValueError("a reason is one line of text")
    return text


class Reason(BaseModel):
    """Why something is asked for."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_printable)]
