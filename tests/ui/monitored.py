"""The monitor service for tests of the page: in this process, on a folder of its own, asked by the users of auth."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from starlette.testclient import TestClient

from commands.models.catalogue import Catalogue, Move, Score, ShownDecision, ShownVersion, TypeScore, VersionDetails
from commands.models.comparison import Comparison, Overall, Pair, TypePair
from monitoring.authentication import Tokens
from monitoring.decisions import Rules
from monitoring.journal import Journal
from monitoring.local_trainer import LocalTrainer
from monitoring.models import Models
from monitoring.report_folder import ReportFolder
from monitoring.run_py import RunPyCommand
from monitoring.service import MonitorService
from monitoring.users import Users
from tests.monitoring.watching import python, reporting

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
# In the place of `run.py models` and `run.py rollback`, which take seconds: writes what the folder has for these words.
_ANSWER = """
import pathlib, sys
report = pathlib.Path(sys.argv[-1])
words = [word for word in sys.argv[1:-2] if not word.startswith("--by=")]
name = "-".join(words or ["list"])
report.write_text((report.with_name("answers") / name.partition("--")[0].strip("-")).read_text())
"""


@dataclass
class Monitored:
    """A started service, and the registry that it reads."""

    folder: Path
    users_at: str
    catalogue: Catalogue = field(default_factory=lambda: a_catalogue("2"))

    def __post_init__(self) -> None:
        reports = ReportFolder(self.folder)
        reports.path.mkdir()
        self.reports, self.journal = reports, Journal(reports.journal)
        answers = self.folder / "answers"
        answers.mkdir()
        (answers / "list").write_text(self.catalogue.model_dump_json())
        (answers / "show-2").write_text(some_details().model_dump_json())
        (answers / "compare-1-2").write_text(a_comparison().model_dump_json())
        (answers / "rollback").write_text(json.dumps({"left": "2", "now": "1", "skipped": [], "entry": "e3"}))
        models, rollback = (RunPyCommand(python(_ANSWER, *words), self.folder) for words in ((), ("rollback",)))
        trainer = LocalTrainer(RunPyCommand(reporting(reason="not better"), self.folder), reports, Lock(), self.journal)
        self.service = MonitorService(
            self.journal, trainer, None, Tokens("m" * 40, "a" * 40, "r" * 40), Rules(cool_down=timedelta(hours=6)),
            folder=reports, users=Users(self.users_at), models=Models(models, rollback, reports),
        )  # fmt: skip
        self.client = TestClient(self.service.gate, base_url="http://monitor", raise_server_exceptions=False)


def a_catalogue(production: str) -> Catalogue:
    """Two versions, of which the second one was promoted."""
    log = [
        Move(id="e2", at=NOON, action="promotion", version="2", left="1", reason="better", by=None),
        Move(id="e1", at=NOON - timedelta(days=1), action="promotion", version="1", left=None, reason="first", by=None),
    ]
    return Catalogue(
        model="rakuten", production=production, previous="1", versions=[a_version("2"), a_version("1")], log=log
    )


def a_version(number: str) -> ShownVersion:
    """A version, with a score that grows with its number."""
    value = 0.7 + int(number) / 20
    score = Score(value=value, low=value - 0.02, high=value + 0.02)
    reason = f"weighted F1 {value:.3f} is better <b>"
    return ShownVersion(
        version=number, aliases=["production"] if number == "2" else ["previous"], created_at=NOON,
        scores={"weighted_f1": score, "macro_f1": score},
        decision=ShownDecision(promoted=True, reason=reason, difference=0.05, low=0.01, high=0.09),
        bento=f"rakuten:{number}", run_id=f"run-{number}", data_hash="d" * 64, commit="c" * 40, clean=number == "1",
        trained_on=3_145,
    )  # fmt: skip


def some_details() -> VersionDetails:
    """Version 2 in detail."""
    by_type = [
        TypeScore(code=10, label="Books", f1=0.91, precision=0.92, recall=0.9, support=40),
        TypeScore(code=2583, label="Pools & spas", f1=0.55, precision=0.5, recall=0.6, support=12),
    ]
    card = "# Model card: rakuten\n\n## What it is for\nSuggesting the product type."
    return VersionDetails(**dict(a_version("2")), by_type=by_type, card=card, lineage={"missing": []})


def a_comparison() -> Comparison:
    """Version 2 beside version 1: one type is worse, one is better."""
    pair = Pair(first=0.75, second=0.8, difference=0.05)
    types = [
        TypePair(code=2583, label="Pools & spas", first_f1=0.6, second_f1=0.55, difference=-0.05, support=12),
        TypePair(code=10, label="Books", first_f1=0.8, second_f1=0.91, difference=0.11, support=40),
        TypePair(code=40, label="Games", first_f1=None, second_f1=0.5, difference=None, support=3),
    ]
    overall = Overall(weighted_f1=pair, macro_f1=pair, accuracy=pair, rows=pair, same_data=False, paired=None)
    return Comparison(first="1", second="2", overall=overall, types=types)
