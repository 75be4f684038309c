"""Two versions side by side, by what each one's own evaluation says."""

from commands.models.catalogue import Shown, ShownDecision, find_version, training_of
from tracking.registry import RegisteredVersion
from tracking.version_files import RecordedEvaluation, read_decision, read_evaluation

_SCORES = ("weighted_f1", "macro_f1", "accuracy")


class NotRecordedError(LookupError):
    """A version has no evaluation to compare."""


class Pair(Shown):
    """A figure of both versions. `difference`: the second one's minus the first one's."""

    first: float
    second: float
    difference: float


class Overall(Shown):
    """The scores on all test rows. `same_data`: both were trained and tested on the same listings.

    `paired`: what the gate measured with both on the same rows, if the second one was compared with the first; else
    None. Differences of other evaluations may come from other test rows.
    """

    weighted_f1: Pair
    macro_f1: Pair
    accuracy: Pair
    rows: Pair
    same_data: bool | None
    paired: ShownDecision | None


class TypePair(Shown):
    """The F1 of a type in both versions; None where one had no test rows of it.

    `support`: its test rows in the second version, or in the first where the second had none.
    """

    code: int
    label: str
    first_f1: float | None
    second_f1: float | None
    difference: float | None
    support: int


class Comparison(Shown):
    """Two versions by their numbers; of the types that with the largest loss comes first."""

    first: str
    second: str
    overall: Overall
    types: list[TypePair]


def compare(name: str, first: str, second: str) -> Comparison:
    """Compare two versions. Raises `NoVersionError`, and `NotRecordedError` if one has no evaluation."""
    one, other = find_version(name, first), find_version(name, second)
    before, after = _evaluation(one), _evaluation(other)
    decision = read_decision(other)
    data = [training.data_hash if (training := training_of(version)) else None for version in (one, other)]
    overall = Overall(
        **{score: _pair(getattr(before, score), getattr(after, score)) for score in _SCORES},
        rows=_pair(before.rows, after.rows),
        same_data=data[0] == data[1] if all(data) else None,
        paired=ShownDecision.of(decision) if decision and decision.champion_version == one.number else None,
    )
    return Comparison(first=one.number, second=other.number, overall=overall, types=_types(before, after))


def _evaluation(version: RegisteredVersion) -> RecordedEvaluation:
    if evaluation := read_evaluation(version):
        return evaluation
    raise NotRecordedError(f"the evaluation of version {version.number} is not recorded in the tracker")


def _pair(first: float, second: float) -> Pair:
    return Pair(first=first, second=second, difference=second - first)


def _types(before: RecordedEvaluation, after: RecordedEvaluation) -> list[TypePair]:
    old, new = ({scores.code: scores for scores in each.per_type if scores.rows} for each in (before, after))
    pairs = []
    for code, known in (old | new).items():
        was, now = old.get(code), new.get(code)
        pairs.append(
            TypePair(
                code=code,
                label=known.label,
                first_f1=was.f1 if was else None,
                second_f1=now.f1 if now else None,
                difference=now.f1 - was.f1 if was and now else None,
                support=known.rows,
            )
        )
    return sorted(pairs, key=lambda pair: (pair.difference is None, pair.difference or 0.0, pair.code))
