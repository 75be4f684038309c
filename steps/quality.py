"""The data contract as Great Expectations' expectations, and what their results mean for the run.

Great Expectations checks the table of rows and, for what concerns it as a whole, a second table that has one row of
figures. Its own pages load scripts from elsewhere, so the report here is one page of our own.
"""

import html
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from catalog.contract import CONTRACT
from catalog.listings import text_key

Severity = Literal["critical", "warning"]
_EXAMPLES = 5
_SHOWN = 80  # characters of an offending value
_MOJIBAKE = "Ã[\u0080-\u00bf]|â€|Â[\u00a0-\u00bf]|\ufffd"  # UTF-8 that was read as Latin-1, or lost


class DataContractError(ValueError):
    """The listings break the contract in a way that training must not go on with."""


@dataclass(frozen=True)
class Check:
    """One expectation: what it says to people, how bad a failure is, and where it looks."""

    name: str
    says: str
    severity: Severity
    column: str
    advice: str = ""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check; `examples` are (row from 1, index, value)."""

    name: str
    says: str
    severity: Severity
    passed: bool
    observed: str
    examples: list[tuple[int, str, str]]
    advice: str = ""


@dataclass(frozen=True)
class DataReport:
    """All outcomes of a check; the verdict is `ok`, `warning` or `failed`."""

    rows: int
    findings: list[Finding]
    notes: list[str]

    @property
    def verdict(self) -> str:
        """The worst of the outcomes."""
        failed = {finding.severity for finding in self.findings if not finding.passed}
        return "failed" if "critical" in failed else "warning" if failed else "ok"

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-able values."""
        return {**asdict(self), "verdict": self.verdict}

    def to_html(self) -> str:
        """Return the report as one page that loads nothing."""
        rows = "".join(_html_row(finding) for finding in sorted(self.findings, key=_gravity))
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f"{_STYLE}<h2>Data contract: {self.verdict}</h2>"
            f"<p>{self.rows:,} listings, {len(self.findings)} expectations.</p>"
            "<table><tr><th></th><th>Expectation</th><th>Found</th><th>Examples: row, index, value</th></tr>"
            f"{rows}</table><ul>{notes}</ul>"
        )


def check_listings(raw: pd.DataFrame, labels: Mapping[int, str], last_profile: Mapping[str, Any] | None) -> DataReport:
    """Hold raw listings (columns as text) against the contract.

    `last_profile` is the data profile of the version in production; without one, nothing is compared with it.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx
    import great_expectations.expectations as gxe

    present = [column for column in CONTRACT.columns if column in raw.columns]
    codes = [str(code) for code in labels]
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
                gxe.ExpectColumnValuesToMatchRegex, column=column, regex=r"^-?\d+$",
            )  # fmt: skip
    if "index" in present:
        expect(
            Check("unique_index", "every index is there once", "critical", "index"),
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
            Check("mojibake", "texts are free of wrongly decoded letters", "warning", "text"),
            gxe.ExpectColumnValuesToNotMatchRegex, column="text", regex=_MOJIBAKE,
        )  # fmt: skip
        expect(
            Check("long_titles", f"titles have at most {CONTRACT.title_limit:,} characters (longer: cut)", "warning",
                  "designation"),
            gxe.ExpectColumnValueLengthsToBeBetween, column="designation", max_value=CONTRACT.title_limit,
        )  # fmt: skip
    if "designation" in present and "prdtypecode" in present:
        expect(
            Check("one_code_a_text", "the same text has one code", "warning", "codes_of_text"),
            gxe.ExpectColumnValuesToBeBetween, column="codes_of_text", max_value=1,
        )  # fmt: skip

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    findings = _validate(context, "listings", _with_helpers(raw), checks)
    figures = _figures(raw, labels, last_profile)
    figure_checks: list[tuple[Check, Any]] = []
    for figure in figures:
        check = Check(figure.name, figure.says, figure.severity, figure.name, figure.advice)
        expectation = gxe.ExpectColumnValuesToBeBetween(
            column=figure.name, min_value=figure.least, max_value=figure.most, severity=figure.severity,
            meta={"name": figure.name},
        )  # fmt: skip
        figure_checks.append((check, expectation))
    values = pd.DataFrame({figure.name: [float(figure.value)] for figure in figures})
    seen = {figure.name: figure.seen for figure in figures}
    findings += [
        Finding(found.name, found.says, found.severity, found.passed, seen[found.name], [], found.advice)
        for found in _validate(context, "figures", values, figure_checks)
    ]
    notes = [] if last_profile else ["No version is in production yet, so nothing is compared with its data."]
    return DataReport(len(raw), findings, notes)


def gate(report: Mapping[str, Any]) -> None:
    """Raise `DataContractError` naming every critical expectation that failed, with rows and values."""
    failed = [found for found in report["findings"] if found["severity"] == "critical" and not found["passed"]]
    if not failed:
        return
    lines = []
    for found in failed:
        where = "; ".join(f"row {row} (index {index}): {value!r}" for row, index, value in found["examples"])
        line = f"{found['name']}: expected that {found['says']}; found {found['observed']}"
        lines.append("; ".join(part for part in (line, where, found["advice"]) if part))
    raise DataContractError("the listings break the data contract\n  " + "\n  ".join(lines))


@dataclass(frozen=True)
class _Figure:
    """A number about the table as a whole and the bounds that it must keep."""

    name: str
    says: str
    severity: Severity
    value: float
    seen: str
    least: float | None = None
    most: float | None = None
    advice: str = ""


def _figures(raw: pd.DataFrame, labels: Mapping[int, str], last_profile: Mapping[str, Any] | None) -> list[_Figure]:
    rows = max(len(raw), 1)
    figures = [
        _Figure("enough_listings", f"there are at least {CONTRACT.minimum_listings} listings", "critical",
                len(raw), f"{len(raw):,}", least=CONTRACT.minimum_listings),
    ]  # fmt: skip
    if "prdtypecode" in raw:
        counts = raw["prdtypecode"].value_counts()
        large = int((counts >= CONTRACT.minimum_type_listings).sum())
        names = {str(code): label for code, label in labels.items()}
        few = [
            f"{names.get(str(code), code)} ({count})"
            for code, count in counts.items()
            if count < CONTRACT.small_type_listings
        ]
        figures += [
            _Figure("enough_types", f"at least {CONTRACT.minimum_types} types have {CONTRACT.minimum_type_listings} "
                    "listings each", "critical", large, f"{large}", least=CONTRACT.minimum_types),
            _Figure("small_types", f"every type has {CONTRACT.small_type_listings} listings", "warning", len(few),
                    ", ".join(few) or "all do", most=0),
        ]  # fmt: skip
        if last_profile:
            before: Mapping[str, float] = last_profile["class_frequencies"]
            now = {str(code): count / rows for code, count in counts.items()}
            moved = sum(abs(now.get(code, 0) - before.get(code, 0)) for code in {*now, *before}) / 2
            figures.append(
                _Figure("class_frequencies", "the types are about as frequent as in the last version", "warning", moved,
                        f"{moved:.1%} of the listings moved", most=CONTRACT.class_shift)
            )  # fmt: skip
    if "designation" in raw:
        empty = int((raw["designation"].fillna("").str.strip() == "").sum())
        says = f"at most {CONTRACT.empty_title_share:.0%} of the titles are empty"
        figures += [
            _Figure("empty_titles", says, "critical", empty / rows, f"{empty:,} ({empty / rows:.1%})",
                    most=CONTRACT.empty_title_share),
            _Figure("no_empty_title", "no title is empty (empty: dropped)", "warning", empty, f"{empty:,}", most=0),
            _Figure("repeated_listings", "no listing is repeated (repeated: one is kept)", "warning",
                    repeated := int(raw.duplicated(["designation", "description"]).sum()), f"{repeated:,}", most=0),
        ]  # fmt: skip
    if "description" in raw:
        missing = float((raw["description"].fillna("").str.strip() == "").mean())
        most = last_profile["missing_description_share"] + CONTRACT.missing_description_rise if last_profile else 1.0
        says = "descriptions are missing hardly more often than in the last version" if last_profile else "any share"
        figures.append(
            _Figure(
                "missing_descriptions", f"{says} (at most {most:.0%})", "warning", missing, f"{missing:.1%}", most=most
            )
        )
    return figures


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
    if not result.success and not details:  # not a finding: Great Expectations itself could not evaluate it
        raise RuntimeError(f"the expectation {check.name} could not be evaluated: {result.exception_info}")
    if not check.column:
        missing = details.get("details", {}).get("mismatched", {}).get("missing", [])
        return Finding(check.name, check.says, check.severity, result.success, _missing(missing), [], check.advice)
    places = details.get("unexpected_index_list") or []
    count = details.get("unexpected_count", 0)
    examples = []
    for place in places[:_EXAMPLES]:
        row = table.loc[place]
        shown = row["designation"] if check.column in ("text", "codes_of_text") else row.get(check.column)
        examples.append((table.index.tolist().index(place) + 1, str(row.get("index", place)), str(shown)[:_SHOWN]))
    return Finding(
        check.name, check.says, check.severity, result.success, f"{count:,} that do not", examples, check.advice
    )


def _missing(columns: list[str]) -> str:
    return f"{', '.join(columns)} missing" if columns else "all there"


def _gravity(finding: Finding) -> int:
    return 2 if finding.passed else 0 if finding.severity == "critical" else 1


def _html_row(finding: Finding) -> str:
    mark = "✓" if finding.passed else "✗ stops the run" if finding.severity == "critical" else "! warning"
    examples = "<br>".join(html.escape(f"{row}, {index}, {value}") for row, index, value in finding.examples)
    cells = (mark, html.escape(finding.says), html.escape(finding.observed), examples)
    kind = "ok" if finding.passed else finding.severity
    return f'<tr class="{kind}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


_STYLE = (
    '<meta charset="utf-8"><style>body{font:14px sans-serif;margin:1.5em}table{border-collapse:collapse}'
    "td,th{padding:.35em .8em;text-align:left;vertical-align:top;border-bottom:1px solid #8884}"
    ".critical td:first-child{color:#c62828;font-weight:bold}.warning td:first-child{color:#b26a00;font-weight:bold}"
    ".ok td:first-child{color:#2e7d32}</style>"
)
