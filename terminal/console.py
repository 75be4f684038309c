"""The console that every command prints to. Rich is loaded at the first use, so that `--help` is fast."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status


@cache
def console() -> "Console":
    """Return the one console of this process. It prints text as it is; a style is an argument, or a `Text`'s."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def status(what: str) -> "Status":
    """Return a line with a spinner, for a `with` statement; Rich would read text alone as markup there."""
    from rich.text import Text

    spinner = "dots" if console().encoding.startswith("utf") else "line"
    return console().status(Text(what), spinner=spinner)


@contextmanager
def announce(what: str) -> Iterator[None]:
    """Show one line while the body runs: with a spinner on a terminal, printed once elsewhere."""
    if console().is_terminal:
        with status(what):
            yield
    else:
        console().print(what)
        yield
