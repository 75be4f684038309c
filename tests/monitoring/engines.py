"""Real Prometheus, Alertmanager, Pushgateway and blackbox exporter: processes on loopback, data in a temporary folder.

They run with the project's own configuration. Only ports are replaced and, if a test asks for it, intervals shortened.
"""

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from monitoring.decisions import ACTION, RETRAIN
from tests.system.workspace import LIMIT, ROOT, free_port, wait_for

CONFIGURATION = ROOT / "monitoring"
_PROGRAMS = {  # names upstream and in Debian
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "amtool": ("amtool",),
    "pushgateway": ("prometheus-pushgateway", "pushgateway"),
    "blackbox": ("prometheus-blackbox-exporter", "blackbox_exporter"),
}
_ENGINES = ("pushgateway", "blackbox", "alertmanager", "prometheus")
_INTERVALS = (
    (r"\b(scrape_interval|evaluation_interval|group_wait): \w+", r"\1: 1s"),
    (r"\bgroup_interval: \w+", "group_interval: 2s"),
)


def program(name: str) -> str:
    """Return the path of a program. Skips the test where it is not installed."""
    for candidate in _PROGRAMS[name]:
        if found := shutil.which(candidate):
            return found
    pytest.skip(f"{name} is not installed: no {' or '.join(_PROGRAMS[name])} on the path")


def run(name: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a tool to its end. Skips the test where it is not installed."""
    return subprocess.run(
        [program(name), *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT, check=False
    )


@dataclass
class Engine:
    """One process."""

    name: str
    command: Sequence[str]
    port: int
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        wait_for(f"{self.name} is ready", self._ready)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(LIMIT)

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.url}/-/healthy", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


@dataclass
class Engines:
    """The four engines, for a prediction service and a monitor service on ports of their own.

    state: the state folder of the services, where their tokens are. quick: scrape every second, and let an alert that
    asks for a retraining fire after a second. All other alerts keep their `for`, which bridges a restart of a service.
    """

    folder: Path
    state: Path
    service_port: int
    watch_port: int
    quick: bool = True
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in _ENGINES})

    def __post_init__(self) -> None:
        self.configure()
        (self.folder / "data").mkdir()
        self.prometheus = self._engine(
            "prometheus",
            f"--config.file={self.folder}/monitoring/prometheus/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/data/prometheus",
        )
        self.alertmanager = self._engine(
            "alertmanager",
            f"--config.file={self.folder}/monitoring/alertmanager/alertmanager.yml",
            f"--storage.path={self.folder}/data/alertmanager",
            "--cluster.listen-address=",
        )
        self.pushgateway = self._engine("pushgateway", f"--persistence.file={self.folder}/data/pushed")
        self.blackbox = self._engine("blackbox", f"--config.file={self.folder}/monitoring/blackbox/blackbox.yml")

    def configure(self) -> None:
        """Copy the configuration, with these ports, and link the state folder beside it."""
        ports = {
            "3000": self.service_port, "8003": self.watch_port, "9090": self.ports["prometheus"],
            "9091": self.ports["pushgateway"], "9093": self.ports["alertmanager"], "9115": self.ports["blackbox"],
        }  # fmt: skip
        for name in ("prometheus", "alertmanager", "blackbox"):
            for source in (CONFIGURATION / name).glob("*.yml"):
                text = re.sub(r"127\.0\.0\.1:(\d{4})", lambda found: f"127.0.0.1:{ports[found[1]]}", _code(source))
                if self.quick:
                    text = _quicken_retraining(_quicken(text)) if source.name == "rules.yml" else _quicken(text)
                target = self.folder / "monitoring" / name / source.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
        (self.folder / ".state").symlink_to(self.state)

    def start(self) -> None:
        for engine in (self.pushgateway, self.blackbox, self.alertmanager, self.prometheus):
            engine.start()

    def stop(self) -> None:
        for engine in (self.prometheus, self.alertmanager, self.blackbox, self.pushgateway):
            engine.stop()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the vector of a PromQL expression now: {"metric": labels, "value": [time, text]} each."""
        return self._ask("query", query=expression)

    def history(self, expression: str, since: float, until: float) -> list[dict[str, Any]]:
        """Return the series of an expression over a time: {"metric": labels, "values": [[time, text], ...]} each."""
        step = str(max(1, int((until - since) / 500)))
        return self._ask("query_range", query=expression, start=str(since), end=str(until), step=step)

    def firing(self, **labels: str) -> set[str]:
        """Return the names of the alerts that fire now and have these labels."""
        matching = "".join(f', {key}="{value}"' for key, value in labels.items())
        return {series["metric"]["alertname"] for series in self.query(f'ALERTS{{alertstate="firing"{matching}}}')}

    def _ask(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        answer = httpx.post(f"{self.prometheus.url}/api/v1/{path}", data=parameters, timeout=LIMIT).json()
        assert answer["status"] == "success", answer
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def _engine(self, name: str, *options: str) -> Engine:
        port = self.ports[name]
        command = [program(name), *options, f"--web.listen-address=127.0.0.1:{port}"]
        return Engine(name, command, port, self.folder / f"{name}.log")


@contextmanager
def running(engines: Engines) -> Iterator[Engines]:
    """Start the engines, and end them in any case."""
    try:
        engines.start()
        yield engines
    finally:
        engines.stop()


def _quicken(text: str) -> str:
    """Return a configuration with short intervals."""
    for pattern, replacement in _INTERVALS:
        text = re.sub(pattern, replacement, text)
    return text


def _quicken_retraining(text: str) -> str:
    """Return the rules with alerts that fire and end after a second, where they ask for a retraining."""
    rules = yaml.safe_load(text)
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        if rule.get("labels", {}).get(ACTION) == RETRAIN:
            rule |= {"for": "1s", "keep_firing_for": "1s"}
    return yaml.safe_dump(rules, sort_keys=False)


def _code(path: Path) -> str:
    """Return a file without its comments, which name ports that are not used here."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("#"))
