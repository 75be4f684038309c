"""Options that several verbs share."""

import json
import re
import shlex
import sys
from argparse import ArgumentParser, Namespace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from state.files import write_atomically
from state.folder import SOURCE_ROOT
from terminal.console import console
from terminal.errors import CommandError, reported

if TYPE_CHECKING:
    from catalog.taxonomy import Taxonomy

_DURATION = re.compile(r"([0-9]{1,5})([smhdw])")
_STDOUT = Path("-")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_state(parser: ArgumentParser) -> None:
    """Declare `--state`, which every verb has."""
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="keep all state in DIR, also that of ZenML, MLflow and BentoML (default: STATE_DIR, or .state)",
    )


def add_taxonomy(parser: ArgumentParser) -> None:
    """Declare `--taxonomy`, which names the catalogue and so the model that is trained."""
    parser.add_argument(
        "--taxonomy",
        type=Path,
        metavar="FILE",
        help="csv file with the columns code,label (default: the 27 Rakuten types)",
    )


def add_model(parser: ArgumentParser) -> None:
    """Declare `--taxonomy` and `--embedded`, which name a model that has been trained."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--taxonomy",
        type=Path,
        metavar="FILE",
        help="the model of this catalogue (default: that of the 27 Rakuten types which was trained on files, if it has "
        "a version in production, else that of the embedded listings)",
    )
    which.add_argument("--embedded", action="store_true", help="the model of the embedded listings")


def add_address(parser: ArgumentParser, port: int) -> None:
    """Declare `--host` and `--port` of a service."""
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (127.0.0.1: this machine only)")
    parser.add_argument("--port", type=int, default=port, help=f"port to bind ({port})")


def add_pipeline(parser: ArgumentParser, config: Path, result: str) -> None:
    """Declare what every verb has that runs a pipeline: its configuration, the result as JSON, ZenML's log."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=config,
        help=f"parameters of the pipeline (pipelines/configs/{config.name})",
    )
    add_retention(parser)
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help=f"also write {result} as JSON to FILE; an earlier one is replaced"
    )
    parser.add_argument("--verbose", action="store_true", help="show ZenML's log and the logs of the steps")


def add_retention(parser: ArgumentParser) -> None:
    """Declare `--retention`, the rules about what is kept."""
    parser.add_argument(
        "--retention",
        type=Path,
        metavar="FILE",
        default=SOURCE_ROOT / "pipelines" / "configs" / "retention.yaml",
        help="what is kept, and for how long (pipelines/configs/retention.yaml)",
    )


def taxonomy_to_train(options: Namespace) -> "Taxonomy":
    """Return the taxonomy of a training: that in `--taxonomy FILE`, or the 27 Rakuten types. It has the model's name.

    Raises `CommandError` when the file cannot be used, or is given without files of listings.
    """
    from catalog.taxonomy import EMBEDDED, RAKUTEN

    if options.taxonomy and not options.data:
        raise CommandError("--taxonomy needs --data DIR: the embedded listings are of the 27 Rakuten types")
    if options.taxonomy:
        return _read_taxonomy(options.taxonomy)
    return RAKUTEN if options.data else EMBEDDED


def taxonomy_in_use(options: Namespace) -> "Taxonomy":
    """Return the taxonomy of the model that a verb works on, which has the model's name; print a choice of our own.

    The tracker must be connected: without an option, the version in production decides (see `add_model`). Raises
    `CommandError` when the taxonomy's file cannot be used.
    """
    if options.taxonomy:
        return _read_taxonomy(options.taxonomy)
    from catalog.taxonomy import EMBEDDED, RAKUTEN

    if options.embedded:
        return EMBEDDED
    from tracking.registry import PRODUCTION, by_alias

    files = by_alias(RAKUTEN.name, PRODUCTION) is not None
    chosen = RAKUTEN if files else EMBEDDED
    console().print(f"Model: '{chosen.name}', trained on {'files' if files else 'the embedded listings'}.")
    return chosen


def model_option(options: Namespace) -> str:
    """Return the option that names the same model to another command, as it is typed; empty without one."""
    if options.taxonomy:
        return f" --taxonomy {shlex.quote(str(options.taxonomy))}"
    return " --embedded" if options.embedded else ""


def _read_taxonomy(path: Path) -> "Taxonomy":
    from catalog.taxonomy import Taxonomy, TaxonomyError

    with reported(TaxonomyError):
        return Taxonomy.read(path)


def read_duration(option: str, text: str, units: str, examples: str) -> timedelta:
    """Return the duration that an option states: a number and one of the `units` (of s, m, h, d, w).

    Raises `CommandError`, which shows the examples.
    """
    found = _DURATION.fullmatch(text)
    if not found or found[2] not in units:
        raise CommandError(f"{option} takes a number and a unit, as {examples}, not {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def add_json(parser: ArgumentParser, result: str) -> None:
    """Declare `--json`, which writes the result for programs."""
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help=f"also write {result} as JSON to FILE, replacing an earlier one; - prints it instead of the text",
    )


def prepare_result(file: Path | None, key: str) -> None:
    """Make ready for `write_result`: see `require_result_file`. With `-` nothing is printed but the result."""
    if file == _STDOUT:
        console().quiet = True
    else:
        require_result_file("--json", file, key)


def write_result(file: Path | None, text: str) -> None:
    """Write the result that `--json` asks for, if it does."""
    if file == _STDOUT:
        sys.stdout.write(text)
    elif file:
        write_atomically(file, text)


def require_result_file(option: str, file: Path | None, key: str) -> None:
    """Raise `CommandError` when a result cannot be written to a file, or when something else would be lost by it.

    An earlier result, which has the key, is replaced, and so is an empty file.
    """
    if file is None:
        return
    if not file.resolve().parent.is_dir():
        raise CommandError(f"{option} {file}: the folder {file.resolve().parent} does not exist")
    if file.is_dir():
        raise CommandError(f"{option} {file} is a folder; name a file")
    if file.is_file() and not _is_result(file, key):
        raise CommandError(
            f"{option} {file} would overwrite a file that is no result of this command; name another, or remove it"
        )


def _is_result(file: Path, key: str) -> bool:
    try:
        text = file.read_text(encoding="utf-8")
        return not text or key in json.loads(text)
    except (OSError, ValueError, TypeError):
        return False
