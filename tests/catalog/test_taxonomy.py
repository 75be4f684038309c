"""Product types from a file, and how each fault of such a file is named."""

import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("code;label\n1;A\n", r"line 1: expected the columns code,label, found code;label"),
        ("", r"line 1: expected the columns code,label, found nothing"),
        ("code,label\n1,A\nx,B\n", r"line 3: the code must be a whole number, found 'x'"),
        ("code,label\n1_0,A\n2,B\n", r"line 2: the code must be a whole number, found '1_0'"),
        ("code,label\n,A\n2,B\n", r"line 2: the code must be a whole number, found ''"),
        ("code,label\n1,Books, old\n2,B\n", r"line 2: there are more values than columns; .* must be in quotes"),
        ("code,label\n1\n2,B\n", r"line 2: the label is empty"),
        ("code,label\n1,A\n1,B\n", r"line 3: code 1 is there a second time"),
        ("code,label\n1,A\n2,A\n", r"line 3: label 'A' is there a second time"),
        ("code,label\n1,\n2,B\n", r"line 2: the label is empty"),
        ("code,label\n1,A\n", r"at least two product types are needed, found 1"),
        ("code,label\n1,Caf\xe9\n".encode("latin-1"), r"is not UTF-8 \(byte 16 is 0xe9\)"),
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
