"""Results as a table of two columns, and the commands that a person may want next."""

from collections.abc import Iterable, Mapping

from terminal.console import console


def show_rows(rows: Mapping[str, str]) -> None:
    """Print names and values, a line each. Values may hold Rich's markup."""
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in rows.items():
        table.add_row(f"[bold]{name}[/bold]", value)
    console().print(table)


def show_next(commands: Iterable[tuple[str, str]]) -> None:
    """Print pairs of purpose and command, each command on one line so that it can be pasted."""
    console().print("\n[bold]Next[/bold]")
    for purpose, command in commands:
        console().print(f"  # {purpose}", style="dim")
        console().print(f"  {command}", soft_wrap=True, markup=False)
