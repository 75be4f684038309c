"""The model card."""

import json
import re
from datetime import UTC, datetime

import pytest

from catalog.blocks import Block
from catalog.candidates import Candidate, CandidateResult
from catalog.evaluation import Evaluation
from catalog.profile import NearDuplicates, Profile
from catalog.source import ListingSource
from reports.model_card import model_card
from tests.reports.values import a_profile, an_evaluation
from tracking.training_run import Trained

FILES = ListingSource(kind="files", directory="/data", sha256="0123abcd")
EMBEDDED = ListingSource(kind="embedded", size=20_000, seed=0)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return an_evaluation()


def card_of(
    evaluation: Evaluation, source: ListingSource = FILES, profile: Profile | None = None, encoder: str = ""
) -> str:
    trained = Trained(
        run_id="run", model_uri="models:/m-1", chosen="svm",
        candidates={
            "svm": CandidateResult(validation_weighted_f1=0.8, seconds=1.0),
            "logistic": CandidateResult(validation_weighted_f1=0.7512, seconds=2.0),
        },
        parameters=Candidate(blocks=[Block(field="title", kind="words")], vector_share=0.25), seed=0,
        temperature=1.2345, terms=1_000, data_hash="abc", source="files", files="0123", git_revision="deadbeef",
        encoder=encoder,
    )  # fmt: skip
    created_at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return model_card(evaluation, trained, profile or a_profile(), source, "rakuten", created_at)


def test_the_card_describes_data_results_and_limits(evaluation: Evaluation) -> None:
    card = card_of(evaluation)
    assert card.startswith("# Model card: rakuten\n\n## What it is for\n")
    for heading in ("What it is for", "Data", "Model", "Results on the test split", "Limits", "Reproduce"):
        assert f"\n## {heading}\n" in card
    text = " ".join(card.split())
    assert (
        "Source: files with the SHA-256 0123abcd. 4,000 listings after consolidation (fr 80%, de 20%; 35% without"
        in text
    )
    assert "3,200 for training, 400 for validation and 400 for the test. Data hash `abc`." in text
    assert "temperature 1.23. Candidates by weighted F1 on validation: svm 0.800, logistic 0.751. Parameters:" in text
    assert f"Weighted F1 **{evaluation.weighted_f1:.3f}** (95 % interval" in text
    assert "At confidence 0.800 and above it answers" in text
    assert "keeps a precision of 90% with 95 % certainty" in text
    assert f"without that certainty it would answer {evaluation.coverage_by_share:.1%}." in text
    assert card.endswith("\nRevision `deadbeef`, data hash above, 2026-01-01T12:00:00+00:00.\n")
    assert "synthetic" not in card


def test_the_card_says_what_became_of_the_feedback(evaluation: Evaluation) -> None:
    profile = a_profile()
    feedback = profile.feedback.model_copy(
        update={"given": 1_300, "trusted": 20, "user": 80, "simulated": 500, "user_over_the_cap": 300,
                "user_over_the_share": 400},
    )  # fmt: skip
    text = " ".join(card_of(evaluation, profile=profile.model_copy(update={"feedback": feedback})).split())
    assert "Feedback: 1,300 labels, of which 20 of reviewers and 80 of plain users joined the listings." in text
    assert "500 simulated ones, 300 beyond the limit of one user and 400 beyond the share of all users." in text
    assert "Feedback:" not in card_of(evaluation)


def test_the_card_says_what_became_of_near_duplicates(evaluation: Evaluation) -> None:
    near = NearDuplicates(similarity=0.6, groups=130, rows=1_400, left_out={"validation": 41, "test": 39})
    measured = evaluation.model_copy(update={"near_duplicates": 39, "weighted_f1_with_near_duplicates": 0.87654})
    text = " ".join(card_of(measured, profile=a_profile().model_copy(update={"near_duplicates": near})).split())
    assert "Near duplicates: 1,400 listings in 130 groups, by a similarity of at least 0.6." in text
    assert "Of them 41 of validation and 39 of the test are near to a listing of training." in text
    assert "With the near duplicates of listings of training, weighted F1 would be 0.877." in text
    assert "ear duplicates" not in card_of(evaluation)


def test_the_card_of_a_model_with_sentence_vectors_names_their_encoder(evaluation: Evaluation) -> None:
    text = " ".join(card_of(evaluation, encoder="some-encoder 1.2").split())
    assert "A share of 0.25 of its scores is of sentence vectors of titles, by some-encoder 1.2." in text
    assert "sentence vectors" not in card_of(evaluation)


def test_parameters_are_json(evaluation: Evaluation) -> None:
    found = re.search(r"^```json\n(.*?)^```$", card_of(evaluation), re.MULTILINE | re.DOTALL)
    assert found is not None
    parameters = json.loads(found[1])
    assert parameters["C"] == 0.5
    assert parameters["blocks"][0]["kind"] == "words"


def test_a_card_of_synthetic_listings_says_so(evaluation: Evaluation) -> None:
    card = card_of(evaluation, EMBEDDED)
    assert "\n\n> Trained and measured on **synthetic** listings. None of these figures" in card
    assert "Source: the embedded synthetic listings (20,000 of them, seed 0)." in card


def test_tables_hold_labels_that_would_break_them(evaluation: Evaluation) -> None:
    lines = card_of(evaluation).splitlines()
    header = lines.index("| type | listings | precision | recall | F1 |")
    assert lines[header - 1] == ""
    assert lines[header + 1] == "| --- | --- | --- | --- | --- |"
    most_frequent = sorted(evaluation.per_type, key=lambda scores: -scores.rows)
    labels = {"Pools <b>&": "Pools \\<b\\>\\&", "Sofas | beds": "Sofas \\| beds", "Puzzles": "Puzzles"}
    assert lines[header + 2 : header + 5] == [
        f"| {labels[type_.label]} | {type_.rows} | {type_.precision:.3f} | {type_.recall:.3f} | {type_.f1:.3f} |"
        for type_ in most_frequent
    ]
    assert lines[header + 5] == ""
    first = lines.index("| part | listings | weighted F1 |")
    assert lines[first + 2].startswith("| language \\<fr\\> | ")


@pytest.mark.parametrize(
    "label",
    ["[log in](http://evil)", "![x](http://evil/x.png)", "`code` *bold* _it_", "# heading", "&lt;script>", "a\\|b"],
)
def test_a_label_is_shown_as_it_is_and_is_no_markdown(label: str, evaluation: Evaluation) -> None:
    types = (evaluation.per_type[0].model_copy(update={"label": label}), *evaluation.per_type[1:])
    card = card_of(evaluation.model_copy(update={"per_type": types, "types_without_rows": (label,)}))
    escaped = re.sub(r"([\\`*_\[\]<>|&!#~])", r"\\\1", label)
    assert f"| {escaped} | " in card
    assert f"no figure is about them:\n{escaped}." in card
    assert label not in card.replace(escaped, "")
