"""A cached step runs again when code or a library that it uses changes, and not when anything else does."""

import importlib
import shutil
from pathlib import Path

import pytest
from zenml.steps import BaseStep

from steps import caching
from steps.caching import code_digest, dependencies

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("catalog", "checks", "tracking", "reports", "steps", "ledger", "pipelines", "bento", "web", "commands")
STEPS = ("ingest", "check", "consolidate", "audit", "train", "evaluate")
ALL = set(STEPS)
# The steps that must run again after an edit of a file. A file that is not here must make no step run again.
RUN_AGAIN: dict[str, set[str]] = {
    "catalog/abstention.py": {"evaluate"},
    "catalog/audit_rules.py": {"audit"},
    "catalog/blocks.py": {"audit", "train", "evaluate"},
    "catalog/candidates.py": {"train", "evaluate"},
    "catalog/classifier.py": {"train", "evaluate"},
    "catalog/confident_learning.py": {"audit"},
    "catalog/consolidation.py": {"consolidate"},
    "catalog/contract.py": {"ingest", "check", "consolidate"},
    "catalog/csv_table.py": ALL - {"train"},
    "catalog/evaluation.py": {"evaluate"},
    "catalog/features.py": {"audit", "train", "evaluate"},
    "catalog/label_audit.py": {"audit"},
    "catalog/language.py": {"consolidate"},
    "catalog/listings.py": {"ingest"},
    "catalog/model_folder.py": {"train", "evaluate"},
    "catalog/near_duplicates.py": {"consolidate", "audit"},
    "catalog/novelty.py": {"evaluate"},
    "catalog/profile.py": {"check", "consolidate", "train", "evaluate"},
    "catalog/reference.py": {"evaluate"},
    "catalog/ridge.py": {"train", "evaluate"},
    "catalog/scores.py": {"train", "evaluate"},
    "catalog/selection.py": {"train", "evaluate"},
    "catalog/sentence_vectors.py": {"train", "evaluate"},
    "catalog/separation.py": {"consolidate"},
    "catalog/solvers.py": {"train", "evaluate"},
    "catalog/source.py": {"ingest", "train", "evaluate"},
    "catalog/split_key.py": ALL - {"ingest"},
    "catalog/splits.py": ALL - {"ingest"},
    "catalog/sweep.py": {"train", "evaluate"},
    "catalog/synthetic.py": {"ingest"},
    "catalog/synthetic_vocabulary.py": {"ingest"},
    "catalog/taxonomy.py": ALL - {"train"},
    "catalog/text.py": ALL,
    "catalog/vector_machine.py": {"train", "evaluate"},
    "checks/data_contract.py": {"check"},
    "checks/data_report.py": {"check"},
    "reports/charts/bars.py": {"evaluate"},
    "reports/charts/confusion.py": {"evaluate"},
    "reports/charts/labels.py": ALL - {"train"},
    "reports/charts/reliability.py": {"evaluate"},
    "reports/data_report_page.py": {"check"},
    "reports/evaluation_charts.py": {"evaluate"},
    "reports/evaluation_page.py": {"evaluate"},
    "reports/label_audit_page.py": {"audit"},
    "reports/model_card.py": {"evaluate"},
    "reports/rendering.py": ALL - {"train"},
    "reports/table_page.py": {"ingest", "consolidate", "audit", "evaluate"},
    "reports/templates/abstention.txt.j2": {"evaluate"},
    "reports/templates/base.html.j2": ALL - {"train"},
    "reports/templates/chart.svg.j2": {"evaluate"},
    "reports/templates/charts.html.j2": {"evaluate"},
    "reports/templates/data_report_page.html.j2": {"check"},
    "reports/templates/evaluation_page.html.j2": {"evaluate"},
    "reports/templates/label_audit_page.html.j2": {"audit"},
    "reports/templates/macros.html.j2": {"ingest", "consolidate", "audit", "evaluate"},
    "reports/templates/model_card.md.j2": {"evaluate"},
    "reports/templates/novelty.txt.j2": {"evaluate"},
    "reports/templates/page.js": ALL - {"train"},
    "reports/templates/style.css": ALL - {"train"},
    "reports/templates/table_page.html.j2": {"ingest", "consolidate", "audit", "evaluate"},
    "steps/audit.py": {"audit"},
    "steps/caching.py": ALL,
    "steps/check.py": {"check"},
    "steps/consolidate.py": {"consolidate"},
    "steps/evaluate.py": {"evaluate"},
    "steps/ingest.py": {"ingest"},
    "steps/materializers.py": {"ingest", "consolidate", "audit", "evaluate"},
    "steps/train.py": {"train"},
    "tracking/champion_files.py": {"train", "evaluate"},
    "tracking/evaluation_run.py": {"evaluate"},
    "tracking/model_files.py": {"evaluate"},
    "tracking/registry.py": {"evaluate"},
    "tracking/revision.py": {"train", "evaluate"},
    "tracking/training_run.py": {"train", "evaluate"},
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the source, on which the digests are computed."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(caching, "SOURCE_ROOT", tmp_path)
    return tmp_path


def digests() -> dict[str, str]:
    code_digest.cache_clear()
    return {step: code_digest(f"steps.{step}") for step in STEPS}


def test_an_edit_makes_exactly_the_steps_run_again_that_use_the_file(tree: Path) -> None:
    before = digests()
    files = {path.relative_to(tree).as_posix(): path for path in tree.rglob("*") if path.is_file()}
    used = set.union(*(dependencies(f"steps.{step}")[0] for step in STEPS)) | set(RUN_AGAIN)

    def run_again(*names: str) -> set[str]:
        contents = {name: files[name].read_bytes() for name in names}
        for name, content in contents.items():
            files[name].write_bytes(content + b"\n# an edit\n")
        changed = {step for step, digest in digests().items() if digest != before[step]}
        for name, content in contents.items():
            files[name].write_bytes(content)
        return changed

    assert {name: changed for name in sorted(used) if (changed := run_again(name))} == RUN_AGAIN
    assert not run_again(*sorted(files.keys() - used))
    assert digests() == before


def test_another_version_of_a_library_makes_the_steps_run_again_that_import_it(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests()

    def run_again(library: str) -> set[str]:
        monkeypatch.setattr(caching, "version", lambda name: "999" if name == library else installed(name))
        return {step for step, digest in digests().items() if digest != before[step]}

    installed = caching.version
    assert run_again("scikit-learn") == {"audit", "train", "evaluate"}
    assert run_again("skops") == {"train", "evaluate"}, "it is imported within functions"
    assert run_again("scipy") == {"consolidate", "audit", "train", "evaluate"}, "it is imported by modules of modules"
    assert run_again("great_expectations") == {"check"}
    assert run_again("pandas") == ALL
    assert run_again("sqlalchemy") == set()


@pytest.mark.parametrize("step", STEPS)
def test_the_key_with_the_libraries_is_computed_before_it_is_decided_whether_a_step_runs(step: str) -> None:
    module = importlib.import_module(f"steps.{step}")
    (cached,) = (
        value for value in vars(module).values() if isinstance(value, BaseStep) and value.name != "gate_listings"
    )
    policy = cached.configuration.cache_policy
    assert policy is not None
    assert policy.cache_func is not None
    assert policy.cache_func.import_path == f"steps.{step}.code_version"
    assert module.code_version() == code_digest(f"steps.{step}")


def test_what_is_imported_for_type_checking_only_does_not_count(tree: Path) -> None:
    (tree / "steps" / "made_up.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from catalog.synthetic import generate\n    import scipy\n"
        "def work():\n    from catalog import text\n    import skops.io\n"
    )
    assert dependencies("steps.made_up") == (
        {"steps/made_up.py", "catalog/__init__.py", "catalog/text.py"},
        {"skops"},
    )
