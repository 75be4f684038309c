"""`run.py watch`: the monitor service: reports on an interval, alerts that retrain."""

import logging
import os
import signal
import socket
import sys
import threading
from argparse import ArgumentParser, Namespace
from datetime import timedelta
from typing import TYPE_CHECKING

from commands.options import add_address, add_state, add_taxonomy, read_duration, taxonomy_of
from state.folder import SOURCE_ROOT, State
from terminal.console import announce, console
from terminal.errors import CommandError

if TYPE_CHECKING:
    from monitoring.journal import Journal
    from monitoring.retraining import Trainer

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
    """Serve until interrupted, then end what is under way."""
    every, cool_down = _duration("--every", options.every), _duration("--cool-down", options.cool_down)
    if not every:
        raise CommandError("--every must be longer than nothing")
    if options.daily_budget < 0:
        raise CommandError("--daily-budget must be 0 or more")
    name = taxonomy_of(options).name
    state.prepare()
    with announce("starting: loading ZenML"):
        import uvicorn

        from monitoring.decisions import Rules
        from monitoring.journal import Journal, JournalError
        from monitoring.report_folder import ReportFolder
        from monitoring.settings import WatchSettings
        from monitoring.watch import ELSEWHERE, Schedule, Watch
        from web.settings import SettingsError

        folder = ReportFolder.of_state(state.folder)
        try:
            tokens = WatchSettings.from_environment(state_dir=state.folder).tokens()
            journal = Journal(folder.journal)
        except (SettingsError, JournalError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"the tokens in {state.folder} cannot be used: {error.strerror}") from error
        turn = threading.Lock()
        orchestrator, scheduled = _engine()
        trainer = _airflow(options, journal) if orchestrator == _AIRFLOW else _local(state, options, journal, turn)
        monitor = [*RUN_PY, "monitor", *_whose(options)]
        schedule = None if scheduled else Schedule(monitor, SOURCE_ROOT, every, turn)
        listener = _listen(options.host, options.port)
    _log_to_terminal()
    rules = Rules(cool_down, options.daily_budget, name)
    service = Watch(journal, trainer, schedule, tokens, rules, folder=folder)
    config = uvicorn.Config(
        service.gate, lifespan="off", log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )  # fmt: skip
    server = uvicorn.Server(config)

    def leave(*_: object) -> None:
        server.should_exit = True

    # Also what uvicorn falls back to, which raises a signal again after it has ended.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    console().print(f"Monitoring on http://{options.host}:{options.port}; Ctrl-C ends it.", soft_wrap=True)
    console().print(f"Reports: {f'every {options.every}' if schedule else ELSEWHERE}.", soft_wrap=True)
    console().print(f"Reading needs any name and the password in {state.folder / 'reports-token'}.", soft_wrap=True)
    console().print(f"An alert with action=retrain retrains: {trainer.way}.", soft_wrap=True)
    service.start()
    try:
        server.run(sockets=[listener])
    finally:
        service.stop()
    return 0


def _duration(option: str, text: str) -> timedelta:
    return read_duration(option, text, "smhd", "90s, 15m, 6h or 1d")


def _log_to_terminal() -> None:
    """Show the service's own log, whatever ZenML has done to the root's."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("monitoring", logging.INFO), ("web", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def _local(state: State, options: Namespace, journal: "Journal", turn: threading.Lock) -> "Trainer":
    from monitoring.report_folder import ReportFolder
    from monitoring.retraining import LocalTrainer

    command = [*RUN_PY, "train", *_whose(options), *options.train_options]
    return LocalTrainer(command, SOURCE_ROOT, ReportFolder.of_state(state.folder), turn, journal)


def _airflow(options: Namespace, journal: "Journal") -> "Trainer":
    from monitoring.retraining import AirflowTrainer
    from stacks.airflow_client import Airflow, AirflowError, AirflowSettings

    if options.train_options:
        raise CommandError("the active stack's orchestrator is Airflow, whose DAG holds the options of the training")
    name = taxonomy_of(options).name
    try:
        airflow = Airflow(AirflowSettings.from_environment(os.environ, f"{name}_training"))
    except AirflowError as error:
        raise CommandError(str(error)) from error

    def in_production() -> str | None:
        from stacks.active import connect_tracker

        connect_tracker()
        from tracking.registry import PRODUCTION, by_alias

        version = by_alias(name, PRODUCTION)
        return str(version.number) if version else None

    return AirflowTrainer(airflow, journal, in_production)


def _engine() -> tuple[str, bool]:
    """Return the flavor of the active stack's orchestrator, and whether it runs the monitoring pipeline by itself.

    Raises `CommandError` for one that trains by a schedule only.
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
            f"stack '{name}' trains by the schedule '{schedules['training']}' and not when an alert asks for it; take "
            "the schedule out of its file, or switch to another stack"
        )
    return flavor, flavor == _AIRFLOW or bool(schedules.get("monitoring"))


def _whose(options: Namespace) -> list[str]:
    return ["--taxonomy", str(options.taxonomy.resolve())] if options.taxonomy else []


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket there; so that a port that is taken is told in a sentence."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"{host}:{port} cannot be listened on: {reason}") from error
