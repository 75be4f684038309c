"""What all bodies of requests and answers have in common."""

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """The body of a request; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class AnswerBody(BaseModel):
    """The body of an answer. A field may be called `model_...`."""

    model_config = ConfigDict(protected_namespaces=())


def storable(text: str) -> str:
    """Return a text that databases can store. Raises `ValueError` for one with a NUL."""
    if "\0" in text:
        raise ValueError("a NUL character cannot be stored")
    return text
