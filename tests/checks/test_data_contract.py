"""The data contract: every expectation fails on what it is there for, and on nothing else."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from catalog.listings import read_listings
from catalog.profile import Conflicts, FeedbackCounts, Profile
from catalog.split_key import KEY_VERSION
from catalog.taxonomy import Taxonomy
from checks.data_contract import check_contract
from checks.data_report import DataContractError, DataReport, require_contract

SHOP = Taxonomy(name="shop", labels={10: "Books", 40: "Games", 50: "Toys"})
Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def raw() -> pd.DataFrame:
    rows = range(300)
    return pd.DataFrame(
        {
            "index": [str(row) for row in rows],
            "designation": [f"titre numéro {row}" for row in rows],
            "description": pd.Series(["une description" if row % 3 else None for row in rows], dtype=object),
            "productid": [str(row) for row in rows],
            "imageid": [str(row) for row in rows],
            "prdtypecode": [str((10, 40, 50)[row % 3]) for row in rows],
        }
    )


def setting(column: str, rows: slice, value: object) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[rows], column] = value
        return frame

    return change


def violated(raw: pd.DataFrame, last_profile: Profile | None = None) -> set[str]:
    return set(check_contract(raw, SHOP, last_profile).violated)


def profile(missing_descriptions: float, frequencies: dict[int, float]) -> Profile:
    counts = dict.fromkeys(FeedbackCounts.model_fields, 0)
    return Profile(
        rows_read=300, rows=300, splits={"train": 240, "validation": 30, "test": 30}, empty_titles_dropped=0,
        titles_cut=0, duplicates_removed=0, conflicts=Conflicts(count=0, examples=()),
        feedback=FeedbackCounts(**counts), missing_description_share=missing_descriptions,
        class_frequencies=frequencies, languages={"fr": 1.0}, data_hash="0", split_key=KEY_VERSION,
    )  # fmt: skip


def test_sound_listings_pass(raw: pd.DataFrame) -> None:
    report = check_contract(raw, SHOP, None)
    assert (report.verdict, report.violated) == ("ok", [])
    require_contract(report)


CRITICAL: dict[str, tuple[Change, str, str]] = {
    "column": (lambda frame: frame.drop(columns="imageid"), "columns", "imageid missing"),
    "type of the index": (setting("index", slice(4, 5), "x7"), "whole_numbers_index", r"row 5 \(index x7\): 'x7'"),
    "type of the code": (
        setting("prdtypecode", slice(7, 8), "12.5"),
        "whole_numbers_prdtypecode",
        r"row 8 \(index 7\): '12\.5'",
    ),
    "unknown code": (setting("prdtypecode", slice(2, 3), "999"), "known_codes", r"row 3 \(index 2\): '999'"),
    "repeated index": (setting("index", slice(1, 2), "0"), "unique_index", r"row 1 \(index 0\): '0'; row 2"),
    "empty titles": (setting("designation", slice(0, 4), " "), "empty_titles", r"4 \(1\.3%\)"),
    "too few rows": (lambda frame: frame.head(199), "enough_listings", "found 199"),
    "one type": (setting("prdtypecode", slice(0, 300), "10"), "enough_types", "found 1"),
}


@pytest.mark.parametrize("fault", CRITICAL)
def test_a_critical_fault_stops_the_run_with_its_place(raw: pd.DataFrame, fault: str) -> None:
    change, name, message = CRITICAL[fault]
    report = check_contract(change(raw), SHOP, None)
    assert report.verdict == "failed"
    with pytest.raises(DataContractError, match=f"{name}: expected that .*{message}"):
        require_contract(report)


WARNINGS: dict[str, tuple[Change, str]] = {
    "an empty title": (setting("designation", slice(0, 2), ""), "no_empty_title"),
    "a title of a megabyte": (setting("designation", slice(0, 1), "x" * 1_000_000), "long_titles"),
    "mojibake": (setting("description", slice(0, 1), "tÃ©lÃ©phone"), "mojibake"),
    "a lost letter": (setting("designation", slice(0, 1), "t\ufffdl\ufffdphone"), "mojibake"),
    "a repeated listing": (
        lambda frame: pd.concat([frame, frame.head(1).assign(index="900")], ignore_index=True),
        "repeated_listings",
    ),
    "one text, two codes": (
        lambda frame: pd.concat([frame, frame.head(1).assign(index="900", prdtypecode="40")], ignore_index=True),
        "one_code_a_text",
    ),
    "a small type": (setting("prdtypecode", slice(0, 190), "10"), "small_types"),
}


@pytest.mark.parametrize("fault", WARNINGS)
def test_a_lesser_fault_is_reported_and_the_run_goes_on(raw: pd.DataFrame, fault: str) -> None:
    change, name = WARNINGS[fault]
    report = check_contract(change(raw), SHOP, None)
    assert name in report.violated
    assert report.verdict == "warning"
    require_contract(report)


@pytest.mark.parametrize(
    ("before", "name"),
    [
        (profile(0.2, {10: 1 / 3, 40: 1 / 3, 50: 1 / 3}), "missing_descriptions"),
        (profile(0.3, {10: 0.8, 40: 0.1, 50: 0.1}), "class_frequencies"),
    ],
)
def test_a_change_since_the_last_version_is_reported(raw: pd.DataFrame, before: Profile, name: str) -> None:
    assert violated(raw, before) == {name}
    assert violated(raw) == set()


def test_splits_by_another_key_are_noted(raw: pd.DataFrame) -> None:
    before = profile(0.3, {10: 1 / 3, 40: 1 / 3, 50: 1 / 3})
    assert check_contract(raw, SHOP, before).notes == ()
    (note,) = check_contract(raw, SHOP, before.model_copy(update={"split_key": 0})).notes
    assert "trained on splits by another key" in note
    assert "--new-baseline" in note


def test_a_finding_says_how_many_rows_violate_the_expectation(raw: pd.DataFrame) -> None:
    raw.loc[[3, 7], "prdtypecode"] = "999"
    observed = {finding.name: finding.observed for finding in check_contract(raw, SHOP, None).findings}
    assert observed["known_codes"] == "2 rows violate this"
    assert observed["unique_index"] == "no row violates this"


def test_a_type_without_a_listing_is_a_small_one(raw: pd.DataFrame) -> None:
    labels = SHOP.labels | {code: f"type {code}" for code in range(1_000, 1_030)}
    report = check_contract(raw, Taxonomy(name="shop", labels=labels), None)
    (found,) = (finding for finding in report.findings if finding.name == "small_types")
    assert not found.passed
    assert found.observed.startswith("type 1000 (0), type 1001 (0), ")
    assert found.observed.endswith("type 1019 (0), and 10 more")


def test_a_report_is_the_same_after_a_round_through_json(raw: pd.DataFrame) -> None:
    raw.loc[0, "prdtypecode"] = "999"
    report = check_contract(raw, SHOP, None)
    assert DataReport.model_validate_json(report.model_dump_json()) == report


def test_real_offers_pass_with_warnings(real_listings: Path) -> None:
    taxonomy = Taxonomy.read(real_listings / "taxonomy.csv")
    report = check_contract(read_listings(real_listings), taxonomy, None)
    assert report.verdict == "warning"
    assert set(report.violated) == {"repeated_listings", "one_code_a_text"}
    assert {finding.observed for finding in report.findings if not finding.passed} >= {"4,318"}
