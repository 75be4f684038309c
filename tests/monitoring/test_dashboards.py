"""The dashboards: the committed files are the code's, and every panel can be read."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.grafana.dashboards import DASHBOARDS, FOLDER, as_json
from monitoring.grafana.panels import SOURCE
from tests.monitoring.engines import CONFIGURATION, run
from tests.monitoring.metric_names import panels, queries


def read(name: str) -> dict[str, Any]:
    board: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return board


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_committed_file_is_up_to_date(name: str) -> None:
    written = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert written == as_json(DASHBOARDS[name]()), "run 'python -m monitoring.grafana.dashboards'"


def test_there_is_no_file_without_code() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(DASHBOARDS)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_panel_has_a_description_and_a_unit(name: str) -> None:
    board = read(name)
    assert board["title"]
    assert board["description"]
    shown = list(panels(board))
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert len({panel["title"] for panel in shown}) == len(shown)
    for panel in shown:
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]} - {""}) == len(panel["targets"]), panel["title"]
        for target in panel["targets"]:
            assert target["expr"], panel["title"]
            assert target["datasource"] == {"type": "prometheus", "uid": SOURCE.uid}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_do_not_overlap(name: str) -> None:
    def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        left, top = place["x"], place["y"]
        return {(x, y) for x in range(left, left + place["w"]) for y in range(top, top + place["h"])}

    for one, other in combinations(read(name)["panels"], 2):
        assert not cells(one) & cells(other), (one["title"], other["title"])


def test_every_query_is_promql(tmp_path: Path) -> None:
    rules = [{"record": f"panel:query:{number}", "expr": query} for number, query in enumerate(queries().values())]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    checked = run("promtool", "check", "rules", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_grafana_finds_the_source_and_the_files() -> None:
    provisioning = CONFIGURATION / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert (source["uid"], source["type"]) == (SOURCE.uid, "prometheus")
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "product-types.yml").read_text())["providers"]
    grafana = yaml.safe_load((CONFIGURATION / "compose.yaml").read_text())["services"]["grafana"]
    assert provider["options"]["path"] == "${DASHBOARDS}"
    assert f"./grafana/dashboards:{grafana['environment']['DASHBOARDS']}:ro" in grafana["volumes"]
