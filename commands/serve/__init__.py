"""`run.py serve`: serve the Bento in production, and follow promotions and rollbacks."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

from commands.options import add_address, add_model, add_state, taxonomy_in_use
from state.folder import State
from state.lock import LockedError, hold
from terminal.console import announce
from terminal.errors import CommandError, in_a_line

if TYPE_CHECKING:
    from commands.serve.release import Release


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `serve`."""
    add_address(parser, 3000)
    parser.add_argument(
        "--every", type=float, default=5, metavar="SECONDS", help="how often to look for a promotion (5)"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="worker processes (default: WORKERS, or 1)")
    add_model(parser)
    add_state(parser)


def serve(state: State, options: Namespace) -> int:
    """Serve until interrupted. After a promotion or rollback, the other Bento takes over without a refused request."""
    state.prepare()
    from bento.settings import worker_count
    from commands.serve.service import Place
    from commands.serve.sockets import inherited_sockets, open_sockets
    from commands.serve.supervisor import Supervisor
    from state.processes import on_end

    with _alone_on(state, options.port):
        name, release = _in_production(options)
        # An interruption only sets a flag from here on: it never comes between starting a worker and keeping it.
        ended = Event()
        on_end(ended.set)
        workers = options.workers or worker_count()
        inherited = inherited_sockets()
        sockets = inherited or open_sockets(state.folder, options.host, options.port, workers)
        place = Place(state.folder, options.host, options.port, workers, sockets, bool(inherited))
        Supervisor(name, place, options.every, ended).run(release)
    return 0


@contextmanager
def _alone_on(state: State, port: int) -> Iterator[None]:
    """Hold a port of this state. Raises `CommandError` naming the process that serves there already."""
    try:
        with hold(state.folder / f"serve-{port}.lock", "run.py serve"):
            yield
    except LockedError as error:
        raise CommandError(
            f"{error} serves on port {port} already, from the state folder {state.folder}; end it, or name another "
            "port with --port"
        ) from error


def _in_production(options: Namespace) -> tuple[str, "Release"]:
    """Return the model, and its version in production with its Bento.

    Raises `CommandError` when there is none, or when it cannot be served.
    """
    with announce("connecting to the registry"):
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        from commands.serve.release import RefusedError, prepare
        from stacks.active import connect_tracker
        from tracking.registry import NothingInProductionError, in_production

        try:
            connect_tracker(quiet=True)
            name = taxonomy_in_use(options).name
            version = in_production(name)
        except NothingInProductionError as error:
            raise CommandError(str(error)) from error
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise CommandError(f"the registry cannot be read ({in_a_line(error)}); try again") from error
        try:
            return name, prepare(version)
        except RefusedError as error:
            raise CommandError(
                f"version {version.number} is in production and cannot be served: {error}; "
                "'python run.py rollback' returns to the version before"
            ) from error
        except (SQLAlchemyError, OSError) as error:
            raise CommandError(
                f"the Bento of version {version.number} cannot be read ({in_a_line(error)}); try again"
            ) from error
