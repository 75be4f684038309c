"""The rows of a shard of Parquet. Only the columns that are needed are read, and a few rows at a time."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from scoring.catalogue import open_binary
from scoring.columns import CatalogueError
from scoring.shards import Shard

if TYPE_CHECKING:
    from pyarrow import Array, RecordBatch
    from pyarrow.parquet import ParquetFile

_MOST_ROWS, _MOST_BYTES = 1_000, 8 * 2**20  # of a batch in memory
_BUFFER = 2**20  # bytes of a column that are read at a time


def read_parquet(shard: Shard) -> Iterator[tuple[int, Mapping[int, str], str | None]]:
    """Yield number, values as text by their place, and fault of each row; missing values are empty.

    Raises `CatalogueError`.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number = shard.start
    try:
        with open_binary(shard.file.address) as stream:
            file = ParquetFile(stream, buffer_size=_BUFFER)
            columns = shard.file.columns
            places = {columns.id, columns.title, *columns.keep}
            if columns.description is not None:
                places.add(columns.description)
            names = {place: str(file.schema_arrow.names[place]) for place in places}
            for batch in _batches(file, shard, list(names.values())):
                texts = [_texts(batch.column(name)) for name in names.values()]
                for values in zip(*texts, strict=True):
                    number += 1
                    fault = next((value.fault for value in values if isinstance(value, _NotUtf8)), None)
                    yield number, dict(zip(names, values, strict=True)), fault
    except (ArrowException, OSError) as error:
        what = str(error).partition("\n")[0]
        raise CatalogueError(f"{shard.file.address} cannot be read behind row {number:,}: {what}") from error


class _NotUtf8(str):
    """Stands for a value that is no text."""

    def __new__(cls, error: UnicodeDecodeError) -> "_NotUtf8":
        made = super().__new__(cls)
        made.fault = f"byte {error.object[error.start]:#04x} is not UTF-8"
        return made

    fault: str


def _batches(file: "ParquetFile", shard: Shard, names: list[str]) -> Iterator["RecordBatch"]:
    """Yield the rows of a shard from the row groups that they are in."""
    groups: list[int] = []
    first = end = 0
    for group in range(file.metadata.num_row_groups):
        begin, end = end, end + file.metadata.row_group(group).num_rows
        if begin < shard.end and end > shard.start:
            first = first if groups else begin
            groups.append(group)
    size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
    rows = sum(file.metadata.row_group(group).num_rows for group in groups)
    most = max(1, min(_MOST_ROWS, _MOST_BYTES * rows // max(size, 1)))
    at = first
    for batch in file.iter_batches(batch_size=most, row_groups=groups, columns=names):
        begin, at = at, at + len(batch)
        if at > shard.start:
            skipped = max(shard.start - begin, 0)
            yield batch.slice(skipped, min(at, shard.end) - begin - skipped)
        if at >= shard.end:
            return


def _texts(column: "Array[Any]") -> list[str]:
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        values = column.cast("large_binary" if "large" in str(column.type) else "binary").to_pylist()
    return [value if type(value) is str else _text(value) for value in values]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            return _NotUtf8(error)
    return str(value)
