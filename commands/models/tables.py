"""What `run.py models` prints."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from commands.models.catalogue import Catalogue, Score, Shown, ShownDecision, ShownVersion, VersionDetails
from commands.models.comparison import Comparison, Pair
from terminal.console import console
from terminal.tables import show_rows

_UNKNOWN = "not recorded"
_MOVES = 20  # of the log that are printed


def show(name: str, found: Shown) -> None:
    """Print what was found of a model."""
    if isinstance(found, Catalogue):
        _show_catalogue(found)
    elif isinstance(found, VersionDetails):
        _show_version(name, found)
    elif isinstance(found, Comparison):
        _show_comparison(name, found)


def _show_catalogue(catalogue: Catalogue) -> None:
    if not catalogue.versions:
        console().print(f"The registry has no version of '{catalogue.model}' yet; train one with 'python run.py'.")
    else:
        _print(
            ("version", "aliases", "registered (UTC)", "weighted F1", "macro F1", "decision", "trained on"),
            (
                (
                    version.version,
                    ", ".join(version.aliases),
                    _time(version.created_at),
                    _score(version.scores.get("weighted_f1")),
                    _score(version.scores.get("macro_f1")),
                    _decided(version.decision),
                    _rows(version),
                )
                for version in catalogue.versions
            ),
        )
    if catalogue.log:
        console().print(f"\nPromotions and rollbacks of '{catalogue.model}', newest first", style="bold")
        _print(
            ("at (UTC)", "what", "by", "reason"),
            (
                (
                    _time(move.at),
                    f"{move.action}: {move.left or 'none'} → {move.version}",
                    _plain(move.by or ""),
                    _plain(move.reason),
                )
                for move in catalogue.log[:_MOVES]
            ),
        )
        if len(catalogue.log) > _MOVES:
            console().print(f"{len(catalogue.log) - _MOVES:,} older ones are in --json FILE.")


def _show_version(name: str, version: VersionDetails) -> None:
    decision = version.decision
    commit = f"{version.commit}{'' if version.clean else ', with changes that were not committed'}"
    show_rows(
        {
            "Version": f"{version.version} of '{name}'",
            "Aliases": ", ".join(version.aliases) or "none",
            "Registered": f"{_time(version.created_at)} UTC",
            "Weighted F1": _score(version.scores.get("weighted_f1")),
            "Macro F1": _score(version.scores.get("macro_f1")),
            "Decision": f"{_decided(decision)}: {_plain(decision.reason)}" if decision else _UNKNOWN,
            "Bento": version.bento or "none: no training has promoted it",
            "Trained on": _trained_on(version),
            "Revision": f"git commit {commit}" if version.commit else _UNKNOWN,
            "Run": version.run_id,
            "Model card": _UNKNOWN if version.card is None else "in --json FILE",
            "Not there": "\n".join(version.lineage["missing"]) or "nothing is missing",
        }
    )
    if version.by_type is None:
        console().print(f"\nScores by product type: {_UNKNOWN}")
        return
    console().print("\nScores by product type, the lowest F1 first", style="bold")
    _print(
        ("code", "type", "F1", "precision", "recall", "test rows"),
        (
            (
                str(scores.code), _plain(scores.label), f"{scores.f1:.3f}", f"{scores.precision:.3f}",
                f"{scores.recall:.3f}", f"{scores.support:,}",
            )
            for scores in sorted(version.by_type, key=lambda scores: scores.f1)
        ),
    )  # fmt: skip


def _show_comparison(name: str, compared: Comparison) -> None:
    overall, first, second = compared.overall, f"version {compared.first}", f"version {compared.second}"
    console().print(f"Version {compared.second} against version {compared.first} of '{name}'", style="bold")
    figures: Sequence[tuple[str, Pair]] = (
        ("weighted F1", overall.weighted_f1), ("macro F1", overall.macro_f1), ("accuracy", overall.accuracy),
    )  # fmt: skip
    _print(
        ("", first, second, "difference"),
        ((what, f"{pair.first:.3f}", f"{pair.second:.3f}", f"{pair.difference:+.3f}") for what, pair in figures),
    )
    if overall.paired and overall.paired.difference is not None:
        bounds = f"{overall.paired.low:+.3f} to {overall.paired.high:+.3f}"
        console().print(f"On the same rows the promotion gate measured {overall.paired.difference:+.3f} ({bounds}).")
    if not overall.same_data:
        console().print("They were not tested on the same listings, as far as is known: small differences say nothing.")
    console().print("\nF1 by product type, the largest loss first", style="bold")
    _print(
        ("code", "type", first, second, "difference", "test rows"),
        (
            (str(pair.code), _plain(pair.label), _f1(pair.first_f1), _f1(pair.second_f1),
             "" if pair.difference is None else f"{pair.difference:+.3f}", f"{pair.support:,}")
            for pair in compared.types
        ),
    )  # fmt: skip


def _print(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading)
    for row in rows:
        table.add_row(*row)
    console().print(table)


def _rows(version: ShownVersion) -> str:
    if version.trained_on is None:
        return _UNKNOWN
    return f"{version.trained_on:,} rows{', with sentence vectors' if version.vector_share else ''}"


def _trained_on(version: ShownVersion) -> str:
    if version.trained_on is None:
        return _UNKNOWN
    share = f", sentence vectors with a share of {version.vector_share}" if version.vector_share else ""
    return f"{version.trained_on:,} rows of the data {(version.data_hash or _UNKNOWN)[:12]}{share}"


def _decided(decision: ShownDecision | None) -> str:
    return _UNKNOWN if decision is None else "promoted" if decision.promoted else "refused"


def _score(score: Score | None) -> str:
    return f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})" if score else _UNKNOWN


def _f1(value: float | None) -> str:
    return "no rows" if value is None else f"{value:.3f}"


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else _UNKNOWN


def _plain(text: str) -> str:
    """Return a text in one line, without what would control the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
