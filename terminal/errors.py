"""Errors for the person at the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager


class CommandError(Exception):
    """A command failed. The message is a sentence for the person at the terminal."""


@contextmanager
def reported(*kinds: type[Exception]) -> Iterator[None]:
    """Raise errors of these kinds as `CommandError`: their messages already are sentences for people."""
    try:
        yield
    except kinds as error:
        raise CommandError(str(error)) from error


def in_a_line(error: BaseException) -> str:
    """Return the kind of an error, and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
