"""`run.py rollback`: return to the version that was in production before."""

from argparse import Namespace

from commands import CommandError
from commands.models import connect, model_name
from commands.progress import announce, console
from state.folder import State


def rollback(state: State, options: Namespace) -> int:
    """Move the alias back and write down why; a running `run.py serve` follows by itself."""
    name = model_name(options)
    state.prepare()
    with state.locked("run.py rollback"):
        with announce("connecting to the registry"):
            connect()
            from steps.registry import RollbackError, roll_back
        try:
            left, now = roll_back(name, options.reason)
        except RollbackError as error:
            raise CommandError(str(error)) from error
        _mirror(name, now.tags.get("mirror"))
    console.print(f"Version {now.number} of '{name}' is in production again (before: version {left.number}).")
    console.print(f"Reason in the promotion log: {options.reason}")
    return 0


def _mirror(name: str, mirror: str | None) -> None:
    """Show the same in ZenML's model control plane, where the version has its counterpart there."""
    from zenml.client import Client

    if mirror is None:
        return
    try:
        Client().get_model_version(name, mirror).to_model_class().set_stage("production", force=True)
    except KeyError:
        console.print(
            f"[yellow]ZenML no longer has version {mirror} of '{name}'; the MLflow registry decides.[/yellow]"
        )
