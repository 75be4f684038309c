"""`run.py audit`: list the listings whose label is probably wrong, as a CSV file, a page, and for review."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from commands.options import add_state, add_taxonomy, taxonomy_to_train
from state.files import write_atomically
from state.folder import State
from terminal.console import announce, console
from terminal.errors import CommandError, reported
from terminal.tables import show_rows

if TYPE_CHECKING:
    import pandas as pd

    from catalog.taxonomy import Taxonomy

_HELP = """List the listings whose product type is probably wrong, with the type that they probably have. Each label is
compared with the answer of models that were trained on other listings. Nothing is changed: correct your files, or let
reviewers decide with --review; the next training learns what they say."""
COLUMNS = (
    "index", "designation", "given_code", "given_label", "proposed_code", "proposed_label", "given_confidence",
    "proposed_confidence", "sure",
)  # fmt: skip


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `audit`."""
    parser.description = _HELP
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="csv file to write; that of an earlier audit is replaced"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with the challenge's files (default: the embedded listings)"
    )
    add_taxonomy(parser)
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write a page (html)")
    parser.add_argument("--review", action="store_true", help="also put them into the reviewers' queue")
    parser.add_argument("--folds", type=int, default=5, metavar="N", help="models that check each other's listings (5)")
    parser.add_argument(
        "--sure", type=float, default=0.9, metavar="X",
        help="mark as sure where the confidence in the proposed type is higher by X (0.9)",
    )  # fmt: skip
    add_state(parser)


def audit(_state: State, options: Namespace) -> int:
    """Audit and report."""
    started = monotonic()
    taxonomy = taxonomy_to_train(options)
    _require_own(options.file)
    with announce("reading the listings and training models on parts of them"):
        from pydantic import ValidationError

        from catalog.audit_rules import AuditRules
        from catalog.label_audit import audit_labels
        from ledger.database import LedgerError

        try:
            rules = AuditRules(in_training="report", folds=options.folds, sure=options.sure)
        except ValidationError as error:
            problem = error.errors()[0]
            raise CommandError(f"--{problem['loc'][0]}: {problem['msg']}") from None
        raw = _read(options.data, taxonomy)
        with reported(LedgerError):
            listings = _clean(raw, taxonomy)
        with reported(ValueError):
            suspects = audit_labels(listings, rules, seed=0)
    table = _as_in_the_files(suspects, raw, taxonomy)
    write_atomically(options.file, table.to_csv(index=False, lineterminator="\n", float_format="%.4f"))
    if options.page:
        from reports.label_audit_page import label_audit_page

        write_atomically(options.page, label_audit_page(suspects, len(listings), taxonomy, rules))
    rows = {
        "Audited": f"{len(listings):,} different texts",
        "In doubt": f"{len(suspects):,}, of which {int(suspects['sure'].sum()):,} are sure",
        "Written": f"{options.file} ({len(table):,} rows of the files, the most suspicious first)",
    }
    if options.review:
        with reported(LedgerError):
            rows["For review"] = _queue(suspects, listings, taxonomy)
    console().print()
    show_rows(rows | {"Time": f"{monotonic() - started:.0f} s"})
    return 0


def _require_own(file: Path) -> None:
    """Raise `CommandError` if something else than an earlier audit would be lost."""
    if file.is_file() and file.stat().st_size:
        with file.open(encoding="utf-8", errors="replace") as content:
            if content.readline().rstrip("\n") != ",".join(COLUMNS):
                raise CommandError(f"{file} is no result of an earlier audit and would be lost; name another file")


def _read(folder: Path | None, taxonomy: "Taxonomy") -> "pd.DataFrame":
    """Return the raw listings. Raises `CommandError`, also when a code is not in the taxonomy."""
    from catalog.listings import ListingReadError, read_source
    from catalog.source import ListingSource

    source = ListingSource(kind="files") if folder else ListingSource(kind="embedded", size=20_000, seed=0)
    with reported(ListingReadError):
        raw = read_source(source, folder)
    unknown = sorted(set(raw["prdtypecode"]) - {str(code) for code in taxonomy.labels})
    if unknown:
        raise CommandError(
            f"{len(unknown)} codes are not in the taxonomy, such as {', '.join(map(repr, unknown[:5]))}: name the "
            "catalogue's with --taxonomy FILE, or correct the files ('python run.py --data DIR' shows where they are)"
        )
    return raw


def _clean(raw: "pd.DataFrame", taxonomy: "Taxonomy") -> "pd.DataFrame":
    """Return the clean table of listings and feedback, as a training makes it; held-out rows stay what they are."""
    from catalog.consolidation import ConsolidationRules, consolidate
    from ledger.database import database_url
    from ledger.feedback import read_feedback

    feedback = read_feedback(database_url(), taxonomy.name)
    return consolidate(raw, feedback, taxonomy.labels, ConsolidationRules(near_duplicates=None)).listings


def _as_in_the_files(suspects: "pd.DataFrame", raw: "pd.DataFrame", taxonomy: "Taxonomy") -> "pd.DataFrame":
    """Return the suspects as rows of the files (`COLUMNS`): a text that is there several times has several rows."""
    from catalog.splits import text_keys

    rows = raw[["index"]].assign(text_key=text_keys(raw), given_code=raw["prdtypecode"].astype("int64"))
    table = suspects.merge(rows, on=["text_key", "given_code"], how="left")
    table["given_label"] = table["given_code"].map(taxonomy.label_of)
    table["proposed_label"] = table["proposed_code"].map(taxonomy.label_of)
    return table[list(COLUMNS)]


def _queue(suspects: "pd.DataFrame", listings: "pd.DataFrame", taxonomy: "Taxonomy") -> str:
    """Put the suspects into the reviewers' queue and say how many are new."""
    from datetime import UTC, datetime

    from ledger.database import database_url, migrate, open_engine, writing
    from ledger.suspects import Suspect, queue_suspects

    texts = listings.set_index("text_key").loc[suspects["text_key"]]
    found = [
        Suspect(key, title, text if isinstance(text, str) else None, language, int(code), float(confidence))
        for key, title, text, language, code, confidence in zip(
            suspects["text_key"], texts["designation"], texts["description"], texts["language"],
            suspects["proposed_code"], suspects["proposed_confidence"], strict=True,
        )
    ]  # fmt: skip
    migrate(database_url())
    engine = open_engine(database_url())
    try:
        with writing(engine) as connection:
            new = queue_suspects(connection, taxonomy.name, found, datetime.now(UTC))
    finally:
        engine.dispose()
    return f"{new:,} are new in the queue of '{taxonomy.name}', {len(found) - new:,} were there before"
