"""The journal as it was before it became an SQLite file: `decisions.jsonl`, one JSON object a line. Read once."""

import fcntl
import logging
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from monitoring.entries import Entry

logger = logging.getLogger("monitoring")

FORMER_NAME = "decisions.jsonl"
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Annotated[Entry, Field(discriminator="kind")])


class FormerJournalError(Exception):
    """The former journal cannot be read."""


def read_former_journal(path: Path) -> list[Entry]:
    """Return its entries, oldest first; none where there is no such file.

    A last line without its end was being written when the process was killed: it is left out with a warning. Raises
    `FormerJournalError` for any other line that is not an entry, and when an earlier service still writes to the file;
    `OSError` when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as the services that wrote it did
            complete, newline, torn = file.read().rpartition(b"\n")
    except FileNotFoundError:
        return []
    except BlockingIOError:
        raise FormerJournalError(f"another monitor service uses {path}; end it first") from None
    if torn:
        logger.warning("The last line of %s is incomplete and is left out", path)
    entries: list[Entry] = []
    for number, line in enumerate(complete.split(b"\n") if newline else (), start=1):
        try:
            entries.append(_ENTRY.validate_json(line))
        except ValidationError as error:
            raise FormerJournalError(
                f"line {number} of {path} is not a valid entry; correct the line, or move the file away to start empty"
            ) from error
    if entries:
        logger.info("%d entries of %s are now in the journal", len(entries), path)
    return entries
