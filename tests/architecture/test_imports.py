"""Imports between our packages point one way, and each package uses only the libraries that belong to it."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from steps.caching import dependencies

ROOT = Path(__file__).resolve().parents[2]
# Every package, and the packages that it may import. All others are closed to it.
MAY_IMPORT = {
    "catalog": set(),
    "ledger": set(),
    "state": set(),
    "terminal": {"state"},
    "ui": set(),
    "web": {"ledger"},
    "bento": {"catalog", "ledger", "state", "web"},
    "stacks": {"state", "terminal"},
    "scoring": {"catalog", "state"},
    "checks": {"catalog", "ledger"},
    "tracking": {"catalog", "ledger", "checks"},
    "reports": {"catalog", "checks", "tracking"},
    "steps": {"catalog", "ledger", "checks", "tracking", "reports", "bento", "scoring"},
    "pipelines": {"catalog", "ledger", "checks", "steps", "scoring"},
    "monitoring": {"catalog", "checks", "reports", "stacks", "state", "web"},
    "commands": {
        "bento", "catalog", "ledger", "checks", "tracking", "reports", "pipelines", "stacks", "state", "terminal",
        "web", "monitoring", "scoring",
    },
}  # fmt: skip
NOT_OF_THE_SYSTEM = {"benchmarks", "tests"}
# Where a package may import only some modules of another one.
ONLY = {
    ("web", "ledger"): {"ledger.callers"},
    ("monitoring", "catalog"): {"catalog.verdict"},
    ("monitoring", "checks"): {"checks.monitoring_report"},
    ("monitoring", "stacks"): {"stacks.airflow_client"},
    ("commands", "bento"): {"bento.metrics_folder", "bento.settings", "bento.supervision"},
    ("steps", "bento"): {"bento.build"},
    ("bento", "state"): {"state.private"},
    ("scoring", "state"): {"state.lock"},
}
_SERVICES = {"bentoml", "fastapi", "starlette", "uvicorn"}
_DATABASE = {"sqlalchemy", "alembic"}
_TRACKING = {"zenml", "mlflow"}
_CHECKING = {"evidently", "great_expectations"}
_MODEL = {"sklearn", "scipy", "skops"}
# Libraries that a package must not import.
CLOSED_LIBRARIES = {
    "catalog": _SERVICES | _DATABASE | _TRACKING | _CHECKING,
    "ledger": _SERVICES | _TRACKING | _CHECKING | _MODEL,
    "state": _SERVICES | _DATABASE | _TRACKING | _CHECKING | _MODEL,
    "terminal": _SERVICES | _DATABASE | _CHECKING | _MODEL,
    "web": _DATABASE | _TRACKING | _CHECKING | _MODEL,
    "stacks": _DATABASE | _CHECKING | _MODEL,
    "scoring": _SERVICES | _DATABASE | _TRACKING | _CHECKING | _MODEL,
    "checks": _SERVICES | _DATABASE | _TRACKING,
    "tracking": _SERVICES | _DATABASE | _CHECKING,
    "reports": _SERVICES | _DATABASE | _TRACKING | _CHECKING,
    "steps": _SERVICES | _DATABASE | _CHECKING | {"zenml.client", "zenml.integrations"},
    "pipelines": _SERVICES | _DATABASE | _CHECKING | {"zenml.client", "zenml.integrations"},
    "monitoring": _DATABASE | _TRACKING | _CHECKING | _MODEL,
    "ui": _SERVICES | _DATABASE | _TRACKING | _CHECKING | _MODEL,
}
BUILD = "bento/build.py"  # builds the Bento; it is part of the training and not of the service


def sources(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


@cache
def imported_by(path: Path) -> frozenset[str]:
    """The full names that a file imports: `a.b` for `import a.b`, and `a.b.c` for `from a.b import c`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def within(name: str, modules: Iterable[str]) -> bool:
    """Whether a name is one of the modules, or in one of them."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("zenml.client", True), ("zenml.client.Client", True), ("zenml.clients", False), ("zenml", False)],
)
def test_a_module_contains_its_submodules(name: str, expected: bool) -> None:
    assert within(name, {"zenml.client", "zenml.integrations"}) is expected


def test_every_package_is_listed() -> None:
    packages = {path.name for path in ROOT.iterdir() if any(path.glob("*.py")) and path.is_dir()}
    assert packages == MAY_IMPORT.keys() | NOT_OF_THE_SYSTEM


def test_the_listed_packages_have_no_import_circle() -> None:
    assert set(TopologicalSorter(MAY_IMPORT).static_order()) == MAY_IMPORT.keys()


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_only_the_packages_below_them(package: str) -> None:
    closed = {*MAY_IMPORT, *NOT_OF_THE_SYSTEM, "run"} - MAY_IMPORT[package] - {package}
    wrong = [(path, name) for path in sources(package) for name in imported_by(path) if within(name, closed)]
    assert not wrong


@pytest.mark.parametrize(("package", "other"), ONLY)
def test_packages_import_only_some_modules_of_another(package: str, other: str) -> None:
    used = {name for path in sources(package) for name in imported_by(path) if within(name, {other})}
    assert used
    assert not [name for name in used if not within(name, ONLY[package, other])]


@pytest.mark.parametrize("package", CLOSED_LIBRARIES)
def test_packages_import_only_libraries_that_belong_to_them(package: str) -> None:
    closed = CLOSED_LIBRARIES[package]
    assert not [(path, name) for path in sources(package) for name in imported_by(path) if within(name, closed)]


def test_modules_have_no_import_circle() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for package in MAY_IMPORT
        for path in sources(package)
        if path.name != "__init__.py"
    }
    graph = {
        module: {other for name in imported_by(path) for other in (name, name.rpartition(".")[0]) if other in modules}
        - {module}
        for module, path in modules.items()
    }
    assert set(TopologicalSorter(graph).static_order()) == modules.keys()


def test_the_build_of_the_bento_imports_no_code_of_the_service() -> None:
    assert not [name for name in imported_by(ROOT / BUILD) if within(name, {"bento", "web", "ledger", "state"})]
    others = [path for path in sources("bento") if path != ROOT / BUILD]
    assert not [path for path in others if any(within(name, {"bento.build"}) for name in imported_by(path))]


def test_all_code_of_the_monitor_service_is_free_of_a_database_library() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "monitoring").glob("[!_]*.py")
    ]
    for module in modules:
        assert not dependencies(module)[1] & {"sqlalchemy", "alembic", "zenml", "mlflow"}, module


def test_the_image_of_the_steps_has_every_file_of_the_packages_that_they_may_import() -> None:
    packages = {"pipelines"}
    while more := {package for known in packages for package in MAY_IMPORT[known]} - packages:
        packages |= more
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = exclude_paths(str(ROOT), [line for line in lines if line and not line.startswith("#")])
    needed = {
        str(path.relative_to(ROOT))
        for package in packages
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert any(path.endswith(".html.j2") for path in needed)
    assert "requirements/serving.txt" in copied  # of the Bento, which a step builds
    assert not needed - copied


@pytest.mark.parametrize("package", ["steps", "pipelines"])
def test_steps_and_pipelines_name_no_stack(package: str) -> None:
    for path in sources(package):
        text = path.read_text(encoding="utf-8")
        for name in ("local_docker", "airflow", "kubernetes", "mlflow_local", "sqlite:", "s3://", "http://"):
            assert name not in text, f"{path} names {name}"
