"""The way to the registry of the active stack."""

from terminal.errors import reported


def connect() -> str:
    """Point MLflow at the active stack's tracker and return its address. Raises `CommandError` when it has none."""
    from stacks.apply import connect_tracker
    from stacks.files import StackError
    from terminal.progress import hide_zenml_log

    hide_zenml_log()
    with reported(StackError):
        return connect_tracker()
