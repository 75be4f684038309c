"""The model card of a trained classifier."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

from catalog.evaluation import Evaluation
from catalog.profile import Profile
from catalog.source import ListingSource
from reports.rendering import percent, render

if TYPE_CHECKING:
    from tracking.training_run import Trained


def model_card(
    evaluation: Evaluation,
    trained: "Trained",
    profile: Profile,
    source: ListingSource,
    model_name: str,
    created_at: datetime,
) -> str:
    """Return a model card in Markdown (M. Mitchell et al., "Model Cards for Model Reporting", 2019)."""
    languages = sorted(profile.languages.items(), key=lambda entry: -entry[1])
    most_frequent_first = sorted(evaluation.per_type, key=lambda scores: -scores.rows)
    return render(
        "model_card.md.j2",
        model_name=model_name,
        source=source,
        profile=profile,
        languages=", ".join(f"{name} {percent(share)}" for name, share in languages),
        trained=trained,
        temperature=f"{trained.temperature:.3g}",
        parameters=json.dumps(trained.parameters.model_dump(mode="json"), indent=2),
        evaluation=evaluation,
        slices=[(part.name, part.rows, part.weighted_f1) for part in evaluation.slices],
        types=[
            (scores.label, scores.rows, scores.precision, scores.recall, scores.f1) for scores in most_frequent_first
        ],
        created_at=created_at.isoformat(timespec="seconds"),
    )
