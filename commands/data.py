"""`run.py data`: write the embedded listings as the challenge's files."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from commands.options import add_state
from state.files import write_atomically
from state.folder import State
from terminal.console import console
from terminal.errors import CommandError, reported


def add_options(parser: ArgumentParser) -> None:
    """Declare the options of `data`."""
    parser.add_argument("directory", type=Path, metavar="DIR", help="folder to write to")
    parser.add_argument("--size", type=int, default=20_000, metavar="N", help="number of listings (20,000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the generator (0)")
    parser.add_argument("--force", action="store_true", help="write over other listings in DIR")
    add_state(parser)


def data(_state: State, options: Namespace) -> int:
    """Write the two files and name them."""
    try:
        with reported(ValueError):
            paths = write_challenge_files(options.directory, options.size, options.seed, overwrite=options.force)
    except FileExistsError as error:
        raise CommandError(f"{error}; name an empty folder, or write over it with --force") from None
    except OSError as error:
        raise CommandError(f"{options.directory} cannot be written to: {error.strerror}") from error
    for path in paths:
        console().print(f"{path} ({options.size:,} synthetic listings)", soft_wrap=True)
    return 0


def write_challenge_files(
    directory: Path, size: int = 20_000, seed: int = 0, *, overwrite: bool = False
) -> tuple[Path, Path]:
    """Write the embedded listings as the challenge's two UTF-8 files, each atomically; return the paths of X and Y.

    Raises `FileExistsError` when a file of listings is there that is another one, unless `overwrite`; it also counts
    under the other names of the challenge, since the new files would be read instead of it. Raises `ValueError` for a
    size that cannot be generated, and `OSError` when the directory is not writable.
    """
    from catalog.source import CODE_FILES, LISTING_FILES
    from catalog.synthetic import generate

    frame = generate(size, seed).set_index("index").rename_axis(None)
    paths = directory / LISTING_FILES[0], directory / CODE_FILES[0]
    parts = frame[["designation", "description", "productid", "imageid"]], frame[["prdtypecode"]]
    contents = {path: part.to_csv(lineterminator="\n") for path, part in zip(paths, parts, strict=True)}
    names = [name + end for name in (*LISTING_FILES, *CODE_FILES) for end in ("", ".gz")]
    for found in filter(Path.exists, (directory / name for name in names)):
        if not overwrite and not (found in contents and found.read_bytes() == contents[found].encode()):
            raise FileExistsError(f"{found} is there already, and is not what would be written")
    directory.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        write_atomically(path, content)
    return paths
