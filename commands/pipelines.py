"""Running a pipeline on whatever stack is active: its file's settings, progress, and a sentence for what went wrong."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from state.folder import SOURCE_ROOT
from terminal.errors import CommandError

if TYPE_CHECKING:
    from zenml import Model
    from zenml.models import PipelineRunResponse

    from stacks.files import StackFile


class StepFailed(CommandError):
    """A step of a run failed. `source`: the class of what it raised, with its module."""

    def __init__(self, message: str, source: str) -> None:
        super().__init__(message)
        self.source = source


@dataclass(frozen=True)
class Published:
    """A pipeline that the stack's engine starts by itself from now on."""

    pipeline: str
    stack: str
    schedule: str


def ready_stack(verbose: bool) -> str:
    """Return the name of the active stack, every component of which answers. Raises `CommandError`."""
    from stacks.apply import ensure_stack
    from stacks.files import StackError
    from stacks.health import require_healthy
    from terminal.progress import hide_zenml_log

    if not verbose:
        hide_zenml_log()
    try:
        stack = ensure_stack()
        require_healthy()
    except StackError as error:
        raise CommandError(str(error)) from error
    return stack


def run_pipeline(
    pipeline: Any, arguments: Mapping[str, Any], *, model: "Model", enable_cache: bool | None = None
) -> "PipelineRunResponse | Published":
    """Run a pipeline on the active stack and return the run.

    Where the stack's file has a schedule for it the pipeline is published, and started by the engine's API where that
    is known; otherwise what is returned says when it will be.

    Raises `StepFailed` when a step fails, `CommandError` when the run cannot begin.
    """
    from zenml.client import Client
    from zenml.utils.source_utils import set_custom_source_root

    from stacks.apply import active_name, file_of
    from stacks.files import StackError
    from terminal.progress import follow

    set_custom_source_root(str(SOURCE_ROOT))  # ZenML would take the folder of whatever module was started
    try:
        file = file_of(active_name())
    except StackError as error:
        raise CommandError(str(error)) from error
    configured = pipeline.with_options(
        settings=_named(file.settings, model.name, pipeline.name) if file else {},
        model=model,
        enable_cache=enable_cache,
    )
    if file and (schedule := file.schedules.get(pipeline.name)):
        return _publish(configured, arguments, file, schedule)
    run_name = f"{model.name}-{pipeline.name}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    with follow(name=run_name):
        try:
            configured.with_options(run_name=run_name)(**arguments)
        except Exception as error:  # whatever a step raised: the run knows which one and why
            failed = Client().list_pipeline_runs(name=run_name, hydrate=True).items
            raise _explain(failed[0] if failed else None, error) from error
    run = Client().get_pipeline_run(run_name, allow_name_prefix_match=False)
    return _successful(run)


def readable_by_steps(folder: Path) -> str:
    """Return an address under which the steps find a folder of listings: itself, where they run on this machine.

    Otherwise its files are copied into the stack's artifact store, under their content. Raises `CommandError`.
    """
    from zenml.client import Client
    from zenml.io import fileio

    from catalog.listings import ListingReadError, find_files, source_fingerprint

    stack = Client().active_stack
    if stack.orchestrator.flavor == "local":
        return str(folder.resolve())
    try:
        target = f"{stack.artifact_store.path}/listings/{source_fingerprint(folder)}"
        fileio.makedirs(target)
        for path in find_files(folder):
            fileio.copy(str(path), f"{target}/{path.name}", overwrite=True)
    except ListingReadError as error:
        raise CommandError(str(error)) from error
    return target


def _publish(
    pipeline: Any, arguments: Mapping[str, Any], file: "StackFile", schedule: str
) -> "PipelineRunResponse | Published":
    """Give the engine a pipeline and its schedule. The schedules of earlier publications end, and with them the tokens.

    Not while a run may still hold one: the engine runs one at a time, so once ours has ended no earlier one is left;
    where ours is not waited for, the last one before it stays.
    """
    from zenml.client import Client
    from zenml.config.schedule import Schedule

    from commands import airflow

    client, now = Client(), datetime.now(UTC)
    model = pipeline.configuration.model.name
    name = f"{file.name}-{model}-{pipeline.name}"
    earlier = [schedule.id for schedule in client.list_schedules("asc:created", name=f"startswith:{name}-").items]
    before = os.umask(0o077)  # what an engine is given has the token of ZenML's server in it
    try:
        pipeline.with_options(
            run_name=f"{model}-{pipeline.name}-{{date}}-{{time}}",
            schedule=Schedule(name=f"{name}-{now:%Y%m%d-%H%M%S}", cron_expression=schedule),
        )(**arguments)
    except Exception as error:
        raise _explain(None, error) from error
    finally:
        os.umask(before)
    dag_id = file.settings.get("orchestrator.airflow", {}).get("dag_id")
    run = airflow.start(_named(dag_id, model, pipeline.name), now) if dag_id and airflow.can_be_asked() else None
    for ended in earlier if run else earlier[:-1]:  # oldest first
        client.delete_schedule(ended)
    return _successful(run) if run else Published(pipeline.name, file.name, schedule)


def _successful(run: "PipelineRunResponse") -> "PipelineRunResponse":
    if not run.status.is_successful:  # an engine that runs elsewhere says so by no exception
        raise _explain(run, RuntimeError(f"the run ended as '{run.status.value}'"))
    return run


def _named(settings: Any, model: str, pipeline: str) -> Any:
    """Return the settings with `{model}`, `{pipeline}` and `{revision}` in them filled in."""
    if isinstance(settings, dict):
        return {key: _named(value, model, pipeline) for key, value in settings.items()}
    if not isinstance(settings, str) or "{" not in settings:
        return settings
    named = settings.replace("{model}", model).replace("{pipeline}", pipeline)
    return named.replace("{revision}", _revision()) if "{revision}" in named else named


def _revision() -> str:
    from steps.train import git_revision

    return git_revision()


def _explain(run: "PipelineRunResponse | None", error: Exception) -> CommandError:
    """Turn a failed step into a sentence; our own errors are sentences already."""
    for name, step in (run.steps if run else {}).items():
        if (cause := step.exception_info) is None:
            continue
        source, message = cause.source or "", (cause.message or "").strip()
        if source.split(".")[0] in {"catalog", "ledger", "steps"}:
            return StepFailed(message, source)
        unharmed = "Nothing was promoted. " if run and run.pipeline and run.pipeline.name == "training" else ""
        return StepFailed(
            f"step {name} failed: {source.rsplit('.', 1)[-1]}: {message}\n"
            f"{unharmed}The step's log in the dashboard has the details; --verbose shows them here.",
            source,
        )
    return CommandError(f"the pipeline could not run: {type(error).__name__}: {error}")
