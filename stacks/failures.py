"""What went wrong with a run, as one sentence for the person at the terminal."""

from typing import TYPE_CHECKING

from state.folder import SOURCE_ROOT
from terminal.errors import CommandError

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse


class RunError(CommandError):
    """A pipeline did not run to its end."""


class StepFailedError(RunError):
    """A step of a run failed. `source`: the class of the exception that the step raised, with its module."""

    def __init__(self, message: str, source: str) -> None:
        super().__init__(message)
        self.source = source

    @property
    def is_ours(self) -> bool:
        """Whether the exception is of this project: its message is a sentence that says everything."""
        return _is_ours(self.source)


def explain(run: "PipelineRunResponse | None", error: Exception) -> RunError:
    """Return what is to be raised for a run that failed with this error: it names the step that failed, if one did."""
    for name, step in (run.steps if run else {}).items():
        if (cause := step.exception_info) is None:
            continue
        source, message = cause.source or "", (cause.message or "").strip()
        if _is_ours(source):
            return StepFailedError(message, source)
        return StepFailedError(
            f"step {name} failed: {source.rsplit('.', 1)[-1]}: {message}\n"
            f"The log of the step is in the dashboard; --verbose shows it here.",
            source,
        )
    return RunError(f"the pipeline could not run: {type(error).__name__}: {error}")


def _is_ours(source: str) -> bool:
    """Return whether an exception is of this project. The messages of our own exceptions already are sentences."""
    return (SOURCE_ROOT / source.split(".")[0] / "__init__.py").is_file()
