"""The page of a monitoring run: one file that loads nothing, the figures first."""

import html
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from steps.reports import STYLE, picture, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {"ok": "#2f855a", "warning": "#b7791f", "drift": "#c53030", "insufficient_data": "#4a5568"}
_CATEGORIES_SHOWN = 12


def monitoring_page(report: Mapping[str, Any]) -> str:
    """Return the page of a report (as `steps.publish` makes it)."""
    verdict = report["verdict"]
    window = report["window"]
    parts = [
        f"{STYLE}<h1>{html.escape(report['model_name'])}, version {html.escape(report['model_version'])}: "
        f'<span style="color:{_COLOURS[verdict]}">{verdict.replace("_", " ")}</span></h1>',
        *(f"<p>{html.escape(sentence)}</p>" for sentence in report["reasons"]),
        f"<p>{window['rows']:,} predictions since {window['since'][:16].replace('T', ' ')} UTC, "
        f"{window['distinct_rows']:,} different texts, against {window['reference_rows']:,} held-out listings. "
        f"Measured at {report['at'][:16].replace('T', ' ')} UTC.</p>",
        *_quality(report["quality"]),
        *_drift(report["drift"]),
    ]
    return "\n".join(parts)


def drift_figure(columns: list[Mapping[str, Any]]) -> "Figure":
    """Return the distance of every column beside what it may be."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1 + 0.32 * len(columns)), layout="constrained")
    axes = figure.subplots()
    names = [column["column"].replace("_", " ") for column in columns]
    scores = [column["score"] for column in columns]
    colours = [_COLOURS["drift" if column["drifted"] else "ok"] for column in columns]
    limits = [max(column["threshold"], column["noise"]) for column in columns]
    axes.barh(names, scores, color=colours)
    axes.scatter(limits, names, marker="|", s=160, color="black", label="what it may be")
    axes.set_xlabel("distance from the reference")
    axes.invert_yaxis()
    axes.legend(fontsize=8)
    return figure


def _quality(quality: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Quality, by reviewed feedback</h2>"
    if quality["agreement"] is None:
        yield f"<p>Not measured: {html.escape(quality['reason'])}.</p>"
    else:
        yield table(
            ("", "measured", "expected", "95 % interval"),
            [
                ["right answers", quality["agreement"], quality["expected_agreement"], _range(quality)],
                ["weighted F1", quality["weighted_f1"], quality["expected_weighted_f1"], ""],
            ],
        )
        yield (
            f"<p>By {quality['rows']:,} reviewed predictions, of which {quality['reviewed_agreement']:.1%} were right. "
            "Reviewers see the least certain answers first, so each stands for those of about its confidence.</p>"
        )
        if quality["per_type"]:
            yield table(
                ("predicted type", "reviewed", "precision", "95 % interval"),
                [[entry["label"], entry["rows"], entry["precision"], _range(entry)] for entry in quality["per_type"]],
            )
    if quality["users_rows"]:
        yield (
            f"<p>Plain users gave {quality['users_rows']:,} words and agree with {quality['users_agreement']:.1%} of "
            "the answers. They are not part of any figure above.</p>"
        )
    if quality["givers"]:
        yield "<h2>Who mostly disagrees</h2>"
        yield table(
            ("user", "role", "words", "disagreeing", "decides"),
            [
                [
                    *(entry[key] for key in ("username", "role", "rows", "disagreement")),
                    "yes" if entry["decides"] else "no",
                ]
                for entry in quality["givers"]
            ],
        )


def _drift(drift: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Drift</h2>"
    if not drift["columns"]:
        yield f"<p>Not measured: {html.escape(drift['reason'])}.</p>"
        return
    text = drift["text"]
    yield (
        f"<p>A classifier tells current texts from the reference with an AUC of <b class=big>{text['auc']:.2f}</b> "
        f"(0.5: not at all; {text['noise']:.2f} can be chance), on {text['rows']:,} texts of either.</p>"
    )
    if text["telling"] and text["verdict"] != "ok":
        yield f"<p>Words that betray a current text: {html.escape(', '.join(text['telling']))}.</p>"
    yield picture(drift_figure(drift["columns"]), "Distance of every column from the reference")
    yield table(
        ("column", "distance", "threshold", "chance", "median before", "median now", "drifted"),
        [
            [
                column["column"], *(column[key] for key in ("score", "threshold", "noise")),
                *(column["medians"] or ("", "")), "yes" if column["drifted"] else "no",
            ]
            for column in drift["columns"]
        ],
    )  # fmt: skip
    for column in drift["columns"]:
        if column["shares"]:
            shares = sorted(column["shares"].items(), key=lambda entry: -abs(entry[1][1] - entry[1][0]))
            yield table(
                (column["column"].replace("_", " "), "share before", "share now"),
                [[name, before, now] for name, (before, now) in shares[:_CATEGORIES_SHOWN]],
            )


def _range(entry: Mapping[str, Any]) -> str:
    return f"{entry['lower']:.3f} to {entry['upper']:.3f}"
