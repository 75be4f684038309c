"""What steps hand on is typed as a whole: pydantic models and tables, never dictionaries of anything."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pandas as pd
import pytest
from pydantic import BaseModel
from zenml.steps import BaseStep
from zenml.types import HTMLString, MarkdownString

from catalog.candidates import Candidate
from commands.erasure import COPIES
from steps.materializers import PackagedBento

MODULES = sorted(path.stem for path in (Path(__file__).parents[2] / "steps").glob("[!_]*.py"))
WHOLE = (BaseModel, pd.DataFrame, HTMLString, MarkdownString, PackagedBento)
PARAMETERS = (str, int, float, bool, NoneType)
STEPS = {
    name: value
    for module in MODULES
    for name, value in vars(importlib.import_module(f"steps.{module}")).items()
    if isinstance(value, BaseStep)
}


def types_in(annotation: Any) -> Iterator[Any]:
    """The types that an annotation consists of, without `Annotated`, tuples and unions."""
    if get_origin(annotation) is Annotated:
        yield from types_in(get_args(annotation)[0])
    elif get_origin(annotation) in (tuple, Union, UnionType):
        for argument in get_args(annotation):
            yield from types_in(argument)
    elif get_origin(annotation) is Literal:
        yield from map(type, get_args(annotation))
    else:
        yield annotation


def test_all_steps_are_found() -> None:
    assert len(STEPS) == 18


@pytest.mark.parametrize("name", STEPS)
def test_a_step_takes_and_returns_whole_types(name: str) -> None:
    hints = get_type_hints(STEPS[name].entrypoint, include_extras=True)
    returned = hints.pop("return")
    assert all(kind is NoneType or issubclass(kind, WHOLE) for kind in types_in(returned)), returned
    for hint in hints.values():
        for kind in types_in(hint):
            assert kind == dict[str, Candidate] or issubclass(kind, (*WHOLE, *PARAMETERS)), hint


def test_each_table_that_may_hold_feedback_is_searched_for_erased_listings() -> None:
    without_feedback = {"raw_listings", "label_suspects"}
    tables = {
        artifact.name
        for step in STEPS.values()
        for output in get_args(get_type_hints(step.entrypoint, include_extras=True)["return"])
        if get_origin(output) is Annotated and get_args(output)[0] is pd.DataFrame
        for artifact in get_args(output)[1:]
    }
    assert {"listings", "listings_to_train", "reference_window"} <= tables
    assert tables - without_feedback <= set(COPIES)
