"""Files for steps that run on other machines."""

from pathlib import Path

from zenml.client import Client

from stacks.active import ensure_stack
from stacks.uploads import steps_run_here, upload


def test_files_are_copied_into_the_artifact_store_over_what_is_there(tmp_path: Path) -> None:
    Client().activate_stack(ensure_stack())
    source = tmp_path / "X_train.csv"
    for content in ("old", "new"):
        source.write_text(content)
        address = upload([source], "listings/abc")
    assert Path(address).is_relative_to(Client().active_stack.artifact_store.path)
    assert (Path(address) / "X_train.csv").read_text() == "new"


def test_steps_of_the_local_stack_read_the_files_of_this_machine() -> None:
    Client().activate_stack(ensure_stack())
    assert steps_run_here()
