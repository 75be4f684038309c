"""Product types from a file, and how each fault of such a file is named."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from catalog.taxonomy import RAKUTEN, Taxonomy, TaxonomyError


def written(folder: Path, content: str | bytes, name: str = "My Shop.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_the_27_types_of_the_challenge_are_the_default() -> None:
    assert len(RAKUTEN.labels) == 27
    assert RAKUTEN.labels[2403] == "Books, magazines & collections"


def test_a_file_names_the_taxonomy_and_labels_may_hold_commas(tmp_path: Path) -> None:
    taxonomy = Taxonomy.read(written(tmp_path, 'label,code\n"Books, old",10\nToys,20\n'))
    assert taxonomy == Taxonomy(name="my-shop", labels={10: "Books, old", 20: "Toys"})


def test_zeros_before_a_code_do_not_count_and_labels_lose_what_is_not_seen(tmp_path: Path) -> None:
    content = f"code,label\n0101,Ca\u00adfe\u0301\u200b\n000,\ufb01lm  noir\n{2**63 - 1},C\n"
    assert Taxonomy.read(written(tmp_path, content)).labels == {101: "Café", 0: "film noir", 2**63 - 1: "C"}


def test_a_code_beyond_the_databases_is_refused_wherever_a_taxonomy_is_made() -> None:
    for code in (-1, 2**63):
        with pytest.raises(ValidationError):
            Taxonomy(name="shop", labels={code: "A", 2: "B"})


def test_a_file_called_taxonomy_is_named_after_its_folder(tmp_path: Path) -> None:
    (tmp_path / "Pets").mkdir()
    assert Taxonomy.read(written(tmp_path / "Pets", "code,label\n1,A\n2,B\n", "taxonomy.csv")).name == "pets"


@pytest.mark.parametrize(
    ("file", "name"),
    [("Café & Thé.csv", "cafe-the"), ("_pets_2.csv", "pets-2"), ("日本.csv", "catalogue")],
)
def test_any_file_name_gives_a_name_that_registries_accept(tmp_path: Path, file: str, name: str) -> None:
    assert Taxonomy.read(written(tmp_path, "code,label\n1,A\n2,B\n", file)).name == name


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfcode,label\r\n1,A\r\n2,B\r\n"
    assert Taxonomy.read(written(tmp_path, content)).labels == {1: "A", 2: "B"}
    compressed = Taxonomy.read(written(tmp_path, gzip.compress(content), "My Pets.csv.gz"))
    assert compressed == Taxonomy(name="my-pets", labels={1: "A", 2: "B"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("code;label\n1;A\n", r"line 1: the columns are separated by semicolons, expected commas"),
        ("code,name\n1,A\n", r"line 1: expected the columns code,label, each once, found code,name"),
        ("code,label,code\n1,A,1\n", r"line 1: expected the columns code,label, each once, found code,label,code"),
        ("", r"is empty, expected a header and rows"),
        ("code,label\n1,A\nx,B\n", r"row 2 \(line 3\): the code must be a whole number .*, found 'x'"),
        ("code,label\n1_0,A\n2,B\n", r"line 2\): the code must be a whole number .*, found '1_0'"),
        ("code,label\n,A\n2,B\n", r"line 2\): the code must be a whole number .*, found ''"),
        ("code,label\n-1,A\n2,B\n", r"a whole number from 0 to 9223372036854775807, found '-1'"),
        (f"code,label\n{2**63},A\n2,B\n", r"a whole number from 0 to 9223372036854775807, found '9223372036854775808'"),
        (f"code,label\n{'9' * 5_000},A\n2,B\n", r"found '9{40}'"),
        ("code,label\n0101,A\n101,B\n", r"line 3\): code 101 is there a second time"),
        ("code,label\n1,Books, old\n2,B\n", r"line 2\): 3 fields found, 2 expected .* must be in quotes"),
        ("code,label\n1,A,\n2,B\n", r"line 2\): 3 fields found, 2 expected .*; there is a comma at its end"),
        ("code,label\n1\n2,B\n", r"row 1 \(line 2\): 1 field found, 2 expected"),
        ("code,label\n1,A\n1,B\n", r"line 3\): code 1 is there a second time"),
        ("code,label\n1,A\n2,A\n", r"line 3\): label 'A' is there a second time"),
        ("code,label\n1,Café\n2,CAFE\u0301\u200b\n", r"line 3\): label 'CAFÉ' is there a second time"),
        ("code,label\n1,\u200b\n2,B\n", r"line 2\): the label is empty"),
        ("code,label\n1,A\x07\n2,B\n", r"line 2\): the label 'A\\x07' has a character that cannot be printed"),
        ("code,label\n1,A\n", r"at least two product types are needed, found 1"),
        ("code,label\n1,Caf\xe9\n".encode("latin-1"), r"line 2: byte 0xe9 is not UTF-8"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(TaxonomyError, match=message):
        Taxonomy.read(written(tmp_path, content))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match=r"gone\.csv: there is no such taxonomy file"):
        Taxonomy.read(tmp_path / "gone.csv")


def test_the_module_loads_nothing_heavy() -> None:
    block = "import sys; sys.modules.update(dict.fromkeys(['pandas', 'numpy', 'scipy', 'sklearn']))"
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", f"{block}; import catalog.taxonomy"], cwd=root, check=True)
