"""The console that every command prints to. Rich is loaded at the first use, so that `--help` is fast."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@cache
def console() -> "Console":
    """Return the one console of this process."""
    from rich.console import Console

    return Console(highlight=False)


@contextmanager
def announce(what: str) -> Iterator[None]:
    """Show one line while the body runs: with a spinner on a terminal, printed once elsewhere."""
    if console().is_terminal:
        with console().status(what):
            yield
    else:
        console().print(what)
        yield
