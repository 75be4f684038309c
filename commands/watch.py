"""`run.py watch`: the monitor service, which makes reports at an interval and retrains when an alert asks for it."""

import logging
import os
import socket
import sys
import threading
from argparse import ArgumentParser, Namespace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.apart import call_apart
from commands.listening import listen
from commands.options import (
    add_address,
    add_model,
    add_retention,
    add_state,
    read_duration,
    taxonomy_in_use,
    taxonomy_to_train,
)  # fmt: skip
from state.folder import SOURCE_ROOT, State
from terminal.console import announce, console
from terminal.errors import CommandError, reported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitoring.decisions import Rules
    from monitoring.journal import Journal
    from monitoring.report_folder import ReportFolder
    from monitoring.retraining import Trainer
    from monitoring.service import MonitorService

RUN_PY = (sys.executable, str(SOURCE_ROOT / "run.py"))
_AIRFLOW = "airflow"
_GRACE = 3  # seconds for requests in flight to end


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `watch`."""
    add_address(parser, 8003)
    parser.add_argument(
        "--every", default="15m", metavar="TIME", help="time between reports, as 90s, 15m, 6h or 1d (15m)"
    )
    parser.add_argument("--cool-down", default="6h", metavar="TIME", help="least time between retrainings (6h)")
    parser.add_argument("--daily-budget", type=int, default=3, metavar="N", help="most retrainings a day, UTC (3)")
    add_model(parser)
    add_retention(parser)
    add_state(parser)
    parser.add_argument(
        "train_options", nargs="*", metavar="-- OPTION", help="options that a retraining passes to 'train'"
    )


def watch(state: State, options: Namespace) -> int:
    """Run the monitor service until it is interrupted, then end what is under way."""
    every, cool_down = _duration("--every", options.every), _duration("--cool-down", options.cool_down)
    if not every:
        raise CommandError("--every must be longer than nothing")
    if options.daily_budget < 0:
        raise CommandError("--daily-budget must be 0 or more")
    state.prepare()
    with announce("starting: reading the active stack"):
        service, explanation = _create_service(state, options, every, cool_down)
        listener = listen(options.host, options.port)
    _log_to_terminal()
    for line in (
        f"Monitoring on http://{options.host}:{options.port}; Ctrl-C ends it.",
        f"To read the pages, enter any name and the password in {state.folder / 'reports-token'}.",
        *explanation,
    ):
        console().print(line, soft_wrap=True)
    _serve(service, listener)
    return 0


def _create_service(
    state: State, options: Namespace, every: timedelta, cool_down: timedelta
) -> "tuple[MonitorService, Sequence[str]]":
    """Return the service, and sentences about how it makes reports and retrains."""
    from monitoring.decisions import Rules
    from monitoring.journal import Journal, JournalError
    from monitoring.loop import Schedule
    from monitoring.models import Models
    from monitoring.report_folder import ReportFolder
    from monitoring.run_py import RunPyCommand
    from monitoring.service import BY_ENGINE, MonitorService
    from monitoring.settings import MonitorSettings
    from monitoring.users import Users
    from web.settings import SettingsError

    # In a process of its own: this one runs for days and would keep ZenML and its database layer in memory.
    taxonomy = str(options.taxonomy.resolve()) if options.taxonomy else ""
    retention, embedded = str(options.retention.resolve()), "embedded" if options.embedded else ""
    orchestrator, has_schedule, model, days = call_apart(read_surroundings, taxonomy, embedded, retention)
    if orchestrator != _AIRFLOW:
        _require_same_model(options, model)
    folder, rules = ReportFolder.of_state(state.folder), Rules(cool_down, options.daily_budget, model)
    with reported(SettingsError, JournalError):
        try:
            settings = MonitorSettings.from_environment(state_dir=state.folder)
            tokens = settings.tokens()
        except OSError as error:
            raise CommandError(f"the tokens in {state.folder} cannot be used: {error.strerror}") from error
        journal = Journal(folder.journal, keep=timedelta(days=days) if days else None)
    pipeline_lock = threading.Lock()
    if orchestrator == _AIRFLOW:
        trainer = _airflow_trainer(options, rules, journal)
    else:
        trainer = _local_trainer(options, folder, pipeline_lock, journal)
    which = _model_options(options, model)
    command = RunPyCommand([*RUN_PY, "monitor", *which, "--retention", retention], SOURCE_ROOT)
    schedule = None if has_schedule else Schedule(command, every, pipeline_lock)
    models, rollback = (RunPyCommand([*RUN_PY, verb, *which], SOURCE_ROOT) for verb in ("models", "rollback"))
    service = MonitorService(
        journal, trainer, schedule, tokens, rules,
        folder=folder, users=Users(settings.users_url), models=Models(models, rollback, folder),
    )  # fmt: skip
    return service, (
        f"Model: '{model}'.",
        f"Reports: {f'every {options.every}' if schedule else BY_ENGINE}.",
        f"An alert with action=retrain retrains: {trainer.description}.",
        f"Reviewers and admins may ask with their own tokens, which {settings.users_url} checks.",
    )


def _serve(service: "MonitorService", listener: socket.socket) -> None:
    """Answer requests until a signal arrives."""
    import uvicorn

    from state.processes import on_end
    from web.connections import LimitedProtocol

    config = uvicorn.Config(
        service.gate, lifespan="off", log_config=None, access_log=False, server_header=False, proxy_headers=False,
        http=LimitedProtocol, ws="none", timeout_graceful_shutdown=_GRACE,
    )  # fmt: skip
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    # uvicorn has handlers of its own while it runs; when it has ended it raises the signal again for these.
    on_end(stop)
    service.start()
    try:
        server.run(sockets=[listener])
    finally:
        service.stop()


def _duration(option: str, text: str) -> timedelta:
    return read_duration(option, text, "smhd", "90s, 15m, 6h or 1d")


def _log_to_terminal() -> None:
    """Write the log of the service to the terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("monitoring", logging.INFO), ("web", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def _local_trainer(
    options: Namespace, folder: "ReportFolder", pipeline_lock: threading.Lock, journal: "Journal"
) -> "Trainer":
    from monitoring.local_trainer import LocalTrainer
    from monitoring.run_py import RunPyCommand

    taxonomy = ["--taxonomy", str(options.taxonomy.resolve())] if options.taxonomy else []
    retention = ["--retention", str(options.retention.resolve())]
    words = [*RUN_PY, "train", *taxonomy, *retention, *_training_options(options)]
    return LocalTrainer(RunPyCommand(words, SOURCE_ROOT), folder, pipeline_lock, journal)


def _airflow_trainer(options: Namespace, rules: "Rules", journal: "Journal") -> "Trainer":
    from monitoring.airflow_trainer import AirflowTrainer
    from stacks.airflow_client import AirflowClient, AirflowError, AirflowSettings

    if options.train_options:
        raise CommandError("the active stack's orchestrator is Airflow, whose DAG holds the options of the training")
    with reported(AirflowError):
        airflow = AirflowClient(AirflowSettings.from_environment(os.environ, f"{rules.model_name}_training"))

    return AirflowTrainer(airflow, journal, lambda run_id: call_apart(read_outcome, run_id))


def read_outcome(run_id: str) -> dict[str, Any] | None:
    """Return what a training on Airflow decided (see `Outcome`); None if ZenML does not know of an outcome."""
    from commands.train import outcome_of
    from stacks.airflow_runs import find
    from terminal.progress import hide_zenml_log

    hide_zenml_log()
    run = find(run_id)
    if run is None or "promote_classifier" not in run.steps:
        return None
    return outcome_of(run).model_dump(mode="json")


def read_surroundings(taxonomy: str, embedded: str, retention: str) -> tuple[str, bool, str, int]:
    """Return the orchestrator's flavor, whether its engine runs monitoring, the model to watch, and days of history.

    `taxonomy` is a file and `embedded` any text where the options of `watch` say so, else they are empty. `retention`
    is the file with the rules. Raises `CommandError` for a stack that trains by a schedule only.
    """
    from pipelines.config import ConfigurationError, RetentionConfig
    from stacks.active import connect_tracker, ensure_stack
    from stacks.files import file_of
    from terminal.progress import hide_zenml_log

    hide_zenml_log()
    name = ensure_stack()
    file = file_of(name)
    from zenml.client import Client
    from zenml.enums import StackComponentType

    flavor = str(Client().active_stack_model.components[StackComponentType.ORCHESTRATOR][0].flavor_name)
    schedules = file.schedules if file else {}
    if schedules.get("training") and flavor != _AIRFLOW:
        raise CommandError(
            f"stack '{name}' trains by the schedule '{schedules['training']}' and not when an alert asks for it; "
            "remove the schedule from its file, or switch to another stack"
        )
    connect_tracker()
    model = taxonomy_in_use(Namespace(taxonomy=Path(taxonomy) if taxonomy else None, embedded=bool(embedded)))
    with reported(ConfigurationError):
        days = RetentionConfig.read(Path(retention)).history_days
    return flavor, flavor == _AIRFLOW or bool(schedules.get("monitoring")), model.name, days


def _require_same_model(options: Namespace, watched: str) -> None:
    """Raise `CommandError` unless a retraining trains the model that is watched, on the same kind of listings."""
    from catalog.taxonomy import EMBEDDED

    training: Namespace = options.retraining
    if training.taxonomy:
        raise CommandError("--taxonomy belongs to 'watch', before the --: a retraining then gets it too")
    if watched != EMBEDDED.name and not training.data:
        embedded = "" if options.taxonomy else ", or watch the model of the embedded listings with --embedded"
        raise CommandError(
            f"'{watched}' is trained on files, so a retraining must know their folder: end the command with "
            f"'-- --data DIR'{embedded}"
        )
    trained = taxonomy_to_train(Namespace(taxonomy=options.taxonomy, data=training.data))
    if trained.name != watched:
        raise CommandError(
            f"this service would watch '{watched}' and train '{trained.name}', which has no version in production; "
            "train that with 'python run.py train --data DIR' first, or leave --data out"
        )


def _model_options(options: Namespace, model: str) -> list[str]:
    """Return the options with which `monitor` takes this model, whatever is in production by then."""
    from catalog.taxonomy import EMBEDDED

    if options.taxonomy:
        return ["--taxonomy", str(options.taxonomy.resolve())]
    return ["--embedded"] if model == EMBEDDED.name else []


def _training_options(options: Namespace) -> list[str]:
    """Return the options of a retraining. Its process has another working folder, so relative paths become absolute."""
    given = {name: value for name, value in vars(options.retraining).items() if isinstance(value, Path)}
    paths = {name: value.resolve() for name, value in given.items() if not value.is_absolute()}
    return [*options.train_options, *(word for name, path in paths.items() for word in (f"--{name}", str(path)))]
