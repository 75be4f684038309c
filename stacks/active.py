"""The stack that is active in ZenML, its server and its tracker."""

from urllib.parse import urlsplit

import requests
from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.enums import StackComponentType, StoreType

from stacks.apply import apply
from stacks.files import StackError, read_stack
from stacks.home import alone_in_zenml, zenml_home
from terminal.errors import in_a_line
from terminal.progress import hide_zenml_log

BARE = "default"  # the stack that ZenML itself creates; it has no tracker
_PATIENCE = 10  # seconds for a server to answer


def active_name() -> str:
    """Return the name of the active stack. Raises `StackError` when ZenML cannot be used."""
    open_zenml()
    return Client().active_stack_model.name


def ensure_stack() -> str:
    """Return the name of the active stack. On a fresh install apply and activate `local` first.

    Raises `StackError` when ZenML cannot be used, or the active stack has no experiment tracker.
    """
    with alone_in_zenml():
        if active_name() == BARE:
            apply(read_stack("local"))
            _answer_survey(Client())
    stack = Client().active_stack_model
    if StackComponentType.EXPERIMENT_TRACKER not in stack.components:
        raise StackError(
            f"the active stack '{stack.name}' has no experiment tracker, which training needs; add one with "
            f"'zenml stack update {stack.name} -e NAME', or switch with 'zenml stack set local'"
        )
    return stack.name


def connect_tracker(*, quiet: bool = False) -> str:
    """Point MLflow in this process at the active stack's tracker and return its address, without credentials.

    `quiet` hides ZenML's log. Raises `StackError` when the stack has no MLflow tracker.
    """
    if quiet:
        hide_zenml_log()
    ensure_stack()
    from zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker

    tracker = Client().active_stack.experiment_tracker
    if not isinstance(tracker, MLFlowExperimentTracker):
        flavor = tracker.flavor if tracker else "none"
        raise StackError(f"the experiment tracker of the active stack is of the flavor '{flavor}', not 'mlflow'")
    with alone_in_zenml():
        tracker.configure_mlflow()
        address = str(tracker.get_tracking_uri(as_plain_text=False))
        if not address.startswith("http"):
            _create_tracker_store(address)
    return address


def open_zenml() -> None:
    """Open ZenML, and create its stores where there are none yet.

    Raises `StackError` when its folder cannot be used, when what is in it cannot be read, or when it is logged in to a
    server that does not answer.
    """
    with alone_in_zenml():
        try:
            _require_server()
            _ = Client().active_stack_model
        except StackError:
            raise
        except Exception as error:  # of YAML, pydantic, the database, the server: whatever ZenML reads may be damaged
            raise StackError(
                f"ZenML cannot be opened in {zenml_home()} ({in_a_line(error)}); repair or move "
                "away config.yaml or local_stores there, or name another folder for all state with --state DIR"
            ) from error


def _create_tracker_store(address: str) -> None:
    """Let MLflow create its tables and its default experiment, which two processes at once cannot do."""
    import mlflow

    try:
        mlflow.MlflowClient().search_experiments(max_results=1)
    except Exception as error:  # of MLflow or of its database library
        raise StackError(
            f"MLflow cannot open {address} ({in_a_line(error)}); repair or move away its database"
        ) from error


def _require_server() -> None:
    """Raise `StackError` when ZenML is logged in to a server that does not answer. ZenML itself tries for 30 s."""
    store = GlobalConfiguration().store_configuration
    if store.type is not StoreType.REST:
        return
    try:
        requests.get(f"{store.url}/health", verify=getattr(store, "verify_ssl", True), timeout=_PATIENCE)
    except requests.RequestException as error:
        local = urlsplit(store.url).hostname in ("127.0.0.1", "localhost")
        advice = "start it again with `zenml login --local`" if local else "check that server"
        raise StackError(
            f"ZenML is logged in to the server {store.url}, which does not answer: {advice}, "
            "or log out with `zenml logout`"
        ) from error


def _answer_survey(client: Client) -> None:
    """Answer no, once, to the dashboard's first form, which asks for an e-mail address for news."""
    user = client.active_user
    if user.email_opted_in is None:
        answered = {**user.user_metadata, "finished_onboarding_survey": True}
        client.update_user(user.id, updated_email_opt_in=False, updated_metadata=answered)
