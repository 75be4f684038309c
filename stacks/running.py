"""Run a pipeline on the active stack, with the settings of the stack's file, and show its progress."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from zenml.client import Client
from zenml.utils.source_utils import set_custom_source_root

from stacks.active import active_name, connect_tracker, ensure_stack
from stacks.failures import RunError, explain
from stacks.files import file_of
from stacks.health import require_healthy
from stacks.packages import remember_packages
from stacks.publishing import Published, publish
from state.folder import SOURCE_ROOT
from terminal.progress import follow, hide_zenml_log

if TYPE_CHECKING:
    from zenml import Model
    from zenml.models import PipelineRunResponse


def ready_stack(*, verbose: bool = False) -> str:
    """Return the name of the active stack, when every component of it answers; `verbose` shows ZenML's log.

    Raises `StackError` otherwise.
    """
    if not verbose:
        hide_zenml_log()
    stack = ensure_stack()
    require_healthy()
    connect_tracker()  # creates its tables before the steps use it, which other runs may do at the same time
    return stack


def run_pipeline(
    pipeline: Any,
    arguments: Mapping[str, Any],
    *,
    model: "Model",
    revision: Callable[[], str],
    enable_cache: bool | None = None,
) -> "PipelineRunResponse | Published":
    """Run a pipeline on the active stack and return the run, which was successful.

    Where the stack's file has a schedule for the pipeline, publish it. The result is then the run that was started
    at once through the engine's API, or, where no API is known, when the engine will run it.

    `revision` returns the commit of the source, for stack files that ask for it. Raises `StepFailedError` when a step
    fails, `RunError` when the run cannot start, `StackError` when the stack's file cannot be used.
    """
    remember_packages()
    set_custom_source_root(str(SOURCE_ROOT))  # by default ZenML takes the folder of the module that was started
    file = file_of(active_name())
    settings = _filled_in(file.settings if file else {}, model.name, pipeline.name, revision)
    configured = pipeline.with_options(settings=settings, model=model, enable_cache=enable_cache)
    schedule = file.schedules.get(pipeline.name) if file else None
    if file and schedule:
        result = publish(configured, arguments, stack=file.name, schedule=schedule, settings=settings)
    else:
        result = _run_now(configured, arguments, f"{model.name}-{pipeline.name}")
    if not isinstance(result, Published) and not result.status.is_successful:  # a remote engine raises no exception
        raise explain(result, RunError(f"the run ended as '{result.status.value}'"))
    return result


def _run_now(pipeline: Any, arguments: Mapping[str, Any], prefix: str) -> "PipelineRunResponse":
    run_name = f"{prefix}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    with follow(name=run_name):
        try:
            pipeline.with_options(run_name=run_name)(**arguments)
        except Exception as error:  # any exception of any step: the run knows which step failed and why
            failed = Client().list_pipeline_runs(name=run_name, hydrate=True).items
            raise explain(failed[0] if failed else None, error) from error
    return Client().get_pipeline_run(run_name, allow_name_prefix_match=False)


def _filled_in(settings: Any, model: str, pipeline: str, revision: Callable[[], str]) -> Any:
    """Return the settings with their `{model}`, `{pipeline}` and `{revision}` filled in."""
    if isinstance(settings, dict):
        return {key: _filled_in(value, model, pipeline, revision) for key, value in settings.items()}
    if not isinstance(settings, str):
        return settings
    filled = settings.replace("{model}", model).replace("{pipeline}", pipeline)
    return filled.replace("{revision}", revision()) if "{revision}" in filled else filled
