"""The four dashboards. `python -m monitoring.grafana.dashboards` writes the files that Grafana is provisioned with."""

import json
import logging
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from monitoring.grafana import auth, model, pipelines, service

FOLDER = Path(__file__).parent / "dashboards"
DASHBOARDS = {"service": service.board, "model": model.board, "auth": auth.board, "pipelines": pipelines.board}

logger = logging.getLogger(__name__)


def as_json(board: Dashboard) -> str:
    """Return what Grafana reads."""
    return json.dumps(board.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every dashboard."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in DASHBOARDS.items():
        path = FOLDER / f"{name}.json"
        path.write_text(as_json(make()), encoding="utf-8")
        logger.info("%s", path)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
