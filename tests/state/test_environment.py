"""What every process of ours must read alike: folders, and how this machine is reached."""

from pathlib import Path
from urllib.request import getproxies, proxy_bypass

import pytest

from state.environment import absolute_folders, past_the_proxy


def test_folders_in_the_environment_begin_where_the_command_was_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    given = {
        "STATE_DIR": "here", "MODEL_DIR": "../model", "BENTOML_HOME": "/already/absolute", "ZENML_CONFIG_PATH": "",
        "AIRFLOW_DAGS": "s3://bucket/dags", "OTHER": "relative",
    }  # fmt: skip
    assert absolute_folders(given) == {
        "STATE_DIR": str(tmp_path / "here"),
        "MODEL_DIR": str(tmp_path / "../model"),
        "BENTOML_HOME": "/already/absolute",
    }
    assert absolute_folders({"STATE_DIR": "~/state"}) == {"STATE_DIR": "/home/someone/state"}


@pytest.mark.parametrize("variable", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
@pytest.mark.parametrize("given", ["", "intern.example", "127.0.0.1,intern.example"])
def test_behind_a_proxy_libraries_reach_this_machine_without_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, given: str
) -> None:
    import requests.utils

    monkeypatch.setenv(variable, "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", given)
    for name, value in past_the_proxy({variable: "http://proxy.example:3128", "no_proxy": given}).items():
        monkeypatch.setenv(name, value)
    for host in ("localhost", "127.0.0.1"):
        assert proxy_bypass(host)
        assert requests.utils.get_environ_proxies(f"http://{host}:5001/health") == {}
    assert getproxies()
    assert not proxy_bypass("elsewhere.example")
    assert bool(proxy_bypass("intern.example")) == ("intern" in given)


@pytest.mark.parametrize("environment", [{}, {"no_proxy": "intern.example"}, {"http_proxy": ""}])
def test_without_a_proxy_nothing_is_set(environment: dict[str, str]) -> None:
    assert past_the_proxy(environment) == {}


def test_a_setting_that_excludes_everything_stays() -> None:
    assert past_the_proxy({"http_proxy": "http://proxy.example", "NO_PROXY": "*"}) == {"no_proxy": "*", "NO_PROXY": "*"}
