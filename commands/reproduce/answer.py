"""The result of a reproduction, for the person at the terminal."""

from collections.abc import Iterator

from commands.reproduce.verdict import Answers, Reproduction
from terminal.console import console
from terminal.tables import show_rows, show_table

_SHOWN = 5  # of the scores that differ


def show(found: Reproduction) -> None:
    """Print what was recorded and what was found of it, what came of it, and the verdict."""
    console().print()
    if found.facts:
        show_table(("", "recorded", "found"), [(fact.what, fact.recorded, fact.found) for fact in found.facts])
        console().print()
    show_rows(dict(_rows(found)))


def _rows(found: Reproduction) -> Iterator[tuple[str, str]]:
    if found.answers:
        yield "Answers", _answers(found.answers)
        yield "Scores", _scores(found)
    if found.decision:
        decision = "promoted" if found.decision.recorded else "not promoted"
        if found.decision.is_same:
            yield "Decision", f"the same: {decision}: {found.decision.recorded_reason}"
        else:
            again = "promoted" if found.decision.reproduced else "not promoted"
            yield "Decision recorded", f"{decision}: {found.decision.recorded_reason}"
            yield "Decision now", f"{again}: {found.decision.reproduced_reason}"
    if found.gone:
        yield "Gone", "\n".join(found.gone)
    yield "Verdict", _verdict(found)
    yield "Time", f"{found.seconds:.0f} s; nothing in the registry, the stack or the Bento store has changed"


def _answers(answers: Answers) -> str:
    if answers.are_same:
        return f"the same code on all {answers.rows:,} test rows; a confidence differs by {_most(answers)}"
    other = f"; {answers.other_rows:,} rows have an answer on one side only" if answers.other_rows else ""
    return (
        f"the same code on {answers.same:,} of {answers.rows:,} test rows; a confidence differs by {_most(answers)}"
        f"{other}"
    )


def _most(answers: Answers) -> str:
    return f"at most {answers.greatest_difference:.2g}"


def _scores(found: Reproduction) -> str:
    if not found.different_scores:
        return f"the same (weighted F1 {found.weighted_f1:.3f})"
    shown = [f"{score.name} {score.reproduced}, recorded {score.recorded}" for score in found.different_scores[:_SHOWN]]
    more = len(found.different_scores) - _SHOWN
    return "\n".join([*shown, *([f"and {more} more"] if more > 0 else [])])


def _verdict(found: Reproduction) -> str:
    version = f"version {found.model_version} of '{found.model_name}'"
    if found.verdict == "same":
        what = "answers, scores and decision" if found.decision else "answers and scores; no decision was measured"
        return f"reproduced: {version} trained again gives the same {what}"
    if found.verdict == "different":
        return f"not the same: {version} trained again differs in what is listed above"
    if found.answers and found.answers.are_same:
        return f"the answers of {version} are the same; the rest could not be compared, because something is gone"
    return f"{version} cannot be reproduced, because something is gone"
