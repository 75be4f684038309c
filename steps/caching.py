"""What the result of a cached step depends on besides its inputs and parameters: code and libraries.

Both follow from the imports of the step's module, also those within functions: our own modules transitively, and the
versions of all other packages that these import. Names that are imported for type checking only do not count.
"""

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

SOURCE_ROOT = Path(__file__).resolve().parents[1]
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "PyYAML"}  # packages that are not named after their distribution


@cache
def code_digest(module: str) -> str:
    """Return a SHA-256 that changes when a module of ours changes, what it imports, or a library version.

    `module` is a dotted name such as `steps.train`.
    """
    files, packages = dependencies(module)
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + (SOURCE_ROOT / name).read_bytes() + b"\0")
    for package in sorted(packages):
        digest.update(f"{package}=={version(_DISTRIBUTIONS.get(package, package))}\0".encode())
    return digest.hexdigest()


def dependencies(module: str) -> tuple[set[str], set[str]]:
    """Return our files (from the source root) that a module's result depends on, and the other packages it imports.

    Data files of our packages, such as templates, count if a file that counts names them.
    """
    files: set[str] = set()
    packages: set[str] = set()
    waiting = [module]
    while waiting:
        path = _file_of(waiting.pop())
        if (name := _name(path)) in files:
            continue
        files |= {name, *map(_name, _data_files_named_in(path))}
        for imported in _imports(path):
            if _is_ours(imported):
                waiting.append(imported)
            elif (package := imported.split(".")[0]) not in sys.stdlib_module_names:
                packages.add(package)
    return files, packages


def _is_ours(name: str) -> bool:
    return (SOURCE_ROOT / name.split(".")[0]).is_dir()


def _file_of(name: str) -> Path:
    path = SOURCE_ROOT.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _name(path: Path) -> str:
    return path.relative_to(SOURCE_ROOT).as_posix()


def _data_files_named_in(path: Path) -> set[Path]:
    """Return the data files of a module's package that it names, and those that these name in turn."""
    others = [other for other in path.parent.rglob("*") if other.is_file() and other.suffix not in (".py", ".pyc")]
    found: set[Path] = set()
    waiting = [path] if others else []
    while waiting:
        text = waiting.pop().read_text(encoding="utf-8", errors="replace")
        named = {other for other in others if other.name in text} - found
        found |= named
        waiting += named
    return found


def _imports(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports: modules where they are modules, else the modules they are from."""
    for module, name in _imported_names(path.read_text(encoding="utf-8")):
        yield module
        if name and _is_ours(f"{module}.{name}") and _file_of(f"{module}.{name}").is_file():
            yield f"{module}.{name}"


@cache
def _imported_names(source: str) -> list[tuple[str, str | None]]:
    """Return what a source imports: (module, None) for `import module`, (module, name) for a name from a module."""
    found: list[tuple[str, str | None]] = []
    for node in _executed(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
    return found


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes except those under `if TYPE_CHECKING:`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            for otherwise in child.orelse:
                yield from _executed(otherwise)
        else:
            yield from _executed(child)
