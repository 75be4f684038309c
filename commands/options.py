"""Options that several verbs share."""

import re
from argparse import ArgumentParser, Namespace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from terminal.errors import CommandError, reported

if TYPE_CHECKING:
    from catalog.taxonomy import Taxonomy

_DURATION = re.compile(r"([0-9]{1,5})([smhdw])")
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
    """Declare `--taxonomy`, which names the catalogue and so the model."""
    parser.add_argument(
        "--taxonomy",
        type=Path,
        metavar="FILE",
        help="csv file with the columns code,label (default: the 27 Rakuten types)",
    )


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
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"also write {result} as JSON to FILE")
    parser.add_argument("--verbose", action="store_true", help="show ZenML's log and the logs of the steps")


def taxonomy_of(options: Namespace) -> "Taxonomy":
    """Return the taxonomy in `--taxonomy FILE`, or else the 27 Rakuten types. Its name is the name of the model.

    Raises `CommandError` when the file cannot be used.
    """
    from catalog.taxonomy import RAKUTEN, Taxonomy, TaxonomyError

    with reported(TaxonomyError):
        return Taxonomy.read(options.taxonomy) if options.taxonomy else RAKUTEN


def read_duration(option: str, text: str, units: str, examples: str) -> timedelta:
    """Return the duration that an option states: a number and one of the `units` (of s, m, h, d, w).

    Raises `CommandError`, which shows the examples.
    """
    found = _DURATION.fullmatch(text)
    if not found or found[2] not in units:
        raise CommandError(f"{option} takes a number and a unit, as {examples}, not {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def require_folder_of(option: str, file: Path | None) -> None:
    """Raise `CommandError` when the folder of a file to write does not exist."""
    if file and not file.resolve().parent.is_dir():
        raise CommandError(f"{option} {file}: the folder {file.resolve().parent} does not exist")
