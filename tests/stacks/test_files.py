"""The stack files of the project, which ZenML's classes accept, and how files are read."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from zenml.client import Client
from zenml.config import DockerSettings
from zenml.enums import StackComponentType
from zenml.integrations.airflow.flavors.airflow_orchestrator_flavor import (
    AirflowOrchestratorConfig,
    AirflowOrchestratorSettings,
)
from zenml.stack import Flavor

from stacks import files
from stacks.files import FOLDER, StackError, StackFile, path_of, read_stack, stack_files

VARIABLES = {
    "AIRFLOW_DAGS": "/dags",
    "KUBERNETES_CONTEXT": "kind",
    "REGISTRY": "registry.example/shop",
    "TRACKER_URI": "https://mlflow.example",
    "TRACKER_USERNAME": "me",
    "TRACKER_PASSWORD": "from the environment",
}


@pytest.fixture(params=stack_files())
def file(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> StackFile:
    for variable, value in VARIABLES.items():
        monkeypatch.setenv(variable, value)
    return read_stack(request.param)


def test_there_are_four_stack_files() -> None:
    assert stack_files() == ["airflow", "containers", "kubernetes", "local"]


@pytest.fixture
def stores() -> Iterator[None]:
    """The secret that the files of remote stacks refer to."""
    values = {"s3_key": "key", "s3_secret": "secret", "tracker_username": "me", "tracker_password": "hush-hush"}
    secret = Client().create_secret("product_types_stores", values=values)
    yield
    Client().delete_secret(secret.name)


@pytest.mark.usefixtures("stores")
def test_each_flavor_accepts_the_configuration_of_its_component(file: StackFile) -> None:
    for kind, component in file.components.items():
        flavor = Flavor.from_model(Client().get_flavor_by_name_and_type(component.flavor, kind))
        nothing = ("", {"endpoint_url": ""})
        stated = {key: value for key, value in component.configuration.items() if value not in nothing}
        if kind.value == "artifact_store":
            stated.setdefault("path", "")
        flavor.config_class(warn_about_plain_text_secrets=False, **stated)


def test_each_component_has_a_comment(file: StackFile) -> None:
    text = path_of(file.name).read_text(encoding="utf-8")
    for kind in file.components:
        assert re.search(rf"^  {kind.value}: +# \w", text, re.MULTILINE), kind


def test_every_stack_can_use_a_hosted_tracker(file: StackFile) -> None:
    (tracker,) = (component for kind, component in file.components.items() if kind.value == "experiment_tracker")
    assert {"tracking_uri", "tracking_username", "tracking_password"} <= set(tracker.configuration)
    assert tracker.configuration["tracking_uri"] == VARIABLES["TRACKER_URI"]


def test_components_of_the_same_name_are_equal_in_all_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise applying one file would undo the other."""
    for variable, value in VARIABLES.items():
        monkeypatch.setenv(variable, value)
    seen: dict[tuple[str, str], object] = {}
    for name in stack_files():
        for kind, component in read_stack(name).components.items():
            assert seen.setdefault((kind.value, component.name), component) == component


def test_containers_are_built_from_the_projects_dockerfile(file: StackFile) -> None:
    if "docker" not in file.settings:
        assert file.name == "local"
        return
    settings = DockerSettings(**file.settings["docker"])
    assert settings.dockerfile == str(FOLDER.parent / "Dockerfile")
    assert not settings.allow_download_from_code_repository
    assert not settings.allow_download_from_artifact_store


def test_airflow_accepts_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in VARIABLES.items():
        monkeypatch.setenv(variable, value)
    file = read_stack("airflow")
    component = next(component for component in file.components.values() if component.flavor == "airflow")
    assert not AirflowOrchestratorConfig(**component.configuration).local
    settings = AirflowOrchestratorSettings(**file.settings["orchestrator.airflow"])
    assert settings.operator.endswith("DockerOperator")
    assert file.schedules == {"training": "0 2 * * *", "monitoring": "15 * * * *", "scoring": "0 4 * * *"}
    monkeypatch.setenv("TRAINING_SCHEDULE", "*/10 * * * *")
    assert read_stack("airflow").schedules["training"] == "*/10 * * * *"


def written(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (folder / "mine.yaml").write_text(text)
    monkeypatch.setattr(files, "FOLDER", folder)


GOOD = """
name: mine
components:
  orchestrator: {flavor: local, name: default}
  artifact_store:
    flavor: local
    name: %s
"""


def test_variables_come_from_the_environment_or_their_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, monkeypatch, GOOD % "${STORE_NAME:-default}")
    assert read_stack("mine").components[StackComponentType.ARTIFACT_STORE].name == "default"
    monkeypatch.setenv("STORE_NAME", "other")
    assert read_stack("mine").components[StackComponentType.ARTIFACT_STORE].name == "other"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD % "${STORE_NAME}", r"mine\.yaml needs the environment variable STORE_NAME"),
        ("name: [", r"mine\.yaml cannot be read as YAML"),
        ("name: mine\ncomponents: {}\nextra: 1\n", r"mine\.yaml: .*extra"),
    ],
)
def test_an_invalid_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    monkeypatch.delenv("STORE_NAME", raising=False)
    written(tmp_path, monkeypatch, text)
    with pytest.raises(StackError, match=message):
        read_stack("mine")


def test_an_unknown_stack_is_refused_with_the_existing_names() -> None:
    with pytest.raises(StackError, match=r"no stack file nowhere\.yaml .*existing ones: .*local"):
        read_stack("nowhere")
