"""`run.py rollback`: return to the version that was in production before."""

import json
from argparse import ArgumentParser, Namespace

from commands.options import add_json, add_model, add_state, prepare_result, taxonomy_in_use, write_result
from state.folder import State
from terminal.console import announce, console
from terminal.errors import reported


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `rollback`."""
    add_model(parser)
    parser.add_argument("--reason", default="not given", help="why, for the promotion log")
    parser.add_argument("--by", metavar="NAME", help="who asks for it, for the promotion log")
    parser.add_argument(
        "--leaving",
        metavar="VERSION",
        help="the version to leave; nothing is done if another one is in production",
    )
    add_json(parser, "what was done")
    add_state(parser)


def rollback(state: State, options: Namespace) -> int:
    """Move the alias back and log the reason; a running `run.py serve` follows."""
    state.prepare()
    prepare_result(options.json, "skipped")
    with state.locked("run.py rollback"):
        with announce("connecting to the registry"):
            from stacks.active import connect_tracker
            from stacks.model_versions import show_in_production

            connect_tracker(quiet=True)
            from tracking.promotion_log import PromotionLogError
            from tracking.promotions import PromotionError, RollbackError, roll_back
        name = taxonomy_in_use(options).name
        with reported(RollbackError, PromotionError, PromotionLogError):
            moved = roll_back(name, options.reason, options.by, leaving=options.leaving)
        left, now = moved.left, moved.now
        done = {"left": left.number, "now": now.number, "skipped": list(moved.gone), "entry": moved.entry}
        write_result(options.json, json.dumps(done) + "\n")
        if moved.gone:
            skipped = ", ".join(moved.gone)
            console().print(f"Skipped, because the registry no longer has them: version {skipped}.")
        mirror = now.tags.get("mirror")
        if mirror and not show_in_production(name, mirror):
            console().print(
                f"ZenML no longer has version {mirror} of '{name}'; the MLflow registry decides.", style="yellow"
            )
    console().print(f"Version {now.number} of '{name}' is in production again (before: version {left.number}).")
    console().print(f"Reason in the promotion log: {options.reason}")
    return 0
