"""The charts of the monitoring page, made of the verdicts of the monitor service, newest first."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from ui.charts import BLUE, GREEN, GREY, ORANGE, RED, Row, height_of, show_chart
from ui.i18n import Messages, language, local, moment, percent
from ui.services.monitor import ColumnDrift, VerdictEntry

text = Messages("monitoring")
VERDICTS = ("drift", "warning", "ok", "insufficient_data")  # the most severe first
_COLOURS = (RED, ORANGE, GREEN, GREY)
_TIMES = {"en": "%m-%d %H:%M", "fr": "%d/%m %H:%M", "de": "%d.%m. %H:%M"}
_SHAPES = ("triangle-up", "diamond", "circle", "square")


def show_verdicts(entries: Sequence[VerdictEntry]) -> None:
    """Draw the verdict of each report over time."""
    words = [text(f"word_{verdict}") for verdict in VERDICTS]
    frame = pd.DataFrame(
        {"at": _time(entry), "verdict": text(f"word_{entry['verdict']}"), "version": entry["model_version"]}
        for entry in entries
    )
    chart = (
        alt.Chart(frame, height=150)
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            x=_time_axis(),
            y=alt.Y("verdict:N", title=None, scale=alt.Scale(domain=words)),
            color=alt.Color("verdict:N", legend=None, scale=alt.Scale(domain=words, range=list(_COLOURS))),
            shape=alt.Shape("verdict:N", legend=None, scale=alt.Scale(domain=words, range=list(_SHAPES))),
            tooltip=[
                alt.Tooltip("at:T", title=text("time"), format="%Y-%m-%d %H:%M"),
                alt.Tooltip("verdict:N", title=text("verdict")),
                alt.Tooltip("version:N", title=text("version")),
            ],
        )
    )
    rows: list[Row] = [
        {
            text("time"): moment(entry["at"]),
            text("verdict"): text(f"word_{entry['verdict']}"),
            text("version"): entry["model_version"],
            text("listings"): str(entry["rows"]),
        }
        for entry in entries
    ]
    show_chart(chart, text("verdicts_chart"), rows)


def show_drifted_share(entries: Sequence[VerdictEntry]) -> None:
    """Draw over time which share of the columns has drifted."""
    measured = [(entry, share) for entry in entries if (share := entry.get("drifted_share")) is not None]
    frame = pd.DataFrame({"at": _time(entry), "share": share} for entry, share in measured)
    chart = (
        alt.Chart(frame, height=180)
        .mark_line(point=_points(), color=BLUE, strokeWidth=2)
        .encode(
            x=_time_axis(),
            y=alt.Y("share:Q", title=text("drifted_share"), axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        )
    )
    rows: list[Row] = [
        {text("time"): moment(entry["at"]), text("drifted_share"): percent(share)} for entry, share in measured
    ]
    show_chart(chart, text("drifted_share_chart"), rows)


def show_columns(columns: dict[str, ColumnDrift]) -> None:
    """Draw how far each column is from the reference window, the farthest first."""
    ordered = sorted(columns.items(), key=lambda entry: -entry[1]["score"])
    states = [text("drifted"), text("not_drifted")]
    frame = pd.DataFrame(
        {"column": column_name(name), "score": drift["score"], "state": states[0 if drift["drifted"] else 1]}
        for name, drift in ordered
    )
    chart = (
        alt.Chart(frame, height=height_of(len(frame)))
        .mark_bar()
        .encode(
            y=alt.Y("column:N", title=None, sort=None, axis=alt.Axis(labelLimit=240, labelOverlap=False)),
            x=alt.X("score:Q", title=text("distance"), axis=alt.Axis(tickCount=5)),
            color=alt.Color(
                "state:N",
                title=None,
                scale=alt.Scale(domain=states, range=[RED, BLUE]),
                legend=alt.Legend(orient="top", columns=1),
            ),
            tooltip=["column:N", alt.Tooltip("score:Q", format=".3f"), "state:N"],
        )
    )
    rows: list[Row] = [
        {
            text("column"): column_name(name),
            text("distance"): f"{drift['score']:.3f}",
            text("state"): states[0 if drift["drifted"] else 1],
        }
        for name, drift in ordered
    ]
    show_chart(chart, text("columns_chart"), rows)


def show_quality(entries: Sequence[VerdictEntry]) -> None:
    """Draw over time how many answers are right by the reviews, with the interval."""
    measured = [(entry, quality) for entry in entries if (quality := entry.get("quality")) is not None]
    frame = pd.DataFrame(
        {"at": _time(entry), "value": quality["accuracy"], "low": quality["low"], "high": quality["high"]}
        for entry, quality in measured
    )
    axis = alt.Axis(format="%")
    base = alt.Chart(frame, height=180).encode(x=_time_axis())
    intervals = base.mark_rule(strokeWidth=2, color=BLUE, opacity=0.6).encode(
        y=alt.Y("low:Q", title=text("right_answers"), axis=axis, scale=alt.Scale(zero=False)), y2="high:Q"
    )
    points = base.mark_line(point=_points(), color=BLUE, strokeWidth=2).encode(
        y=alt.Y("value:Q", title=text("right_answers"), axis=axis, scale=alt.Scale(zero=False))
    )
    rows: list[Row] = [
        {
            text("time"): moment(entry["at"]),
            text("right_answers"): percent(quality["accuracy"], 1),
            text("interval"): interval(quality["low"], quality["high"]),
            text("reviews"): str(quality["rows"]),
        }
        for entry, quality in measured
    ]
    show_chart(alt.layer(intervals, points), text("quality_chart"), rows)


def interval(low: float | None, high: float | None) -> str:
    """Return the bounds of an interval of shares in words."""
    return "–" if low is None or high is None else text("from_to", low=percent(low, 1), high=percent(high, 1))


def column_name(column: str) -> str:
    """Return the name of a column of the reports for people."""
    return text(f"column_{column}") if f"column_{column}" in text else column


def _time(entry: VerdictEntry) -> pd.Timestamp:
    """Return the time of a report as the clock of the user shows it; Vega shows times without a zone as they are."""
    return pd.Timestamp(local(entry["at"]).replace(tzinfo=None))


def _time_axis() -> alt.X:
    axis = alt.Axis(format=_TIMES[language()], labelAngle=0, labelOverlap=True, tickCount=5, tickMinStep=60_000)
    return alt.X("at:T", title=None, axis=axis)


def _points() -> alt.OverlayMarkDef:
    return alt.OverlayMarkDef(filled=True, size=60, color=BLUE)
