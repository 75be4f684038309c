"""The product types: codes and labels, the 27 of the challenge or any others from a file."""

import csv
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from catalog.text import normalise

_COLUMNS = ("code", "label")
_CODE = re.compile(r"-?[0-9]+")  # stricter than int(), which also takes 1_0 and digits of other scripts
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


class TaxonomyError(ValueError):
    """A taxonomy file is missing or not valid."""


class Taxonomy(BaseModel):
    """A named set of product types: the label of each code.

    The name (`[a-z0-9][a-z0-9-]*`) is also the name of the registered model and of the Bento.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    labels: dict[int, str]

    def label_of(self, code: int) -> str:
        """Return the label of a code, or the code itself as text when the taxonomy does not have it."""
        return self.labels.get(code, str(code))

    @property
    def digest(self) -> str:
        """A SHA-256 of codes and labels; it does not depend on the name."""
        lines = (f"{code}={label}" for code, label in sorted(self.labels.items()))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a UTF-8 csv file with the columns `code` and `label`; the file or its folder gives the name.

        Raises `TaxonomyError` that names the file, the line and what was expected.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                labels = _labels(file, path)
        except FileNotFoundError:
            raise TaxonomyError(f"{path}: there is no such taxonomy file") from None
        except UnicodeDecodeError as error:
            raise TaxonomyError(
                f"{path} is not UTF-8 (byte {error.start} is {error.object[error.start]:#04x})"
            ) from None
        except (OSError, csv.Error) as error:
            raise TaxonomyError(f"{path} cannot be read as csv: {error}") from error
        if len(labels) < 2:
            raise TaxonomyError(f"{path}: at least two product types are needed, found {len(labels)}")
        return cls(name=_name_from(path), labels=labels)


def _labels(lines: Iterable[str], path: Path) -> dict[int, str]:
    """Return the label of each code. Raises `TaxonomyError` for a fault of the header or of a row."""
    reader = csv.DictReader(lines, strict=True)
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        found = ", ".join(reader.fieldnames or ()) or "nothing"
        raise TaxonomyError(f"{path}, line 1: expected the columns {','.join(_COLUMNS)}, found {found}")
    labels: dict[int, str] = {}
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        code, label = _entry(row, where)
        if code in labels or label in labels.values():
            twice = f"code {code}" if code in labels else f"label {label!r}"
            raise TaxonomyError(f"{where}: {twice} is there a second time")
        labels[code] = label
    return labels


def _entry(row: Mapping[str | Any, str | Any], where: str) -> tuple[int, str]:
    if None in row:  # where csv puts what is beyond the header's columns; the label would be cut at its comma
        raise TaxonomyError(f"{where}: there are more values than columns; a label with a comma must be in quotes")
    code, label = ((row[column] or "").strip() for column in _COLUMNS)
    if not label:
        raise TaxonomyError(f"{where}: the label is empty")
    if not _CODE.fullmatch(code):
        raise TaxonomyError(f"{where}: the code must be a whole number, found {code!r}")
    return int(code), label


def _name_from(path: Path) -> str:
    """Return the file's name, or its folder's where the file is called taxonomy, in the letters a name may have."""
    named_after = path.resolve().parent.name if path.stem == "taxonomy" else path.stem
    return _NOT_IN_A_NAME.sub("-", normalise(named_after)).strip("-") or "catalogue"


RAKUTEN = Taxonomy(
    name="rakuten",
    labels={
        10: "Used Books",
        40: "Used video games",
        50: "Console games accessories",
        60: "New console games",
        1140: "Action figurines",
        1160: "Trading card games",
        1180: "Role-playing games",
        1280: "Childrens toys",
        1281: "Board games",
        1300: "Miniature car toys",
        1301: "Indoor games",
        1302: "Outdoor play",
        1320: "Baby care",
        1560: "Furniture",
        1920: "Home accessories",
        1940: "Food",
        2060: "Crafts & souvenirs",
        2220: "Pet accessories",
        2280: "Magazines & Comics",
        2403: "Books, magazines & collections",
        2462: "Used video games & accessories",
        2522: "Office Supplies",
        2582: "Gardening Furniture",
        2583: "Pool & accessories",
        2585: "Gardening tools",
        2705: "New books",
        2905: "Computer games",
    },
)
