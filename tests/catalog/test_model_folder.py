"""The packaged model: what is written is read back, and any change after that is noticed and named."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from catalog.blocks import Block
from catalog.model_folder import (
    CARD,
    MANIFEST,
    Manifest,
    ModelArrays,
    ModelFolderError,
    read_blocks,
    read_terms,
    write_blocks,
)

BLOCKS = [Block("title", "words"), Block("both", "characters", 2, 3, weight=0.5), Block("description", "words")]
# Two of the terms contain characters that other readers take for the end of a line.
TERMS = [["piscine", "piscine ronde"], [" é", "a\r", "\u2028"], []]
ARRAYS = ModelArrays(
    idf=np.array([1, 2, 3, 4, 5], dtype=np.float32),
    coefficients=np.arange(10, dtype=np.float32).reshape(5, 2),
    intercept=np.array([0.5, -0.5]),
    classes=np.array([1560, 2583]),
    vectors=np.arange(6, dtype=np.float32).reshape(3, 2),
)
MANIFEST_OF_TESTS = Manifest(
    name="rakuten", model_version="3", run_id="r", data_hash="d", scores={"weighted_f1": 0.9},
    labels={1560: "Furniture", 2583: "Pool & accessories"}, threshold=0.5, usual_score=0.2,
    abstains_on_novelty=True, temperature=1.5,
    parameters={"C": 0.2, "blocks": [{"field": "title", "weight": 1.0}]}, registered_at="2026-01-01T00:00:00+00:00",
)  # fmt: skip
MODEL_FILES = [
    "blocks.json", "card.md", "classes.npy", "coefficients.npy", "idf.npy", "intercept.npy", "terms-0.txt",
    "terms-1.txt", "terms-2.txt", "vectors.npy",
]  # fmt: skip
FILES_WITH_CONTENT = [name for name in MODEL_FILES if name != "terms-2.txt"]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    write_blocks(folder, BLOCKS, ["\n".join(terms) for terms in TERMS])
    ARRAYS.write(folder)
    (folder / CARD).write_text("# Karte für «rakuten»\n", encoding="utf-8")
    MANIFEST_OF_TESTS.seal(folder)
    return folder


@pytest.fixture
def folder(sealed: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(sealed, tmp_path / "model"))


def test_the_manifest_is_read_back_with_the_names_of_all_files(sealed: Path) -> None:
    manifest = Manifest.verified(sealed)
    assert sorted(manifest.files) == MODEL_FILES
    assert manifest == Manifest(**{**vars(MANIFEST_OF_TESTS), "files": manifest.files})


def test_blocks_and_terms_are_read_back(sealed: Path) -> None:
    assert read_blocks(sealed) == BLOCKS
    assert [list(read_terms(sealed, number)) for number in range(len(BLOCKS))] == TERMS


def test_arrays_are_read_back_and_the_coefficients_are_mapped(sealed: Path) -> None:
    arrays = ModelArrays.read(sealed)
    for name, written in vars(ARRAYS).items():
        read = getattr(arrays, name)
        assert_array_equal(read, written)
        assert read.dtype == written.dtype
    assert isinstance(arrays.coefficients.base, np.memmap)


def test_a_model_without_sentence_vectors_has_no_file_of_them(tmp_path: Path) -> None:
    replace(ARRAYS, vectors=None).write(tmp_path)
    assert not (tmp_path / "vectors.npy").exists()
    assert ModelArrays.read(tmp_path).vectors is None


def test_the_format_of_the_manifest_is_unchanged(sealed: Path) -> None:
    content = json.loads((sealed / MANIFEST).read_text(encoding="utf-8"))
    assert set(content) == {
        "name", "model_version", "run_id", "data_hash", "scores", "labels", "threshold", "usual_score",
        "abstains_on_novelty", "temperature", "parameters", "registered_at", "encoder", "files", "sha256",
    }  # fmt: skip
    assert content["labels"] == {"1560": "Furniture", "2583": "Pool & accessories"}


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFolderError, match=f"{name} is missing"):
        Manifest.verified(folder)


@pytest.mark.parametrize("name", FILES_WITH_CONTENT)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_file_with_a_changed_byte_is_named(folder: Path, name: str, place: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[{"first": 0, "middle": len(content) // 2, "last": -1}[place]] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelFolderError, match=f"{name} has changed"):
        Manifest.verified(folder)


@pytest.mark.parametrize("name", FILES_WITH_CONTENT)
def test_a_truncated_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-1])
    with pytest.raises(ModelFolderError, match=f"{name} has changed"):
        Manifest.verified(folder)


@pytest.mark.parametrize("name", ["model.pkl", "terms-4.txt", "manifest.json.bak", ".hidden"])
def test_an_added_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    with pytest.raises(ModelFolderError, match=f"{name} is not in the manifest"):
        Manifest.verified(folder)


def test_a_folder_in_place_of_a_file_is_named(folder: Path) -> None:
    (folder / "idf.npy").unlink()
    (folder / "idf.npy").mkdir()
    with pytest.raises(ModelFolderError, match=r"idf\.npy has changed"):
        Manifest.verified(folder)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"{}", b'"text"', b"\xff\xfe", b'{"labels": {"no number": "x"}}'],
)  # fmt: skip
def test_an_unreadable_manifest_is_named(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"manifest\.json cannot be read"):
        Manifest.verified(folder)


@pytest.mark.parametrize(
    "change",
    [lambda content: content.pop("parameters"), lambda content: content["labels"].update({"2583": "Food"}),
     lambda content: content.update(threshold=0.0), lambda content: content.update(created_at="2025")],
    ids=["a field less", "another label", "another threshold", "a field more"],
)  # fmt: skip
def test_an_edited_manifest_is_named(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    change(content)
    (folder / MANIFEST).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelFolderError, match=r"manifest\.json has changed since the model was packaged"):
        Manifest.verified(folder)


def test_a_folder_without_a_manifest_is_not_a_packaged_model(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"is not a packaged model: it has no manifest\.json"):
        Manifest.verified(tmp_path)
