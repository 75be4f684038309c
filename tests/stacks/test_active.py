"""The stack that is active."""

from zenml.client import Client

from stacks.active import active_name, connect_tracker, ensure_stack


def test_a_bare_install_gets_the_local_stack() -> None:
    Client().activate_stack("default")
    assert ensure_stack() == "local"


def test_mlflow_is_connected_to_the_tracker_of_the_active_stack() -> None:
    import mlflow

    Client().activate_stack(ensure_stack())
    address = connect_tracker()
    assert address.startswith("sqlite:///")
    assert mlflow.get_tracking_uri() == address
    assert active_name() == "local"
