"""The charts of the models page."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from ui.charts import BLUE, GREEN, GREY, RED, Chart, height_of
from ui.i18n import Messages
from ui.services.monitor import TypeComparison, Version

text = Messages("models")


def scores_chart(versions: Sequence[Version], score: str) -> Chart:
    """Return a line for each version: its interval, with the score as a point. The one in production has colour."""
    rows = [
        {
            "version": text("version_heading", version=version["version"]),
            "place": text("alias_production") if "production" in version["aliases"] else text("other"),
            **found,
        }
        for version in versions
        if (found := version["scores"].get(score))
    ]
    frame = pd.DataFrame(rows)
    places = [text("alias_production"), text("other")]
    base = alt.Chart(frame, height=height_of(len(rows))).encode(
        y=alt.Y("version:N", title=None, sort=None, axis=alt.Axis(labelOverlap=False)),
        color=alt.Color(
            "place:N",
            title=None,
            scale=alt.Scale(domain=places, range=[BLUE, GREY]),
            legend=alt.Legend(orient="top", columns=1),
        ),
    )
    title = text(f"score_{score}")
    lines = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", title=title, axis=alt.Axis(tickCount=5), scale=alt.Scale(zero=False, padding=12)), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=alt.X("value:Q", title=title),
        tooltip=["version:N", *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high"))],
    )
    return alt.layer(lines, points)


def differences_chart(types: Sequence[TypeComparison]) -> Chart:
    """Return a bar for each type: how much better or worse the second version is, the greatest loss first."""
    states = [text("better"), text("worse")]
    frame = pd.DataFrame(
        {
            "type": entry["label"],
            "difference": entry["difference"],
            "state": states[0 if entry["difference"] >= 0 else 1],
        }
        for entry in types
        if entry["difference"] is not None
    )
    chart: Chart = (
        alt.Chart(frame, height=height_of(len(frame)))
        .mark_bar()
        .encode(
            y=alt.Y("type:N", title=None, sort=None, axis=alt.Axis(labelLimit=220, labelOverlap=False)),
            x=alt.X("difference:Q", title=text("difference_f1"), axis=alt.Axis(format="+.2f", tickCount=5)),
            color=alt.Color(
                "state:N",
                title=None,
                scale=alt.Scale(domain=states, range=[GREEN, RED]),
                legend=alt.Legend(orient="top", columns=1),
            ),
            tooltip=["type:N", alt.Tooltip("difference:Q", format="+.3f")],
        )
    )
    return chart
