"""Where alerts go, according to Alertmanager's own tool and the committed configuration."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from monitoring.authentication import ALERTS
from tests.monitoring.engines import CONFIGURATION, run
from tests.monitoring.metric_names import alerts

PATH = CONFIGURATION / "alertmanager" / "alertmanager.yml"


def test_amtool_accepts_the_configuration() -> None:
    checked = run("amtool", "check-config", PATH)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_amtool_accepts_the_example_for_people(tmp_path: Path) -> None:
    text = PATH.read_text(encoding="utf-8")
    assert "  #   email_configs:" in text
    path = tmp_path / "alertmanager.yml"
    path.write_text(re.sub(r"^  # ( +\S)", r"  \1", text, flags=re.MULTILINE), encoding="utf-8")
    (people,) = [each for each in yaml.safe_load(path.read_text())["receivers"] if each["name"] == "people"]
    assert people["email_configs"]
    checked = run("amtool", "check-config", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", alerts())
def test_alerts_that_retrain_go_to_the_monitor_service_and_all_go_to_people(name: str) -> None:
    labels = {"alertname": name, **alerts()[name]["labels"]}
    given = [f"{key}={value}" for key, value in labels.items()]
    routed = run("amtool", "config", "routes", "test", f"--config.file={PATH}", *given)
    assert routed.returncode == 0, routed.stderr
    receivers = routed.stdout.strip().split(",")
    assert receivers == (["retrain", "people"] if labels.get("action") == "retrain" else ["people"])


def test_the_monitor_service_gets_alerts_and_their_ends_with_a_token_from_a_file() -> None:
    receivers = {each["name"]: each for each in yaml.safe_load(PATH.read_text(encoding="utf-8"))["receivers"]}
    (webhook,) = receivers["retrain"]["webhook_configs"]
    assert webhook["url"] == f"http://127.0.0.1:8003{ALERTS}"
    assert webhook["send_resolved"] is True
    assert webhook["http_config"]["authorization"] == {"credentials_file": "../../.state/alert-token"}


def test_inhibit_rules_name_existing_alerts() -> None:
    for rule in yaml.safe_load(PATH.read_text(encoding="utf-8"))["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            named = set(matcher.partition('"')[2].rstrip('"').split("|"))
            assert named <= set(alerts()), named


def test_the_containers_get_the_same_files_and_bind_loopback_only() -> None:
    compose = yaml.safe_load((CONFIGURATION / "compose.yaml").read_text(encoding="utf-8"))
    for name, service in compose["services"].items():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"]), name
        assert service["network_mode"] == "host"
        assert "ports" not in service
        address = service.get("environment", {}).get("GF_SERVER_HTTP_ADDR") or next(
            option.partition("=")[2] for option in service["command"] if option.startswith("--web.listen-address")
        )
        assert address.startswith("127.0.0.1"), name
        for mount in service["volumes"]:
            source = mount["source"] if isinstance(mount, dict) else mount.split(":")[0]
            if not source.startswith("${STATE_DIR:-../.state}/"):
                assert (CONFIGURATION / source).is_dir(), source
                assert mount.endswith(":ro"), source


def test_the_containers_require_a_password_and_a_user() -> None:
    if not shutil.which("docker"):
        pytest.skip("docker is not installed")
    import os
    import subprocess

    command = ["docker", "compose", "-f", str(CONFIGURATION / "compose.yaml"), "config"]
    given = {"PATH": os.environ["PATH"], "RUN_AS": "1000:1000", "GRAFANA_PASSWORD": "violet-Umbrella-42"}
    whole = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    if "is not a docker command" in whole.stderr or "unknown shorthand flag" in whole.stderr:
        pytest.skip("docker has no compose plugin")
    assert whole.returncode == 0, whole.stderr
    for name in ("RUN_AS", "GRAFANA_PASSWORD"):
        without = {key: value for key, value in given.items() if key != name}
        refused = subprocess.run(command, env=without, capture_output=True, text=True, check=False)
        assert refused.returncode != 0
        assert f"export {name}=" in refused.stderr
