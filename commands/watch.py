"""`run.py watch`: the monitor service, which makes reports at an interval and retrains when an alert asks for it."""

import logging
import os
import signal
import socket
import sys
import threading
from argparse import ArgumentParser, Namespace
from datetime import timedelta
from typing import TYPE_CHECKING

from commands.apart import call_apart
from commands.options import add_address, add_state, add_taxonomy, read_duration, taxonomy_of
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
    add_taxonomy(parser)
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
        from monitoring.decisions import Rules

        rules = Rules(cool_down, options.daily_budget, taxonomy_of(options).name)
        service, explanation = _create_service(state, options, every, rules)
        listener = _listen(options.host, options.port)
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
    state: State, options: Namespace, every: timedelta, rules: "Rules"
) -> "tuple[MonitorService, Sequence[str]]":
    """Return the service, and sentences about how it makes reports and retrains."""
    from monitoring.journal import Journal, JournalError
    from monitoring.loop import Schedule
    from monitoring.report_folder import ReportFolder
    from monitoring.run_py import RunPyCommand
    from monitoring.service import BY_ENGINE, MonitorService
    from monitoring.settings import MonitorSettings
    from web.settings import SettingsError

    folder = ReportFolder.of_state(state.folder)
    with reported(SettingsError, JournalError):
        try:
            tokens = MonitorSettings.from_environment(state_dir=state.folder).tokens()
        except OSError as error:
            raise CommandError(f"the tokens in {state.folder} cannot be used: {error.strerror}") from error
        journal = Journal(folder.journal)
    # In a process of its own: this one runs for days and would keep ZenML and its database layer in memory.
    orchestrator, has_schedule = call_apart(read_engine)
    pipeline_lock = threading.Lock()
    if orchestrator == _AIRFLOW:
        trainer = _airflow_trainer(options, rules, journal)
    else:
        trainer = _local_trainer(options, folder, pipeline_lock, journal)
    command = RunPyCommand([*RUN_PY, "monitor", *_taxonomy_options(options)], SOURCE_ROOT)
    schedule = None if has_schedule else Schedule(command, every, pipeline_lock)
    service = MonitorService(journal, trainer, schedule, tokens, rules, folder=folder)
    return service, (
        f"Reports: {f'every {options.every}' if schedule else BY_ENGINE}.",
        f"An alert with action=retrain retrains: {trainer.description}.",
    )


def _serve(service: "MonitorService", listener: socket.socket) -> None:
    """Answer requests until a signal arrives."""
    import uvicorn

    config = uvicorn.Config(
        service.gate, lifespan="off", log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )  # fmt: skip
    server = uvicorn.Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn has handlers of its own while it runs; when it has ended it raises the signal again for these.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
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

    words = [*RUN_PY, "train", *_taxonomy_options(options), *options.train_options]
    return LocalTrainer(RunPyCommand(words, SOURCE_ROOT), folder, pipeline_lock, journal)


def _airflow_trainer(options: Namespace, rules: "Rules", journal: "Journal") -> "Trainer":
    from monitoring.airflow_trainer import AirflowTrainer
    from stacks.airflow_client import AirflowClient, AirflowError, AirflowSettings

    if options.train_options:
        raise CommandError("the active stack's orchestrator is Airflow, whose DAG holds the options of the training")
    with reported(AirflowError):
        airflow = AirflowClient(AirflowSettings.from_environment(os.environ, f"{rules.model_name}_training"))

    def version_in_production() -> str | None:
        version: str | None = call_apart(read_version_in_production, str(rules.model_name))
        return version

    return AirflowTrainer(airflow, journal, version_in_production)


def read_version_in_production(model: str) -> str | None:
    """Return the version of a model that the registry has in production."""
    from stacks.active import connect_tracker

    connect_tracker()
    from tracking.registry import PRODUCTION, by_alias

    version = by_alias(model, PRODUCTION)
    return str(version.number) if version else None


def read_engine() -> tuple[str, bool]:
    """Return the flavor of the active stack's orchestrator, and whether its engine runs the monitoring pipeline.

    Raises `CommandError` for a stack that trains by a schedule only.
    """
    from stacks.active import ensure_stack
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
    return flavor, flavor == _AIRFLOW or bool(schedules.get("monitoring"))


def _taxonomy_options(options: Namespace) -> list[str]:
    return ["--taxonomy", str(options.taxonomy.resolve())] if options.taxonomy else []


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises `CommandError` when the port is in use or cannot be used."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"{host}:{port} cannot be listened on: {reason}") from error
