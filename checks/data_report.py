"""The report of a data check: its findings, and the error that stops a run."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field

Severity = Literal["critical", "warning"]


class DataContractError(ValueError):
    """The listings break the data contract so badly that the run must stop."""


class Example(BaseModel):
    """A value that violates an expectation, with its row (from 1) and its index."""

    model_config = ConfigDict(frozen=True)

    row: int
    index: str
    value: str


class Finding(BaseModel):
    """The outcome of one check, with some examples of what violates it."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    severity: Severity
    passed: bool
    observed: str
    examples: tuple[Example, ...] = ()
    advice: str = ""


class DataReport(BaseModel):
    """All findings of a check."""

    model_config = ConfigDict(frozen=True)

    rows: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def verdict(self) -> Literal["ok", "warning", "failed"]:
        """The most severe of the findings."""
        failed = {finding.severity for finding in self.findings if not finding.passed}
        return "failed" if "critical" in failed else "warning" if failed else "ok"

    @property
    def violated(self) -> list[str]:
        """The names of the expectations that are violated."""
        return [finding.name for finding in self.findings if not finding.passed]


def require_contract(report: DataReport) -> None:
    """Raise `DataContractError` naming every critical expectation that is violated, with rows and values."""
    lines = []
    for finding in report.findings:
        if finding.severity == "critical" and not finding.passed:
            where = "; ".join(f"row {found.row} (index {found.index}): {found.value!r}" for found in finding.examples)
            line = f"{finding.name}: expected that {finding.description}; found {finding.observed}"
            lines.append("; ".join(part for part in (line, where, finding.advice) if part))
    if lines:
        raise DataContractError("the listings break the data contract\n  " + "\n  ".join(lines))
