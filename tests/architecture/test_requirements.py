"""The requirements of the service and of the image are parts of the lock. `make lock` writes all three."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from catalog.sentence_vectors import PACKAGE, VERSION

ROOT = Path(__file__).resolve().parents[2]
SERVING, STEPS = "requirements/serving.txt", "requirements/steps.txt"
SERVING_WITH_ENCODER = "requirements/serving-embeddings.txt"
NOT_IN_THE_SERVICE = {
    "evidently", "great-expectations", "matplotlib", "mlflow", "pandas", "pyarrow", "scikit-learn", "scipy", "skops",
    "uv", "zenml",
}  # fmt: skip


def pins(name: str) -> dict[tuple[str, str], set[str]]:
    """By package and version, the hashes that a file accepts."""
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    found: dict[tuple[str, str], set[str]] = {}
    for entry in entries:
        package, version = re.match(r"([a-z0-9._-]+)==(\S+)", entry).groups()  # type: ignore[union-attr]
        found.setdefault((package, version), set()).update(re.findall(r"--hash=(sha256:[0-9a-f]{64})", entry))
    return found


def packages(name: str) -> set[str]:
    return {package for package, _ in pins(name)}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(lines: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(parsed.name): parsed for parsed in map(Requirement, lines)}


@pytest.mark.parametrize("name", [SERVING, SERVING_WITH_ENCODER, STEPS])
def test_every_pin_is_in_the_lock_with_the_same_version_and_hashes(name: str) -> None:
    lock = pins("requirements.lock")
    for pin, hashes in pins(name).items():
        assert pin in lock, f"{name} pins {pin}: run `make lock`"
        assert hashes, f"{name} has no hash of {pin}"
        assert hashes <= lock[pin], f"{name} accepts other files of {pin} than the lock: run `make lock`"


@pytest.mark.parametrize("name", ["requirements.lock", SERVING, SERVING_WITH_ENCODER, STEPS])
def test_no_file_contains_an_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text


def test_the_service_has_its_packages_and_no_training_library() -> None:
    group = requirements(project()["dependency-groups"]["serving"])
    assert set(group) <= packages(SERVING)
    assert not NOT_IN_THE_SERVICE & packages(SERVING)


def test_only_the_service_of_a_model_with_sentence_vectors_needs_their_encoder() -> None:
    assert pins(SERVING_WITH_ENCODER).items() >= pins(SERVING).items()
    assert packages(SERVING_WITH_ENCODER) - packages(SERVING) == {PACKAGE, "threadpoolctl"}
    assert PACKAGE not in packages(STEPS)


def test_the_encoder_has_the_version_that_the_code_asks_for() -> None:
    extra = requirements(project()["project"]["optional-dependencies"]["embeddings"])
    assert str(extra[PACKAGE].specifier) == f"=={VERSION}"
    assert (PACKAGE, VERSION) in pins(SERVING_WITH_ENCODER)


def test_the_packages_of_the_service_are_dependencies_of_the_project() -> None:
    dependencies = requirements(project()["project"]["dependencies"])
    for name, requirement in requirements(project()["dependency-groups"]["serving"]).items():
        assert not requirement.specifier, f"the bound of {name} belongs to the dependencies"
        assert requirement.extras == dependencies[name].extras


def test_the_image_has_the_dependencies_of_the_project_and_no_development_tool() -> None:
    dependencies = set(requirements(project()["project"]["dependencies"]))
    tools = set(requirements(project()["dependency-groups"]["dev"]))
    assert dependencies <= packages(STEPS)
    assert not (tools - dependencies) & packages(STEPS)
    assert packages(SERVING) <= packages(STEPS)
