"""Pictures, pages and the model card of an evaluation. Every page is one file that loads nothing."""

import base64
import html
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.comparison import Decision, PairedDifference
from catalog.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUE, _GREY, _ORANGE = "#2b6cb0", "#a0aec0", "#c05621"
STYLE = (
    '<meta charset="utf-8"><style>body{font:14px/1.45 sans-serif;margin:1.5em;max-width:72em}table{border-collapse:'
    "collapse;margin:.6em 0 1.4em}td,th{padding:.25em .9em .25em 0;text-align:left;border-bottom:1px solid #8884}"
    "td.n,th.n{text-align:right}img{max-width:100%}b.big{font-size:1.5em}</style>"
)


def confusion_figure(evaluation: Evaluation) -> "Figure":
    """Return the confusion matrix, each row in shares of the true type's listings."""
    from matplotlib.figure import Figure

    counts = np.array(evaluation.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [_short(entry["label"]) for entry in evaluation.per_type]
    size = 3 + 0.32 * len(names)
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    for row, column in zip(*np.nonzero(shares >= 0.05), strict=True):
        share = shares[row, column]
        text = f"{100 * share:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=6, color="white" if share > 0.55 else "black")
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("Where listings of each type go, in % (from 5 %)")
    figure.colorbar(image, ax=axes, shrink=0.6, label="share of the true type")
    return figure


def reliability_figure(evaluation: Evaluation) -> "Figure":
    """Return accuracy against confidence, over how many listings had that confidence."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), layout="constrained")
    curve, amounts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    bins = evaluation.reliability
    curve.plot([0, 1], [0, 1], color=_GREY, linestyle="--", label="perfectly calibrated")
    confidence, accuracy = ([entry[key] for entry in bins] for key in ("confidence", "accuracy"))
    curve.plot(confidence, accuracy, marker="o", color=_BLUE, label="this model")
    curve.set_ylabel("share that is right")
    curve.set_title(f"Calibration error {evaluation.expected_calibration_error:.3f}")
    middles = [(entry["lower"] + entry["upper"]) / 2 for entry in bins]
    amounts.bar(middles, [entry["rows"] for entry in bins], width=0.06, color=_BLUE)
    amounts.set_xlabel("confidence")
    amounts.set_ylabel("listings")
    if evaluation.threshold is not None:
        for axes in (curve, amounts):
            axes.axvline(evaluation.threshold, color=_ORANGE, label="abstention threshold")
    curve.legend(loc="upper left")
    return figure


def per_type_figure(evaluation: Evaluation) -> "Figure":
    """Return the F1 of every type, the weakest on top."""
    from matplotlib.figure import Figure

    entries = sorted(evaluation.per_type, key=lambda entry: -entry["f1"])
    figure = Figure(figsize=(8, 1.2 + 0.28 * len(entries)), layout="constrained")
    axes = figure.subplots()
    axes.barh([_short(entry["label"]) for entry in entries], [entry["f1"] for entry in entries], color=_BLUE)
    for place, entry in enumerate(entries):
        axes.text(entry["f1"] + 0.01, place, f"{entry['f1']:.2f} of {entry['rows']:,}", va="center", fontsize=8)
    axes.axvline(evaluation.weighted_f1, color=_ORANGE, label=f"weighted F1 {evaluation.weighted_f1:.3f}")
    axes.set_xlim(0, 1.15)
    axes.set_xlabel("F1, and the number of test listings")
    axes.legend(loc="lower right", fontsize=8)
    return figure


def evaluation_page(evaluation: Evaluation, title: str) -> str:
    """Return all measurements and pictures as one HTML page."""
    types = sorted(evaluation.per_type, key=lambda entry: entry["f1"])
    parts = [
        f"{STYLE}<h1>{html.escape(title)}</h1>",
        f"<p><b class=big>{evaluation.weighted_f1:.3f}</b> weighted F1 ({_range(evaluation.weighted_f1_interval)}), "
        f"<b class=big>{evaluation.macro_f1:.3f}</b> macro F1 ({_range(evaluation.macro_f1_interval)}), 95 % intervals "
        f"on {evaluation.rows:,} test listings that no version was trained on.</p>",
        f"<p>{html.escape(_abstention(evaluation))}</p>",
        picture(per_type_figure(evaluation), "F1 of every type"),
        "<h2>Types, the weakest first</h2>",
        table(
            ("code", "type", "listings", "precision", "recall", "F1"),
            [
                [str(entry["code"]), *(entry[key] for key in ("label", "rows", "precision", "recall", "f1"))]
                for entry in types
            ],
        ),
        "<h2>Languages and descriptions</h2>",
        table(("part", "listings", "weighted F1"), [list(entry.values()) for entry in evaluation.slices]),
        "<h2>Most frequent confusions</h2>",
        table(("true", "predicted", "listings"), [list(entry.values()) for entry in evaluation.confusions]),
        picture(confusion_figure(evaluation), "Confusion matrix"),
        picture(reliability_figure(evaluation), "Reliability curve"),
    ]
    return "\n".join(parts)


def decision_page(decision: Decision) -> str:
    """Return the decision, its sentence and the figures behind it as one HTML page."""
    verdict = "Promoted" if decision.promoted else "Not promoted"
    windows = {"all test listings": decision.on_test, "recent reviewed feedback": decision.on_recent}
    rows = [_window_row(name, window) for name, window in windows.items() if window]
    losses = [[label, loss] for label, loss in decision.type_losses.items()]
    parts = [f"{STYLE}<h1>{verdict}</h1><p>{html.escape(decision.reason)}.</p>"]
    if rows:
        parts.append(table(("measured on", "listings", "difference", "lower bound", "upper bound"), rows))
    if losses:
        parts += ["<h2>Types that lose too much</h2>", table(("type", "F1 lost"), losses)]
    return "\n".join(parts)


def model_card(evaluation: Evaluation, facts: Mapping[str, Any]) -> str:
    """Return a model card in Markdown (Mitchell et al., "Model Cards for Model Reporting", 2019).

    `facts`: name, data_source, is_synthetic, profile, parameters, candidates (name to weighted F1 on validation),
    git_revision, created_at, target_precision, temperature.
    """
    profile = facts["profile"]
    warning = (
        "\n> Trained and measured on **synthetic** listings. None of these figures says anything about real ones.\n"
        if facts["is_synthetic"]
        else ""
    )
    types = [[entry["label"], entry["rows"], entry["precision"], entry["recall"], entry["f1"]]
             for entry in sorted(evaluation.per_type, key=lambda entry: -entry["rows"])]  # fmt: skip
    return f"""# Model card: {facts["name"]}
{warning}
## What it is for
Suggesting the product type of a marketplace listing from its title and description. It abstains where it is not sure; a
person decides there. Not for decisions about people, and not for texts other than listings.

## Data
Source: {facts["data_source"]}. {profile["rows"]:,} listings after consolidation ({_shares(profile["languages"])};
{profile["missing_description_share"]:.0%} without description), of which {profile["splits"]["train"]:,} for training,
{profile["splits"]["validation"]:,} for validation and {profile["splits"]["test"]:,} for the test. Data hash
`{profile["data_hash"]}`.

## Model
A linear classifier over TF-IDF of words and characters, temperature {facts["temperature"]:.3g}. Candidates by weighted
F1 on validation: {", ".join(f"{name} {score:.3f}" for name, score in facts["candidates"].items())}. Parameters:

```json
{json.dumps(facts["parameters"], indent=2)}
```

## Results on the test split
Weighted F1 **{evaluation.weighted_f1:.3f}** (95 % interval {_range(evaluation.weighted_f1_interval)}), macro F1
{evaluation.macro_f1:.3f} ({_range(evaluation.macro_f1_interval)}), accuracy {evaluation.accuracy:.3f}, expected
calibration error {evaluation.expected_calibration_error:.3f}. {_abstention(evaluation)}

{_markdown(("part", "listings", "weighted F1"), [list(entry.values()) for entry in evaluation.slices])}

{_markdown(("type", "listings", "precision", "recall", "F1"), types)}

## Limits
Types that share their words are confused (see the confusion matrix in the tracker). Languages other than French,
English and German were not measured. Labels in the data are taken as given, wrong ones included.

## Reproduce
Revision `{facts["git_revision"]}`, data hash above, {facts["created_at"]}.
"""


def _abstention(evaluation: Evaluation) -> str:
    if evaluation.threshold is None or evaluation.selective_precision is None:
        return "The target precision is out of reach at any confidence, so every answer should be looked at."
    return (
        f"At confidence {evaluation.threshold:.3f} and above it answers {evaluation.coverage:.1%} of the listings and "
        f"is right on {evaluation.selective_precision:.1%} of them; on the others it abstains."
    )


def _window_row(name: str, window: PairedDifference) -> list[Any]:
    return [name, window.rows, window.difference, window.lower, window.upper]


def picture(figure: "Figure", alternative: str) -> str:
    """Return a figure as an image that is part of the page."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return (
        f'<p><img alt="{alternative}" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"></p>'
    )


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table in HTML; columns whose first entry is no text are set to the right."""
    kinds = [" class=n" if rows and not isinstance(value, str) else "" for value in (rows[0] if rows else header)]
    head = "".join(f"<th{kind}>{html.escape(name)}</th>" for name, kind in zip(header, kinds, strict=True))
    body = "".join(f"<tr>{_cells(row, kinds)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cells(row: Sequence[Any], kinds: Sequence[str]) -> str:
    return "".join(f"<td{kind}>{html.escape(_shown(value))}</td>" for value, kind in zip(row, kinds, strict=True))


def _markdown(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *([_shown(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _shown(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _range(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in sorted(shares.items(), key=lambda entry: -entry[1]))


def _short(label: str) -> str:
    return label if len(label) <= 28 else f"{label[:27]}…"
