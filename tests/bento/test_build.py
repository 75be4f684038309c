"""The content of a Bento, its parity with the trained model, and that no temporary file is left."""

import ast
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import packages_distributions, version
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest
from packaging.utils import canonicalize_name

from bento.build import (
    REQUIREMENTS,
    SOURCE_ROOT,
    ParityError,
    build_bento,
    export_bento,
    serving_files,
)
from catalog.classifier import ProductTypeClassifier
from catalog.model_folder import Manifest
from catalog.predictor import Predictor
from catalog.synthetic import generate

OWN_PACKAGES = {"bento", "catalog", "ledger", "state", "web"}
LOADED_BY_TRAINING = {
    ("ledger/feedback.py", "pandas"),
    ("ledger/windows.py", "pandas"),
}  # in functions that the service does not call
CARD = "# Model card: shop\n\n`naïveté` | 0.9\n"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return generate(600, seed=8)


@pytest.fixture
def manifest(classifier: ProductTypeClassifier) -> Manifest:
    return Manifest(
        name="packaging-test", model_version="1", run_id=uuid4().hex, data_hash="d" * 64, scores={"weighted_f1": 0.9},
        labels={int(code): f"type {code}" for code in classifier.classes_}, threshold=0.5,
        usual_score=None, abstains_on_novelty=False,
        temperature=classifier.temperature_, parameters={"solver": "svm", "blocks": [{"field": "title"}]},
        registered_at="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that replaces the system's temporary directory."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def tag(classifier: ProductTypeClassifier, manifest: Manifest, frame: pd.DataFrame, temporary: Path) -> Iterator[str]:
    """A Bento that was built into the store."""
    import bentoml

    built = build_bento(classifier, manifest, CARD, frame.head(50))
    yield built
    bentoml.delete(built)


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_the_bento_contains_the_files_of_the_service_only(tmp_path: Path) -> None:
    taken = [
        "bento/__init__.py", "bento/inner/deep.py", "bento/service.py", "catalog/__init__.py", "catalog/text.py",
        "ledger/migrations/script.py.mako", "ledger/migrations/versions/r0001_tables.py", "ledger/tables.py",
        "web/gate.py",
    ]  # fmt: skip
    touch(tmp_path, *taken)
    touch(
        tmp_path, "bento/build.py", "bento/notes.txt", "bento/__pycache__/service.cpython-311.pyc",
        "bento/.drafts/draft.py", "catalog/classifier.py", "ledger/.DS_Store", "web/notes.txt",
        "ledger/migrations/versions/__pycache__/r0001.cpython-311.pyc", "model/idf.npy", "run.py",
    )  # fmt: skip
    assert serving_files(tmp_path) == taken


def test_the_files_of_the_service_can_be_imported_without_the_others(tmp_path: Path) -> None:
    files = serving_files()
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE_ROOT / name, tmp_path / name)
    sources = [name for name in files if name.endswith(".py") and "migrations" not in name]
    modules = [name.removesuffix(".py").replace("/", ".") for name in sources]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, '.'); import {', '.join(modules)}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_package_that_the_service_imports_is_pinned() -> None:
    distributions = packages_distributions()
    pinned = set(
        re.findall(r"^([a-z0-9._-]+)==", (SOURCE_ROOT / REQUIREMENTS).read_text(encoding="utf-8"), re.MULTILINE)
    )
    for name in (name for name in serving_files() if name.endswith(".py")):
        for node in ast.walk(ast.parse((SOURCE_ROOT / name).read_text(encoding="utf-8"))):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for module in {module.split(".")[0] for module in imported} - sys.stdlib_module_names:
                if module not in OWN_PACKAGES and (name, module) not in LOADED_BY_TRAINING:
                    providers = {canonicalize_name(provider) for provider in distributions[module]}
                    assert providers & pinned, f"{name} imports {module}"


def test_the_bento_contains_the_sealed_model_with_its_card(tag: str) -> None:
    import bentoml

    source = Path(bentoml.get(tag).path) / "src"
    built = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    assert set(serving_files()) <= built
    others = {name for name in built - set(serving_files()) if not name.startswith("model/")}
    assert others == {"bentofile.yaml", "requirements.txt"}
    predictor = Predictor(source / "model")
    assert predictor.card == CARD
    assert "card.md" in predictor.manifest.files
    assert predictor.manifest.parameters == {"solver": "svm", "blocks": [{"field": "title"}]}
    assert predictor.manifest.registered_at == "2026-01-01T00:00:00+00:00"


def test_the_bento_requires_the_locked_files_of_the_service(tag: str) -> None:
    import bentoml

    def lines(path: Path) -> set[str]:
        return {line.replace(" ;", ";").replace("'", '"') for line in path.read_text().splitlines() if line}

    required = lines(Path(bentoml.get(tag).path) / "env" / "python" / "requirements.txt")
    locked = lines(SOURCE_ROOT / REQUIREMENTS)
    assert locked <= required
    assert required - locked == {f"bentoml=={version('bentoml')}"}  # BentoML adds itself


def test_a_bento_with_other_answers_is_deleted(
    classifier: ProductTypeClassifier, manifest: Manifest, frame: pd.DataFrame, temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import bentoml

    honest = Predictor.probabilities
    monkeypatch.setattr(Predictor, "probabilities", lambda self, *listing: honest(self, *listing)[::-1])
    with pytest.raises(ParityError, match="answers of the packaged and the trained model differ"):
        build_bento(classifier, manifest, CARD, frame.head(50))
    assert manifest.name not in {bento.tag.name for bento in bentoml.list()}
    assert list(temporary.iterdir()) == []


def source_of(tag: str) -> Path:
    import bentoml

    return Path(bentoml.get(tag).path) / "src"


def inode(tag: str) -> int:
    return (source_of(tag) / "model" / "manifest.json").stat().st_ino


def test_a_bento_that_a_killed_run_has_built_is_taken_up(
    tag: str, classifier: ProductTypeClassifier, manifest: Manifest, frame: pd.DataFrame
) -> None:
    before = inode(tag)
    later = replace(manifest, registered_at="2026-01-02T00:00:00+00:00")
    assert build_bento(classifier, later, CARD, frame.head(50)) == tag
    assert inode(tag) == before
    assert Predictor(source_of(tag) / "model").manifest.registered_at == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("harm", ["model", "code", "requirements", "half built", "another threshold"])
def test_a_bento_with_the_same_tag_that_is_not_the_same_is_replaced(
    tag: str, classifier: ProductTypeClassifier, manifest: Manifest, frame: pd.DataFrame, harm: str
) -> None:
    source = source_of(tag)
    for path in (source / "model" / "blocks.json", source / "bento" / "service.py", source / "requirements.txt"):
        path.chmod(0o644)
    if harm == "half built":  # killed while BentoML copied it
        shutil.rmtree(source)
        (source.parent / "bento.yaml").unlink()
    elif harm == "another threshold":
        manifest = replace(manifest, threshold=0.25)
    else:
        name = {"model": "model/blocks.json", "code": "bento/service.py", "requirements": "requirements.txt"}[harm]
        (source / name).write_text("# changed")
    assert build_bento(classifier, manifest, CARD, frame.head(50)) == tag
    assert Predictor(source_of(tag) / "model").manifest.threshold == manifest.threshold
    service = (source_of(tag) / "bento" / "service.py").read_bytes()
    assert service == (SOURCE_ROOT / "bento" / "service.py").read_bytes()


def test_an_exported_bento_is_restored_and_no_temporary_file_is_left(tag: str, temporary: Path, tmp_path: Path) -> None:
    import bentoml

    export_bento(tag, tmp_path / "bento.tar")
    bentoml.delete(tag)
    assert str(bentoml.import_bento(str(tmp_path / "bento.tar")).tag) == tag
    assert list(temporary.iterdir()) == []
