"""The code of a champion runs only as it was registered, and without the secrets of this process."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tracking.champion import ChampionError, predict_with_own_code
from tracking.champion_files import files_digest
from tracking.registry import RegisteredVersion

ROWS = pd.DataFrame({"designation": ["Piscine", "Lit"], "description": [None, None]})
SECRETS = {"JWT_SECRET": "s3cret", "DATABASE_URL": "postgresql://u:p@h/n", "AWS_SECRET_ACCESS_KEY": "k"}
# Answers with the number of variables that it should not see, then whether it is at home in a folder of its own.
CODE = """
import os, pathlib, sys
import numpy as np
if __name__ == "__main__":
    model, rows, answers = sys.argv[1:]
    allowed = ("PATH", "HOME", "TMPDIR", "LANG", "LC_", "OMP_", "OPENBLAS_", "MKL_")
    seen = [name for name in os.environ if not name.startswith(allowed)]
    at_home = os.environ["HOME"] != HOME and pathlib.Path.home() == pathlib.Path.cwd()
    np.save(answers, np.array([len(seen), at_home], dtype=np.int64))
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "code" / "catalog").mkdir(parents=True)
    (folder / "model.skops").write_bytes(b"a model")
    (folder / "code" / "catalog" / "__init__.py").write_text("")
    code = CODE.replace("!= HOME", f"!= {str(Path.home())!r}")
    (folder / "code" / "catalog" / "classifier.py").write_text(code)
    return folder


def version(model: Path, files: str | None) -> RegisteredVersion:
    return RegisteredVersion(number="3", run_id="run", source=model.as_uri(), tags={}, files=files)


def test_it_answers_without_our_secrets_in_a_home_of_its_own(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    assert predict_with_own_code(version(model, files_digest(model)), ROWS).tolist() == [0, 1]


CHANGES: dict[str, Callable[[Path], object]] = {
    "code": lambda model: (model / "code" / "catalog" / "classifier.py").write_text("raise SystemExit('it ran')"),
    "a new module": lambda model: (model / "code" / "numpy.py").write_text("raise SystemExit('it ran')"),
    "a compiled module": lambda model: (model / "code" / "catalog" / "classifier.pyc").write_bytes(b"\\0"),
    "a module less": lambda model: (model / "code" / "catalog" / "__init__.py").unlink(),
    "the model": lambda model: (model / "model.skops").write_bytes(b"another model"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_code_or_model_that_are_not_what_was_registered_do_not_run(model: Path, change: str) -> None:
    recorded = files_digest(model)
    CHANGES[change](model)
    with pytest.raises(ChampionError, match="its model or code is not what was registered, so its code is not run"):
        predict_with_own_code(version(model, recorded), ROWS)


def test_code_without_a_record_outside_the_tracker_does_not_run(model: Path) -> None:
    with pytest.raises(ChampionError, match="version 3 has no record of its files in ZenML, so its code is not run"):
        predict_with_own_code(version(model, None), ROWS)


def test_files_that_are_gone_are_named(model: Path) -> None:
    recorded = files_digest(model)
    (model / "model.skops").unlink()
    with pytest.raises(ChampionError, match="version 3 cannot be fetched from the registry"):
        predict_with_own_code(version(model, recorded), ROWS)
