"""The kinds of panels in the dashboards. Each has a title, a description and a unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueGraphMode,
    BigValueTextMode,
    HeatmapCellLayout,
    LegendDisplayMode,
    LegendPlacement,
    ReduceDataOptions,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="prometheus")  # as in provisioning/datasources
GREEN, ORANGE, RED, GREY = "green", "orange", "red", "#7f7f7f"
YES_NO = {0: ("no", RED), 1: ("yes", GREEN)}
HEIGHT, LOW = 8, 4  # rows of the grid
_FULL = 24  # columns of the grid


@dataclass(frozen=True)
class Query:
    """A PromQL expression and the legend of its series: a text, or `{{label}}`."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class About:
    """The title of a panel, its description, and the unit of its values (the id in Grafana)."""

    title: str
    description: str
    unit: str = units.Short


def quantile(share: float, by: str = "", matching: str = "") -> str:
    """Return the query for a quantile of the time to answer over two minutes."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate(http_request_duration_seconds_bucket{matching}[2m])))"


def graph(about: About, *queries: Query, width: int = 12, stacked: bool = False) -> Builder[Panel]:
    """Return a panel with lines over time."""
    panel = timeseries.Panel().title(about.title).description(about.description).unit(about.unit).datasource(SOURCE)
    panel.height(HEIGHT).span(width).axis_soft_min(0).line_width(1).fill_opacity(30 if stacked else 8)
    panel.show_points(VisibilityMode.AUTO).legend(_legend())
    panel.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    return panel.targets(_targets(*queries))


def interval(about: About, lower: Query, value: Query, upper: Query, expected: Query) -> Builder[Panel]:
    """Return a panel with a line, its interval and the expected value."""
    panel = timeseries.Panel().title(about.title).description(about.description).unit(about.unit).datasource(SOURCE)
    panel.height(HEIGHT).span(12).line_width(2).fill_opacity(0).legend(_legend())
    panel.targets(_targets(lower, value, upper, expected))
    hidden = DynamicConfigValue("custom.lineWidth", 0)
    between = [DynamicConfigValue("custom.fillBelowTo", lower.legend), DynamicConfigValue("custom.fillOpacity", 20)]
    panel.override_by_name(lower.legend, [hidden]).override_by_name(upper.legend, [hidden, *between])
    dashes = DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [10, 10]})
    return panel.override_by_name(expected.legend, [dashes])


def number(
    about: About,
    query: Query,
    *,
    width: int = 4,
    steps: Mapping[float, str] | None = None,
    names: Mapping[int, tuple[str, str]] | None = None,
    show_name: bool = False,
) -> Builder[Panel]:
    """Return a panel with the last value. `steps`: colours from a value on. `names`: text and colour of each value."""
    panel = stat.Panel().title(about.title).description(about.description).unit(about.unit).datasource(SOURCE)
    panel.height(LOW).span(width).reduce_options(_last()).graph_mode(BigValueGraphMode.NONE)
    panel.no_value("not yet").thresholds(_thresholds(steps or {})).targets(_targets(query, now=True))
    if names:
        panel.mappings([_mapping(names)])
    if show_name:
        panel.text_mode(BigValueTextMode.NAME)
    return panel


def bars(about: About, query: Query, *, width: int = 12, maximum: float | None = None) -> Builder[Panel]:
    """Return a panel with the last value of each series as bars."""
    panel = bargauge.Panel().title(about.title).description(about.description).unit(about.unit).datasource(SOURCE)
    panel.height(HEIGHT).span(width).min(0).orientation(VizOrientation.HORIZONTAL).reduce_options(_last())
    panel.display_mode(BarGaugeDisplayMode.BASIC).no_value("not yet").targets(_targets(query, now=True))
    return panel.max(maximum) if maximum is not None else panel


def states(
    about: About, *queries: Query, names: Mapping[int, tuple[str, str]], width: int = 12, height: int = LOW
) -> Builder[Panel]:
    """Return a panel with states over time: text and colour of each value."""
    panel = statetimeline.Panel().title(about.title).description(about.description).unit(about.unit).datasource(SOURCE)
    panel.height(height).span(width).mappings([_mapping(names)]).no_value("none").row_height(0.8)
    panel.show_value(VisibilityMode.AUTO).merge_values(True).fill_opacity(80)
    return panel.targets(_targets(*queries))


def heat(about: About, query: Query, *, value_unit: str, width: int = 12) -> Builder[Panel]:
    """Return a heat map of a histogram. `about.unit` is the unit of its bounds, `value_unit` of its counts."""
    panel = heatmap.Panel().title(about.title).description(about.description).unit(about.unit).datasource(SOURCE)
    panel.height(HEIGHT).span(width).calculate(False)
    panel.rows_frame(heatmap.RowsHeatmapOptions().layout(HeatmapCellLayout.LE))
    panel.cell_values(heatmap.CellValues().unit(value_unit)).y_axis(heatmap.YAxisConfig().unit(about.unit))
    panel.color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64))
    return panel.targets(_targets(query, form=PromQueryFormat.HEATMAP))


def page(uid: str, title: str, description: str, rows: Mapping[str, list[Builder[Panel]]]) -> dashboard.Dashboard:
    """Return a dashboard: rows of panels under headings, with links to the other dashboards."""
    board = dashboard.Dashboard(title).uid(uid).description(description).tags(["product-types"]).readonly()
    board.time("now-1h", "now").refresh("15s").timezone("browser")
    links = dashboard.DashboardLink("Product types").tags(["product-types"]).as_dropdown(False).keep_time(True)
    board.link(links)
    number_of = 0
    for heading, panels in rows.items():
        number_of += 1
        board.with_row(dashboard.Row(heading).id(number_of))
        for panel in panels:
            number_of += 1
            built = panel.build()
            built.id_val = number_of
            board.with_panel(_Built(built))
    return board


@dataclass(frozen=True)
class _Built(Builder[Panel]):
    """A finished panel, for an interface that takes builders."""

    panel: Panel

    def build(self) -> Panel:
        return self.panel


def _targets(
    *queries: Query, now: bool = False, form: PromQueryFormat = PromQueryFormat.TIME_SERIES
) -> list[Builder[Dataquery]]:
    """Return the queries of a panel. `now`: only the value at the end of the shown time."""
    targets: list[Builder[Dataquery]] = []
    for letter, query in zip(ascii_uppercase, queries, strict=False):
        target = prometheus.Dataquery().ref_id(letter).expr(query.expression).datasource(SOURCE)
        target.legend_format(query.legend or "__auto").format(form)
        targets.append(target.instant() if now else target.range())
    return targets


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )


def _last() -> Builder[ReduceDataOptions]:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _thresholds(steps: Mapping[float, str]) -> dashboard.ThresholdsConfig:
    base = Threshold(value=None, color=GREEN)
    given = [Threshold(value=value, color=colour) for value, colour in steps.items()]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([base, *given])


def _mapping(names: Mapping[int, tuple[str, str]]) -> ValueMapping:
    results = {
        str(value): ValueMappingResult(text=text, color=colour, index=index)
        for index, (value, (text, colour)) in enumerate(names.items())
    }
    return ValueMap(options=results)
