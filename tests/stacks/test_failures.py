"""A failed run is explained in one sentence."""

from types import SimpleNamespace
from typing import Any

from stacks.failures import RunError, StepFailedError, explain


def run(pipeline: str, **exceptions: Any) -> Any:
    """Return as much of ZenML's record of a run as is read: steps by name, each with its exception or None."""
    steps = {name: SimpleNamespace(exception_info=exception) for name, exception in exceptions.items()}
    return SimpleNamespace(steps=steps, pipeline=SimpleNamespace(name=pipeline))


def raised(source: str, message: str) -> Any:
    return SimpleNamespace(source=source, message=message)


def test_a_message_of_our_own_is_passed_on_as_it_is() -> None:
    failed = run("training", ingest=None, check=raised("catalog.listings.ListingReadError", "the file is empty\n"))
    error = explain(failed, ValueError("ZenML's own message"))
    assert isinstance(error, StepFailedError)
    assert (str(error), error.source) == ("the file is empty", "catalog.listings.ListingReadError")


def test_a_message_of_a_library_is_told_with_the_step() -> None:
    cause = raised("sklearn.exceptions.NotFittedError", "call fit first")
    error = explain(run("training", train_classifier=cause), ValueError())
    first, second = str(error).splitlines()
    assert first == "step train_classifier failed: NotFittedError: call fit first"
    assert second.startswith("The log of the step")


def test_without_a_failed_step_the_run_itself_failed() -> None:
    for failed in (None, run("training", ingest=None)):
        error = explain(failed, RuntimeError("the artifact store is full"))
        assert type(error) is RunError
        assert str(error) == "the pipeline could not run: RuntimeError: the artifact store is full"
