"""The answer of a version's own model, asked again with the code in its Bento."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from terminal.errors import CommandError

if TYPE_CHECKING:
    from ledger.predictions import PredictionRecord
    from tracking.registry import RegisteredVersion

_LIMIT = 120  # seconds
_SAME = 1e-6  # of a confidence: other processors sum in another order
# Run with the source of the Bento on the path, so that the text is read as that version read it. Its `Predictor` checks
# the model folder against its manifest.
_ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from catalog.predictor import Predictor
asked = json.load(sys.stdin)
try:
    model = Predictor(Path(sys.argv[2]))
except ValueError as error:
    print(json.dumps({"missing" if type(error).__name__ == "EncoderError" else "damage": str(error)}))
    sys.exit()
text = asked["title"], asked["description"]
found = model.predict_top_k(*text)
code = asked["code"]
known = code in model.classes.tolist()
sides = model.explain(*text, code, asked["limit"]) if known else ([], [])
terms = [[{"term": r.term, "field": r.field, "contribution": float(r.contribution)} for r in side] for side in sides]
manifest = model.manifest
print(json.dumps({
    "code": found.code, "confidence": found.confidence, "supporting": terms[0],
    "opposing": terms[1], "labels": dict(manifest.labels), "name": manifest.name, "number": manifest.model_version,
    "run_id": manifest.run_id, "registered_at": manifest.registered_at,
}))
"""


class Term(BaseModel):
    """A term that spoke for a type (contribution above 0) or against it."""

    model_config = ConfigDict(frozen=True)

    term: str
    field: str
    contribution: float


class OwnAnswer(BaseModel):
    """What a version's own model answers, and the terms for and against the code that is stored.

    `labels`: of all codes of its taxonomy. `registered_at`: when the model was packaged (ISO 8601).
    """

    model_config = ConfigDict(frozen=True)

    code: int
    confidence: float
    supporting: list[Term]
    opposing: list[Term]
    labels: dict[int, str]
    name: str
    number: str
    run_id: str
    registered_at: str

    def repeats(self, record: "PredictionRecord") -> bool:
        """Whether this is the answer that is stored."""
        return self.code == record.predicted_code and abs(self.confidence - record.confidence) <= _SAME


class NotAskedError(CommandError):
    """The model of a version cannot be asked any more; the message is a sentence about why."""


def ask_own_model(version: "RegisteredVersion", record: "PredictionRecord", limit: int) -> OwnAnswer:
    """Return what the version's model answers to a stored listing now, with at most `limit` terms on each side.

    The Bento is restored from its artifact if it is not in this machine's store, or damaged. Raises `NotAskedError`.
    """
    from stacks.bentos import restore_bento

    tag, run = version.tags.get("bento_tag"), version.tags.get("bento_run")
    if not tag:
        raise NotAskedError(f"Version {version.number} has no Bento, since no training has promoted it.")
    question = {
        "title": record.designation,
        "description": record.description,
        "code": record.predicted_code,
        "limit": limit,
    }
    with _as_sentences(version):
        answer = _ask(version, restore_bento(tag, run), question)
        if "damage" in answer:
            answer = _ask(version, restore_bento(tag, run, anew=True), question)
    if "missing" in answer:
        raise NotAskedError(f"The model of version {version.number} cannot be asked: {answer['missing']}.")
    if "damage" in answer:
        raise NotAskedError(f"The Bento {tag} is damaged, also in its artifact: {answer['damage']}.")
    try:
        found = OwnAnswer.model_validate(answer)
    except ValidationError as error:
        raise NotAskedError(f"The code in the Bento {tag} answered something else than expected.") from error
    if (found.name, found.number, found.run_id) != (record.model_name, version.number, version.run_id):
        raise NotAskedError(
            f"The Bento {tag} holds version {found.number} of '{found.name}' from run {found.run_id}, "
            f"not version {version.number} from run {version.run_id}."
        )
    return found


@contextmanager
def _as_sentences(version: "RegisteredVersion") -> Iterator[None]:
    from bentoml.exceptions import BentoMLException
    from zenml.exceptions import ZenMLBaseException

    try:
        yield
    except NotAskedError:
        raise
    except (CommandError, BentoMLException, ZenMLBaseException, OSError) as error:
        raise NotAskedError(f"The model of version {version.number} cannot be fetched: {error}.") from error


def _ask(version: "RegisteredVersion", bento: Path, question: dict[str, Any]) -> dict[str, Any]:
    from tracking.isolation import last_line, run_isolated

    source = bento / "src"
    with TemporaryDirectory() as home:
        try:
            done = run_isolated(
                _ASK, [str(source), str(source / "model")], Path(home), given=json.dumps(question), limit=_LIMIT
            )
        except subprocess.TimeoutExpired as error:
            raise NotAskedError(f"The model of version {version.number} did not answer within {_LIMIT} s.") from error
    if done.returncode != 0:
        raise NotAskedError(
            f"The code in the Bento of version {version.number} cannot be asked by this release: {last_line(done)}."
        )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise NotAskedError(
            f"The code in the Bento of version {version.number} printed something else than an answer."
        ) from error
    return answer
