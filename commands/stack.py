"""`run.py stack list|apply|diff`: the stack files, compared with ZenML's stacks and applied to them."""

from argparse import ArgumentParser, Namespace

from commands.options import add_state
from state.folder import State
from terminal.console import announce, console


def add_options(parser: ArgumentParser) -> None:
    """Declare the actions of `stack` and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("list", help="list the files in stacks/, and whether each is applied")
    apply = actions.add_parser("apply", help="make ZenML's stack what its file says, and activate it")
    apply.add_argument(
        "name", metavar="NAME", help="name of a file in stacks/: local, containers, airflow or kubernetes"
    )
    apply.add_argument("--dry-run", action="store_true", help="show the changes without making them")
    diff = actions.add_parser("diff", help="show the differences; exit code 1 when there are any")
    diff.add_argument("name", metavar="NAME", help="name of a file in stacks/")
    for action in (show, apply, diff):
        add_state(action)


def stack(state: State, options: Namespace) -> int:
    """Do the action. `diff` returns 1 when there are differences, as the tool of that name does."""
    state.prepare()
    with announce("asking ZenML"):
        from stacks.active import open_zenml
        from terminal.progress import hide_zenml_log

        hide_zenml_log()
    open_zenml()
    if options.action == "list":
        return _list()
    if options.action == "diff" or options.dry_run:
        return _show_changes(options)
    return _apply(state, options)


def _list() -> int:
    from rich.table import Table

    from stacks.active import active_name
    from stacks.apply import application_status
    from stacks.files import StackError, path_of, read_stack, stack_files

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "stack", "runs on", "applied"):
        table.add_column(heading)
    active = active_name()
    for name in stack_files():
        try:
            engine = next(iter(read_stack(name).components.values())).flavor
        except StackError:
            engine = ""
        table.add_row("→" if name == active else "", name, engine, application_status(name))
    console().print(table)
    if active not in stack_files():
        console().print(f"\nThe active stack is '{active}', which has no file in {path_of(active).parent}.")
    console().print(
        "\n'python run.py stack apply NAME' makes ZenML's stack what its file says; 'zenml stack set NAME' switches."
    )
    return 0


def _show_changes(options: Namespace) -> int:
    from stacks.apply import plan
    from stacks.files import read_stack

    changes = plan(read_stack(options.name))
    for change in changes:
        console().print(f"  {change.text}", soft_wrap=True)
    if not changes:
        console().print(f"no changes: stack {options.name} is as in its file")
    return 1 if changes and options.action == "diff" else 0


def _apply(state: State, options: Namespace) -> int:
    from stacks.apply import apply
    from stacks.files import read_stack
    from stacks.home import alone_in_zenml

    with state.locked(f"run.py stack apply {options.name}"), alone_in_zenml():
        changes = apply(read_stack(options.name))
    for change in changes:
        console().print(f"  {change}", soft_wrap=True)
    console().print("done; 'python run.py' now runs on this stack" if changes else "no changes")
    return 0
