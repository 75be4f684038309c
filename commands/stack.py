"""`run.py stack list|apply|diff`: where the pipelines run, as files, reconciled with ZenML."""

from argparse import Namespace

from rich.table import Table

from commands import CommandError
from commands.progress import announce, console, quieten
from state.folder import State


def stack(state: State, options: Namespace) -> int:
    """Do what was asked for; `diff` returns 1 where there are differences, as the tool of that name does."""
    state.prepare()
    with announce("asking ZenML"):
        from stacks import apply as stacks
        from stacks.files import StackError

        quieten()
    try:
        stacks.reach_server()
        if options.action == "list":
            return _list()
        return _apply(state, options) if options.action == "apply" and not options.dry_run else _show(options)
    except StackError as error:
        raise CommandError(str(error)) from error


def _list() -> int:
    from stacks.apply import active_name, standing
    from stacks.files import StackError, path_of, read_stack, stack_files

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "stack", "runs on", "stands"):
        table.add_column(heading)
    active = active_name()
    for name in stack_files():
        try:
            engine = next(iter(read_stack(name).components.values())).flavor
        except StackError:
            engine = ""
        table.add_row("→" if name == active else "", name, engine, standing(name))
    console.print(table)
    if active not in stack_files():
        console.print(f"\nActive is '{active}', which has no file in {path_of(active).parent}.")
    console.print(
        "\n'python run.py stack apply NAME' makes ZenML's stack what its file says; 'zenml stack set NAME' switches."
    )
    return 0


def _show(options: Namespace) -> int:
    from stacks.apply import plan
    from stacks.files import read_stack

    changes = plan(read_stack(options.name))
    for change in changes:
        console.print(f"  {change.text}", markup=False, soft_wrap=True)
    if not changes:
        console.print(f"no changes: stack {options.name} is as in its file")
    return 1 if changes and options.action == "diff" else 0


def _apply(state: State, options: Namespace) -> int:
    from stacks.apply import apply
    from stacks.files import read_stack

    with state.locked(f"run.py stack apply {options.name}"):
        changes = apply(read_stack(options.name))
    for change in changes:
        console.print(f"  {change}", markup=False, soft_wrap=True)
    console.print("done; 'python run.py' runs there" if changes else "no changes")
    return 0
