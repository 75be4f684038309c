"""Results as tables, and the commands that a person may want next."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from terminal.console import console

if TYPE_CHECKING:
    from rich.text import Text


def show_rows(rows: "Mapping[str, str | Text]") -> None:
    """Print names and values, a line each. A value with colours is a `Text`."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), value)
    console().print(table)


def show_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under a header; the first value of a row is its name."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in header:
        table.add_column(Text(name), overflow="fold")
    for first, *others in rows:
        table.add_row(Text(first, style="bold"), *map(Text, others))
    console().print(table)


def show_next(commands: Iterable[tuple[str, str]]) -> None:
    """Print pairs of purpose and command, each command on one line so that it can be pasted."""
    console().print("\nNext", style="bold")
    for purpose, command in commands:
        console().print(f"  # {purpose}", style="dim")
        console().print(f"  {command}", soft_wrap=True)
