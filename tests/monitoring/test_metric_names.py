"""Rules and dashboards name only what the programs define, so that a renamed metric is noticed here."""

from pathlib import Path

import pytest

from tests.monitoring.metric_names import alerts, defined, queries, recorded, series_in


def test_series_and_labels_are_found_in_an_expression() -> None:
    expression = (
        'sum by (le, route) (rate(a_bucket{job="x", route!~"b|c"}[5m])) / 60 > 1e3 unless on () time() - lvl:d:e5m'
    )
    assert list(series_in(expression)) == [("a_bucket", {"job", "route"}), ("lvl:d:e5m", set())]


@pytest.mark.parametrize("where", ["rules", "dashboards"])
def test_expressions_use_only_series_that_a_program_defines(where: str, tmp_path: Path) -> None:
    known = defined(tmp_path)
    rules = {**recorded(), **{name: rule["expr"] for name, rule in alerts().items()}}
    named = rules if where == "rules" else queries()
    assert named
    unknown, labels = [], []
    for place, expression in named.items():
        for name, selected in series_in(expression):
            if name not in known and name not in recorded():
                unknown.append(f"{place}: {name}")
            elif name in known and selected - known[name]:
                labels.append(f"{place}: {name} has no label {sorted(selected - known[name])}")
    assert not unknown
    assert not labels


def test_every_recording_rule_is_used() -> None:
    expressions = [rule["expr"] for rule in alerts().values()] + list(queries().values()) + list(recorded().values())
    used = {name for expression in expressions for name, _ in series_in(expression)}
    assert set(recorded()) <= used
