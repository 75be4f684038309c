"""Which model a command takes where no taxonomy is given."""

from argparse import Namespace
from pathlib import Path

import pytest

import commands.watch
import run
from bento.deployment import CHECKOUT_MODELS
from catalog.taxonomy import EMBEDDED, RAKUTEN
from commands.options import taxonomy_in_use, taxonomy_to_train
from tracking import registry


def chosen(*, embedded: bool = False, taxonomy: Path | None = None) -> str:
    return taxonomy_in_use(Namespace(taxonomy=taxonomy, embedded=embedded)).name


def in_production(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    version = registry.RegisteredVersion(number="1", run_id="run", source="", tags={})
    monkeypatch.setattr(registry, "by_alias", lambda name, _alias: version if name in names else None)


def test_a_training_on_files_and_one_on_the_embedded_listings_have_models_of_their_own(tmp_path: Path) -> None:
    assert taxonomy_to_train(Namespace(taxonomy=None, data=None)).name == EMBEDDED.name == "rakuten-embedded"
    assert taxonomy_to_train(Namespace(taxonomy=None, data=tmp_path)).name == RAKUTEN.name == "rakuten"
    assert EMBEDDED.labels == RAKUTEN.labels
    assert (RAKUTEN.name, EMBEDDED.name) == CHECKOUT_MODELS


def test_the_model_trained_on_files_goes_before_the_embedded_one_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    in_production(monkeypatch, "rakuten", "rakuten-embedded")
    assert chosen() == "rakuten"
    assert "Model: 'rakuten', trained on files." in capfd.readouterr().out
    assert chosen(embedded=True) == "rakuten-embedded"
    in_production(monkeypatch, "rakuten-embedded")
    assert chosen() == "rakuten-embedded"
    assert "Model: 'rakuten-embedded', trained on the embedded listings." in capfd.readouterr().out
    in_production(monkeypatch)
    assert chosen() == "rakuten-embedded"


def test_a_taxonomy_names_its_own_model(tmp_path: Path) -> None:
    (tmp_path / "my-shop.csv").write_text("code,label\n1,A\n2,B\n")
    assert chosen(taxonomy=tmp_path / "my-shop.csv") == "my-shop"


@pytest.mark.parametrize(
    ("watched", "options", "message"),
    [
        ("rakuten", [], "'rakuten' is trained on files, so a retraining must know their folder"),
        ("rakuten", ["--", "--size", "500"], "end the command with '-- --data DIR'"),
        ("rakuten-embedded", ["--", "--data", "/somewhere"], "would watch 'rakuten-embedded' and train 'rakuten'"),
        ("rakuten", ["--", "--data", "/somewhere", "--taxonomy", "x.csv"], "--taxonomy belongs to 'watch', before"),
    ],
)
def test_watch_refuses_to_retrain_another_model_than_the_one_it_watches(
    watched: str, options: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands.watch, "call_apart", lambda *_: ["local", False, watched, 365])
    assert run.main(["watch", *options]) == 1
    assert message in capfd.readouterr().err
