"""`run.py rollback`: return to the version that was in production before."""

from argparse import ArgumentParser, Namespace

from commands.models import connect
from commands.options import add_state, add_taxonomy, taxonomy_of
from state.folder import State
from terminal.console import announce, console
from terminal.errors import reported


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `rollback`."""
    add_taxonomy(parser)
    parser.add_argument("--reason", default="not given", help="why, for the promotion log")
    add_state(parser)


def rollback(state: State, options: Namespace) -> int:
    """Move the alias back and log the reason; a running `run.py serve` follows."""
    name = taxonomy_of(options).name
    state.prepare()
    with state.locked("run.py rollback"):
        with announce("connecting to the registry"):
            connect()
            from steps.registry import RollbackError, roll_back
        with reported(RollbackError):
            left, now = roll_back(name, options.reason)
        _mirror(name, now.tags.get("mirror"))
    console().print(f"Version {now.number} of '{name}' is in production again (before: version {left.number}).")
    console().print(f"Reason in the promotion log: {options.reason}")
    return 0


def _mirror(name: str, mirror: str | None) -> None:
    """Show the same in ZenML's model control plane, where the version has its counterpart there."""
    from zenml.client import Client

    if mirror is None:
        return
    try:
        Client().get_model_version(name, mirror).to_model_class().set_stage("production", force=True)
    except KeyError:
        console().print(
            f"[yellow]ZenML no longer has version {mirror} of '{name}'; the MLflow registry decides.[/yellow]"
        )
