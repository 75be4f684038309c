#!/usr/bin/env python3
"""Product types of marketplace listings: train, serve, roll back, look around. `python run.py --help` tells more."""

import argparse
import importlib
import sys
from pathlib import Path

VERBS = (
    "train",
    "serve",
    "monitor",
    "watch",
    "simulate",
    "auth",
    "rollback",
    "purge",
    "data",
    "env",
    "stack",
    "doctor",
)
EXAMPLES = """examples:
  python run.py                                  train on 20,000 embedded listings, promote what is better
  python run.py --data DIR                       train on the challenge's files (X_train_update.csv, …)
  python run.py --data DIR --taxonomy FILE       train on any other catalogue (csv: code,label)
  python run.py serve                            serve the model in production on http://127.0.0.1:3000
  python run.py monitor                          drift and quality of what the model in production answered
  python run.py simulate --kind drifted          send the service listings that it has not seen the like of
  python run.py watch -- --data DIR              reports every 15 minutes; alerts retrain, with the options after --
  python run.py rollback --reason "worse on toys"
  python run.py purge --older-than 90d           remove predictions and feedback older than that
  python run.py stack apply containers           run every step in a container from now on
  python run.py doctor                           what is installed, where it writes, what is missing
"""


def main(arguments: list[str]) -> int:
    """Run one verb and return the exit code; `train` is the verb when none is given."""
    if sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)):
        return _fail(f"Python 3.11, 3.12 or 3.13 is needed, this is {sys.version.split()[0]}", 1)
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments = ["train", *arguments]
    options = _parse(arguments)
    try:
        from commands import INTERRUPTED, INTERRUPTED_CODE, CommandError
        from state.folder import State, StateError
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is not installed here; 'make install' sets up .venv", 1)
    state = State.chosen(options.state)
    state.enter()
    try:
        verb = importlib.import_module(f"commands.{options.verb}")
        code: int = getattr(verb, options.verb)(state, options)
    except CommandError as error:
        return _fail(str(error), error.exit_code)
    except StateError as error:
        return _fail(str(error), 1)
    except ModuleNotFoundError as error:
        return _fail(
            f"{error.name} is not installed here; 'make install' sets up .venv, '.venv/bin/python run.py' uses it", 1
        )
    except KeyboardInterrupt:
        return _fail(INTERRUPTED, INTERRUPTED_CODE)
    return code


def _parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line; the usage that an error shows is the verb's."""
    parser, verbs = _parsers()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        verbs[options.verb].error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.verb == "watch":
        verbs["train"].parse_args(options.train_options)  # what is wrong with them is told now, not at the first alert
    return options


def _parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="keep all state in DIR, ZenML's, MLflow's and BentoML's too (or STATE_DIR)",
    )
    model = argparse.ArgumentParser(add_help=False)
    model.add_argument(
        "--taxonomy", type=Path, metavar="FILE", help="csv with the columns code,label; the 27 Rakuten types"
    )

    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__, epilog=EXAMPLES, formatter_class=form)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    train = verbs.add_parser("train", parents=[shared, model], help="run the training pipeline (the default)")
    train.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with the challenge's files; the embedded listings"
    )
    train.add_argument(
        "--size", type=int, metavar="N", help="number of embedded listings (20,000 in the configuration)"
    )
    config = Path(__file__).parent / "pipelines" / "configs" / "training.yaml"
    train.add_argument("--config", type=Path, metavar="FILE", default=config, help="pipelines/configs/training.yaml")
    train.add_argument(
        "--new-baseline",
        action="store_true",
        help="judge by the minimum scores alone, as if nothing were in production",
    )
    train.add_argument("--no-cache", action="store_true", help="run every step, whatever ran before")
    train.add_argument("--json", type=Path, metavar="FILE", help="write the outcome as JSON too")
    train.add_argument("--verbose", action="store_true", help="show ZenML's log and the steps' own")

    serve = verbs.add_parser("serve", parents=[shared, model], help="serve the Bento in production, follow promotions")
    serve.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1: this machine only)")
    serve.add_argument("--port", type=int, default=3000, help="3000")
    serve.add_argument(
        "--every", type=float, default=5, metavar="SECONDS", help="how often to look for a promotion (5)"
    )
    serve.add_argument("--workers", type=int, metavar="N", help="processes that answer (WORKERS, or 1)")

    monitor = verbs.add_parser("monitor", parents=[shared, model], help="run the monitoring pipeline once")
    watched = Path(__file__).parent / "pipelines" / "configs" / "monitoring.yaml"
    monitor.add_argument(
        "--config", type=Path, metavar="FILE", default=watched, help="pipelines/configs/monitoring.yaml"
    )
    monitor.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON there too")
    monitor.add_argument("--verbose", action="store_true", help="show ZenML's log and the steps' own")

    simulate = verbs.add_parser("simulate", parents=[shared], help="send the service realistic traffic, with feedback")
    simulate.add_argument(
        "--kind",
        choices=("normal", "drifted", "burst", "multilingual"),
        default="normal",
        help="like the embedded listings; another season; as fast as it goes; in three languages (normal)",
    )
    simulate.add_argument("--requests", type=int, default=1_000, metavar="N", help="listings to send (1,000)")
    simulate.add_argument("--rate", type=float, metavar="R", help="listings a second (20; burst: no limit)")
    simulate.add_argument(
        "--feedback", type=float, default=0.2, metavar="SHARE", help="share that gets its right type back (0.2)"
    )
    simulate.add_argument("--service", default="http://127.0.0.1:3000", metavar="URL", help="http://127.0.0.1:3000")
    simulate.add_argument(
        "--username", metavar="NAME", help="who asks and corrects, with the password in PASSWORD (admin)"
    )
    simulate.add_argument("--seed", type=int, default=1, metavar="N", help="other listings of the same kind (1)")

    watch = verbs.add_parser("watch", parents=[shared, model], help="reports on an interval, alerts that retrain")
    watch.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1: this machine only)")
    watch.add_argument("--port", type=int, default=8003, help="8003")
    watch.add_argument("--every", default="15m", metavar="TIME", help="how often to look: 90s, 15m, 6h or 1d (15m)")
    watch.add_argument("--cool-down", default="6h", metavar="TIME", help="from one retraining to the next (6h)")
    watch.add_argument("--daily-budget", type=int, default=3, metavar="N", help="retrainings a day, UTC (3)")
    watch.add_argument("train_options", nargs="*", metavar="-- OPTION", help="what a retraining passes to 'train'")

    auth = verbs.add_parser("auth", parents=[shared], help="run auth apart from the prediction service")
    auth.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1: this machine only)")
    auth.add_argument("--port", type=int, default=8001, help="8001")

    rollback = verbs.add_parser("rollback", parents=[shared, model], help="return to the version in production before")
    rollback.add_argument("--reason", default="not given", help="why, for the promotion log")

    purge = verbs.add_parser("purge", parents=[shared], help="remove predictions and feedback that are too old to keep")
    purge.add_argument("--older-than", required=True, metavar="AGE", help="as 90d, 12w or 36h")

    data = verbs.add_parser("data", parents=[shared], help="write the embedded listings as the challenge's files")
    data.add_argument("directory", type=Path, metavar="DIR")
    data.add_argument("--size", type=int, default=20_000, metavar="N", help="number of listings (20,000)")
    data.add_argument("--seed", type=int, default=0, help="0")

    env = verbs.add_parser("env", parents=[shared], help='exports for native commands: eval "$(python run.py env)"')
    env.add_argument("--tracker", action="store_true", help="the active stack's MLflow too, for mlflow ui")

    stack = verbs.add_parser("stack", help="where the pipelines run: stack files and ZenML's stacks")
    actions = stack.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", parents=[shared], help="the files in stacks/, and how ZenML stands to each")
    apply = actions.add_parser("apply", parents=[shared], help="make ZenML's stack what its file says, and activate it")
    apply.add_argument("name", metavar="NAME", help="of a file in stacks/: local, containers, airflow, kubernetes")
    apply.add_argument("--dry-run", action="store_true", help="show what would be changed, and change nothing")
    diff = actions.add_parser("diff", parents=[shared], help="show the differences; exit code 1 where there are any")
    diff.add_argument("name", metavar="NAME", help="of a file in stacks/")

    verbs.add_parser("doctor", parents=[shared], help="versions, stack, services, writable places; says what to do")
    return parser, verbs.choices


def _fail(message: str, exit_code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
