"""The model and the code of a Bento as one file, for machines that do not have the Bento."""

import io
import shutil
import tempfile
import zipfile
from pathlib import Path

from scoring.job import JobError
from scoring.journal import sha256
from scoring.place import Place

NAME = "_bento.zip"
_PACKAGES = ("catalog", "model")  # of the Bento's source: what answers
_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(place: Place, code: Path) -> str:
    """Write the bundle of a Bento's source folder into a place, and return its SHA-256."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as bundle:
        for path in sorted(path for package in _PACKAGES for path in (code / package).rglob("*") if path.is_file()):
            if path.parent.name != "__pycache__":
                entry = zipfile.ZipInfo(path.relative_to(code).as_posix(), _EPOCH)
                bundle.writestr(entry, path.read_bytes())
    content = sink.getvalue()
    place.write(NAME, content)
    return sha256(content)


def unpack(place: Place, digest: str) -> Path:
    """Return a folder of this machine's user with the content of the bundle, which must be the one with this SHA-256.

    Raises `JobError`.
    """
    content = place.read(NAME)
    if content is None or sha256(content) != digest:
        raise JobError(f"{place.address}/{NAME} is not the model of this run: run the same command again")
    folder = Path(tempfile.mkdtemp(prefix="scoring-"))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            bundle.extractall(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder
