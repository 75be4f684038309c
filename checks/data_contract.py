"""The data contract as Great Expectations' expectations, and what their results mean for the run.

Great Expectations checks the table of listings. What concerns the table as a whole is checked in a second table, which
has one row of figures.
"""

import logging
import os
from dataclasses import dataclass
from typing import Any

import pandas as pd

from catalog.contract import CONTRACT
from catalog.profile import Profile
from catalog.split_key import KEY_VERSION, text_key
from catalog.taxonomy import Taxonomy
from catalog.text import is_blank
from checks.data_report import DataReport, Example, Finding, Severity

_EXAMPLES = 5
_TYPES_SHOWN = 20
_SHOWN = 80  # characters of an offending value
_MOJIBAKE = "Ã[\u0080-\u00bf]|â€|Â[\u00a0-\u00bf]|\ufffd"  # UTF-8 that was read as Latin-1, or lost


@dataclass(frozen=True)
class Check:
    """One expectation: its description for people, its severity, and the column that it is about."""

    name: str
    description: str
    severity: Severity
    column: str
    advice: str = ""


def check_contract(raw: pd.DataFrame, taxonomy: Taxonomy, last_profile: Profile | None) -> DataReport:
    """Check raw listings (all columns as text) against the contract.

    `last_profile` is the data profile of the version in production; without one, nothing is compared with it.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    findings = _validate(context, "listings", _with_helpers(raw), _row_checks(raw, taxonomy))
    findings += _check_figures(context, _figures(raw, taxonomy, last_profile))
    return DataReport(rows=len(raw), findings=tuple(findings), notes=_notes(last_profile))


def _notes(last_profile: Profile | None) -> tuple[str, ...]:
    if last_profile is None:
        return ("There is no profile of a version in production to compare with.",)
    if last_profile.split_key == KEY_VERSION:
        return ()
    return (
        "The version in production was trained on splits by another key of the texts. So it may know some of the test "
        "rows of this run, and the comparison may favour it. To start anew: python run.py --new-baseline.",
    )


def _row_checks(raw: pd.DataFrame, taxonomy: Taxonomy) -> list[tuple[Check, Any]]:
    """Return the checks of rows, each with Great Expectations' expectation, for the columns that are there."""
    import great_expectations.expectations as gxe

    present = [column for column in CONTRACT.columns if column in raw.columns]
    codes = [str(code) for code in taxonomy.labels]
    checks: list[tuple[Check, Any]] = []

    def expect(check: Check, expectation: type[Any], **arguments: Any) -> None:
        checks.append((check, expectation(severity=check.severity, meta={"name": check.name}, **arguments)))

    expect(
        Check("columns", f"the columns {', '.join(CONTRACT.columns)} are there", "critical", "", "see run.py data"),
        gxe.ExpectTableColumnsToMatchSet, column_set=list(CONTRACT.columns), exact_match=False,
    )  # fmt: skip
    for column in present:
        if column in CONTRACT.whole_numbers or column in ("productid", "imageid"):
            severity: Severity = "critical" if column in CONTRACT.whole_numbers else "warning"
            expect(
                Check(f"whole_numbers_{column}", f"{column} is a whole number", severity, column),
                gxe.ExpectColumnValuesToMatchRegex, column=column, regex=r"^-?[0-9]+$",
            )  # fmt: skip
    if "index" in present:
        expect(
            Check("unique_index", "every index occurs once", "critical", "index"),
            gxe.ExpectColumnValuesToBeUnique, column="index",
        )  # fmt: skip
    if "prdtypecode" in present:
        advice = "correct the code, or name a taxonomy that has it with --taxonomy FILE"
        expect(
            Check("known_codes", f"prdtypecode is one of the {len(codes)} types", "critical", "prdtypecode", advice),
            gxe.ExpectColumnValuesToBeInSet, column="prdtypecode", value_set=codes,
        )  # fmt: skip
    if "designation" in present:
        expect(
            Check("mojibake", "texts have no wrongly decoded letters", "warning", "text"),
            gxe.ExpectColumnValuesToNotMatchRegex, column="text", regex=_MOJIBAKE,
        )  # fmt: skip
        expect(
            Check("long_titles", f"titles have at most {CONTRACT.title_limit:,} characters (longer ones are cut)",
                  "warning", "designation"),
            gxe.ExpectColumnValueLengthsToBeBetween, column="designation", max_value=CONTRACT.title_limit,
        )  # fmt: skip
    if "designation" in present and "prdtypecode" in present:
        expect(
            Check("one_code_a_text", "the same text has one code", "warning", "codes_of_text"),
            gxe.ExpectColumnValuesToBeBetween, column="codes_of_text", max_value=1,
        )  # fmt: skip
    return checks


@dataclass(frozen=True)
class _Figure:
    """A number about the table as a whole, and the bounds that it must keep."""

    name: str
    description: str
    severity: Severity
    value: float
    seen: str
    least: float | None = None
    most: float | None = None
    advice: str = ""


def _check_figures(context: Any, figures: list[_Figure]) -> list[Finding]:
    import great_expectations.expectations as gxe

    checks: list[tuple[Check, Any]] = []
    for figure in figures:
        check = Check(figure.name, figure.description, figure.severity, figure.name, figure.advice)
        expectation = gxe.ExpectColumnValuesToBeBetween(
            column=figure.name, min_value=figure.least, max_value=figure.most, severity=figure.severity,
            meta={"name": figure.name},
        )  # fmt: skip
        checks.append((check, expectation))
    values = pd.DataFrame({figure.name: [float(figure.value)] for figure in figures})
    seen = {figure.name: figure.seen for figure in figures}
    found = _validate(context, "figures", values, checks)
    return [finding.model_copy(update={"observed": seen[finding.name], "examples": ()}) for finding in found]


def _figures(raw: pd.DataFrame, taxonomy: Taxonomy, last_profile: Profile | None) -> list[_Figure]:
    figures = [
        _Figure("enough_listings", f"there are at least {CONTRACT.minimum_listings} listings", "critical",
                len(raw), f"{len(raw):,}", least=CONTRACT.minimum_listings),
    ]  # fmt: skip
    if "prdtypecode" in raw:
        figures += _type_figures(raw["prdtypecode"], taxonomy, last_profile)
    if "designation" in raw:
        figures += _title_figures(raw)
    if "description" in raw:
        missing = float(raw["description"].map(is_blank).mean())
        most = last_profile.missing_description_share + CONTRACT.missing_description_rise if last_profile else 1.0
        limit = "about as rarely as in the last version" if last_profile else "in any share of the listings"
        figures.append(
            _Figure("missing_descriptions", f"descriptions are missing {limit} (at most {most:.0%})", "warning",
                    missing, f"{missing:.1%}", most=most)
        )  # fmt: skip
    return figures


def _type_figures(codes: "pd.Series[str]", taxonomy: Taxonomy, last_profile: Profile | None) -> list[_Figure]:
    counts = codes.value_counts()
    large = int((counts >= CONTRACT.minimum_type_listings).sum())
    names = {str(code): label for code, label in taxonomy.labels.items()}
    of_each = dict.fromkeys(names, 0) | {str(code): int(count) for code, count in counts.items()}
    few = sorted((count, code) for code, count in of_each.items() if count < CONTRACT.small_type_listings)
    told = [f"{names.get(code, code)} ({count})" for count, code in few[:_TYPES_SHOWN]]
    if len(few) > len(told):
        told.append(f"and {len(few) - len(told):,} more")
    figures = [
        _Figure("enough_types", f"at least {CONTRACT.minimum_types} types have {CONTRACT.minimum_type_listings} "
                "listings each", "critical", large, f"{large}", least=CONTRACT.minimum_types),
        _Figure("small_types", f"every type of the taxonomy has at least {CONTRACT.small_type_listings} listings",
                "warning", len(few), ", ".join(told) or "all have", most=0),
    ]  # fmt: skip
    if last_profile:
        before = {str(code): share for code, share in last_profile.class_frequencies.items()}
        now = {str(code): count / len(codes) for code, count in counts.items()}
        moved = sum(abs(now.get(code, 0) - before.get(code, 0)) for code in {*now, *before}) / 2
        figures.append(
            _Figure("class_frequencies", "the types are about as frequent as in the last version", "warning", moved,
                    f"{moved:.1%} of the listings moved", most=CONTRACT.class_shift)
        )  # fmt: skip
    return figures


def _title_figures(raw: pd.DataFrame) -> list[_Figure]:
    empty = int(raw["designation"].map(is_blank).sum())
    share = empty / max(len(raw), 1)
    repeated = int(raw.duplicated(["designation", "description"]).sum())
    return [
        _Figure("empty_titles", f"at most {CONTRACT.empty_title_share:.0%} of the titles are empty", "critical",
                share, f"{empty:,} ({share:.1%})", most=CONTRACT.empty_title_share),
        _Figure("no_empty_title", "no title is empty (empty ones are dropped)", "warning", empty, f"{empty:,}", most=0),
        _Figure("repeated_listings", "no listing is repeated (of repeated ones one is kept)", "warning", repeated,
                f"{repeated:,}", most=0),
    ]  # fmt: skip


def _with_helpers(raw: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that some expectations look at: all text of a row, and how many codes its text has."""
    table = raw.copy()
    if "designation" in table:
        descriptions = table["description"].fillna("") if "description" in table else ""
        table["text"] = table["designation"].fillna("") + " " + descriptions
        if "prdtypecode" in table:
            keys = [text_key(text, None) for text in table["text"]]
            table["codes_of_text"] = table.groupby(keys)["prdtypecode"].transform("nunique")
    return table


def _validate(context: Any, name: str, table: pd.DataFrame, checks: list[tuple[Check, Any]]) -> list[Finding]:
    import great_expectations as gx

    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=[expectation for _, expectation in checks]))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
    outcome = definition.run(
        batch_parameters={"dataframe": table},
        result_format={"result_format": "COMPLETE", "include_unexpected_rows": False},
    )
    by_name = {result.expectation_config.meta["name"]: result for result in outcome.results}
    return [_finding(check, by_name[check.name], table) for check, _ in checks]


def _finding(check: Check, result: Any, table: pd.DataFrame) -> Finding:
    details = result.result or {}
    if not result.success and not details:  # Great Expectations itself could not evaluate it
        raise RuntimeError(f"the expectation {check.name} could not be evaluated: {result.exception_info}")
    if not check.column:
        missing = details.get("details", {}).get("mismatched", {}).get("missing", [])
        observed = f"{', '.join(missing)} missing" if missing else "all there"
        return _outcome_of(check, result.success, observed)
    count = details.get("unexpected_count", 0)
    observed = (
        "no row violates this" if not count else f"{count:,} row{'s' * (count != 1)} violate{'s' * (count == 1)} this"
    )
    examples = []
    for place in (details.get("unexpected_index_list") or [])[:_EXAMPLES]:
        row = table.loc[place]
        value = row["designation"] if check.column in ("text", "codes_of_text") else row.get(check.column)
        number = table.index.tolist().index(place) + 1
        examples.append(Example(row=number, index=str(row.get("index", place)), value=str(value)[:_SHOWN]))
    return _outcome_of(check, result.success, observed, tuple(examples))


def _outcome_of(check: Check, passed: bool, observed: str, examples: tuple[Example, ...] = ()) -> Finding:
    return Finding(
        name=check.name, description=check.description, severity=check.severity, passed=passed, observed=observed,
        examples=examples, advice=check.advice,
    )  # fmt: skip
