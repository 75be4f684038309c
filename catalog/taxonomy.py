"""The product types: codes and labels, the 27 of the challenge or any others from a file."""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from catalog.csv_table import CsvTable, CsvTableError, read_csv_table
from catalog.text import label_key, normalise, visible

_COLUMNS = ("code", "label")
_CODE = re.compile(r"0*([0-9]{1,19})")  # stricter than int(), which also takes 1_0 and digits of other scripts
LARGEST_CODE = 2**63 - 1  # what the columns of the databases and arrays hold
Code = Annotated[int, Field(ge=0, le=LARGEST_CODE)]
_SHOWN = 40  # characters of a value that is not a code
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


class TaxonomyError(ValueError):
    """A taxonomy file is missing or not valid."""


def read_code(text: str) -> int | None:
    """Return the code that a file writes, or None if the text is not one: a whole number from 0 to `LARGEST_CODE`.

    Zeros before it do not count: taxonomies and listings that write `0101` and `101` mean the same type.
    """
    found = _CODE.fullmatch(text.strip())
    code = int(found[1]) if found else None
    return code if code is not None and code <= LARGEST_CODE else None


class Taxonomy(BaseModel):
    """A named set of product types: the label of each code.

    The name (`[a-z0-9][a-z0-9-]*`) is also the name of the registered model and of the Bento.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    labels: dict[Code, str]

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

        Codes are whole numbers from 0 to `LARGEST_CODE`; labels lose what is not seen (see `catalog.text.visible`).
        Raises `TaxonomyError` that names the file, the row and what was expected.
        """
        try:
            labels = _labels(read_csv_table(path), path)
        except FileNotFoundError:
            raise TaxonomyError(f"{path}: there is no such taxonomy file") from None
        except CsvTableError as error:
            raise TaxonomyError(str(error)) from None
        if len(labels) < 2:
            raise TaxonomyError(f"{path}: at least two product types are needed, found {len(labels)}")
        return cls(name=_name_from(path), labels=labels)


def _labels(table: CsvTable, path: Path) -> dict[int, str]:
    """Return the label of each code. Raises `TaxonomyError` for a fault of the header or of a row."""
    if any(table.columns.count(column) != 1 for column in _COLUMNS):
        found = ",".join(table.columns)
        raise TaxonomyError(f"{path}, line 1: expected the columns {','.join(_COLUMNS)}, each once, found {found}")
    place_of_code, place_of_label = (table.columns.index(column) for column in _COLUMNS)
    labels: dict[int, str] = {}
    keys: set[str] = set()
    for row in table.rows:
        where = f"{path}, row {row.number} (line {row.line})"
        code, label = _entry(row.fields[place_of_code], row.fields[place_of_label], where)
        if code in labels or label_key(label) in keys:
            twice = f"code {code}" if code in labels else f"label {label!r}"
            raise TaxonomyError(f"{where}: {twice} is there a second time")
        labels[code] = label
        keys.add(label_key(label))
    return labels


def _entry(written: str, text: str, where: str) -> tuple[int, str]:
    """Return the code and the label of a row, the label as it looks. Raises `TaxonomyError`."""
    label = " ".join(visible(text).split())
    if not label:
        raise TaxonomyError(f"{where}: the label is empty")
    if not label.isprintable():
        raise TaxonomyError(f"{where}: the label {label!r} has a character that cannot be printed")
    code = read_code(written)
    if code is None:
        raise TaxonomyError(
            f"{where}: the code must be a whole number from 0 to {LARGEST_CODE}, found {written[:_SHOWN]!r}"
        )
    return code, label


def _name_from(path: Path) -> str:
    """Return the file's name, or its folder's where the file is called taxonomy, in the letters a name may have."""
    stem = (path.with_suffix("") if path.suffix == ".gz" else path).stem
    named_after = path.resolve().parent.name if stem == "taxonomy" else stem
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
# The same types under a name of its own: a model of the embedded listings is never compared with one of real listings.
EMBEDDED = RAKUTEN.model_copy(update={"name": "rakuten-embedded"})
