"""Whether a version that was made again is the same: answers, scores, decision, and what is gone."""

import pandas as pd
import pytest

from commands.reproduce.answer import show
from commands.reproduce.verdict import (
    Answers,
    DecisionPair,
    Fact,
    Reproduction,
    Score,
    Verdict,
    compare_answers,
    compare_scores,
    verdict_of,
)

KEPT = pd.DataFrame({"text_key": ["a", "b", "c"], "predicted_code": [10, 20, 30], "confidence": [0.5, 0.6, 0.7]})
SAME = Answers(rows=3, same=3, greatest_difference=0.0, other_rows=0)
FEWER = SAME.model_copy(update={"same": 2})
PROMOTED = DecisionPair(recorded=True, recorded_reason="better", reproduced=True, reproduced_reason="better")
REFUSED = PROMOTED.model_copy(update={"reproduced": False})
OTHER_SCORE = [Score(name="weighted_f1", recorded=0.7, reproduced=0.8)]


def test_the_same_answers_in_another_order_are_the_same() -> None:
    found = compare_answers(KEPT, KEPT.iloc[::-1])
    assert found == SAME
    assert found.are_same


def test_another_code_or_confidence_is_counted() -> None:
    again = KEPT.assign(predicted_code=[10, 21, 30], confidence=[0.5, 0.6, 0.9])
    found = compare_answers(KEPT, again)
    assert (found.rows, found.same, found.greatest_difference) == (3, 2, pytest.approx(0.2))
    assert not found.are_same
    assert not compare_answers(KEPT, KEPT.assign(confidence=KEPT["confidence"] + 1e-3)).are_same
    assert compare_answers(KEPT, KEPT.assign(confidence=KEPT["confidence"] + 1e-9)).are_same


def test_a_row_that_only_one_side_answered_is_not_the_same() -> None:
    found = compare_answers(KEPT.head(2), KEPT)
    assert (found.rows, found.same, found.other_rows) == (2, 2, 1)
    assert not found.are_same
    assert not compare_answers(KEPT, KEPT.head(0)).are_same


def test_scores_that_differ_are_named() -> None:
    kept = {"weighted_f1": 0.7, "threshold": None, "per_type": [{"code": 1, "f1": 0.5}], "note": "text"}
    again = {"weighted_f1": 0.7 + 1e-9, "threshold": 0.4, "per_type": [{"code": 1, "f1": 0.6}], "note": "other"}
    assert compare_scores(kept, kept) == []
    assert compare_scores(kept, again) == [
        Score(name="per_type.0.f1", recorded=0.5, reproduced=0.6),
        Score(name="threshold", recorded=None, reproduced=0.4),
    ]


@pytest.mark.parametrize(
    ("answers", "scores", "decision", "gone", "expected"),
    [
        (SAME, [], PROMOTED, [], "same"),
        (SAME, [], None, [], "same"),  # it was refused unseen: there is nothing to compare
        (FEWER, [], PROMOTED, [], "different"),
        (SAME, OTHER_SCORE, PROMOTED, [], "different"),
        (SAME, [], REFUSED, [], "different"),
        (FEWER, [], None, ["The champion is gone."], "different"),
        (SAME, [], None, ["The champion is gone."], "incomplete"),
        (None, [], None, ["The data is gone."], "incomplete"),
    ],
)
def test_the_verdict_follows_from_all_of_it(
    answers: Answers | None, scores: list[Score], decision: DecisionPair | None, gone: list[str], expected: Verdict
) -> None:
    assert verdict_of(answers, scores, decision, gone) == expected


def shown(capsys: pytest.CaptureFixture[str], **known: object) -> str:
    whole = {
        "model_name": "shop", "model_version": "3", "answers": SAME, "weighted_f1": 0.7123, "different_scores": [],
        "decision": PROMOTED, "gone": [], "seconds": 3.0,
        "facts": [Fact(what="Commit", recorded="abc, clean tree", found="checked out")],
    }  # fmt: skip
    show(Reproduction.model_validate(whole | known))
    return " ".join(capsys.readouterr().out.split())


def test_the_table_says_what_was_recorded_and_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    table = shown(capsys, verdict="same")
    assert "Commit abc, clean tree checked out" in table
    assert "Answers the same code on all 3 test rows; a confidence differs by at most 0" in table
    assert "Scores the same (weighted F1 0.712)" in table
    assert "Decision the same: promoted: better" in table
    assert "Verdict reproduced: version 3 of 'shop' trained again gives the same answers, scores and decision" in table


def test_a_decision_that_nothing_was_measured_for_is_not_called_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    table = shown(capsys, verdict="same", decision=None)
    assert table.count("decision") == 1
    assert "trained again gives the same answers and scores; no decision was measured" in table


def test_what_differs_or_is_gone_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    table = shown(capsys, verdict="different", answers=FEWER, different_scores=OTHER_SCORE, decision=REFUSED)
    assert "the same code on 2 of 3 test rows" in table
    assert "weighted_f1 0.8, recorded 0.7" in table
    assert "Decision now not promoted: better" in table
    assert "Verdict not the same" in table
    lost = shown(capsys, verdict="incomplete", answers=None, decision=None, gone=["The data is gone: all of it."])
    assert "Gone The data is gone: all of it." in lost
    assert "version 3 of 'shop' cannot be reproduced, because something is gone" in lost
    part = shown(capsys, verdict="incomplete", decision=None, gone=["The champion is gone."])
    assert "the answers of version 3 of 'shop' are the same; the rest could not be compared" in part
