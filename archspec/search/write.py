"""Rows -> CSV, JSON, lines of JSON, Parquet; each row is written when it comes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from archspec.elaborate.evaluate import Value
from archspec.errors import Refusal
from archspec.escape import csv_line, json_text
from archspec.optional import needing

Line = tuple[Value, ...]
GROUP = 50_000
"""Rows that are written to a Parquet file together."""


class UnknownForm(Refusal):
    """Tables are not written in that form."""

    exit_code = 2


def simple(value: Value) -> Any:
    """A value as files hold it: an extent and a word are texts."""
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return str(value) if isinstance(value, str) else value


def csv_lines(lines: Iterable[Line], columns: Sequence[str]) -> Iterator[str]:
    """The lines of CSV, the headers first."""
    yield csv_line(columns)
    for line in lines:
        yield csv_line(map(simple, line))


def write_csv(lines: Iterable[Line], columns: Sequence[str], file: TextIO) -> None:
    file.writelines(f"{line}\n" for line in csv_lines(lines, columns))


def write_jsonl(lines: Iterable[Line], columns: Sequence[str], file: TextIO) -> None:
    for line in lines:
        file.write(json_of(line, columns) + "\n")


def write_json(lines: Iterable[Line], columns: Sequence[str], file: TextIO) -> None:
    file.write("[")
    for number, line in enumerate(lines):
        file.write((",\n " if number else "\n ") + json_of(line, columns))
    file.write("\n]\n")


def json_of(line: Line, columns: Sequence[str]) -> str:
    return json_text(dict(zip(columns, map(simple, line), strict=True)))


TEXTS: dict[str, Callable[[Iterable[Line], Sequence[str], TextIO], None]] = {
    "csv": write_csv, "jsonl": write_jsonl, "json": write_json,
}  # fmt: skip
FORMS = (*TEXTS, "parquet")


def form_of(path: Path) -> str:
    """What the suffix of a file says; raises `UnknownForm` and `MissingFramework`."""
    form = path.suffix.removeprefix(".").lower()
    if form not in FORMS:
        raise UnknownForm(
            f"{path.name} has no suffix of a table" if not form else f"there is no table in the form `{form}`",
            f"the suffix is one of {', '.join(f'.{name}' for name in FORMS)}",
        )
    if form == "parquet":
        arrow()
    return form


def write(lines: Iterable[Line], columns: Sequence[str], samples: Sequence[Sequence[Value]], path: Path) -> None:
    """Write a file in the form that its suffix says; `samples` are values of each column, from which Parquet's types
    follow. Raises `Refusal` or `OSError`.
    """
    form = form_of(path)
    if form == "parquet":
        write_parquet(lines, columns, samples, path)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        TEXTS[form](lines, columns, file)


def write_parquet(
    lines: Iterable[Line], columns: Sequence[str], samples: Sequence[Sequence[Value]], path: Path
) -> None:
    """A Parquet file, a group of rows at a time."""
    pa = arrow()
    kinds = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    types = [column_type(values) for values in samples]
    schema = pa.schema([(name, kinds[kind]) for name, kind in zip(columns, types, strict=True)])
    with pa.parquet.ParquetWriter(path, schema) as writer:
        for group in grouped(lines):
            arrays = [
                pa.array([None if value is None else kind(simple(value)) for value in values], kinds[kind])
                for kind, values in zip(types, zip(*group, strict=True), strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def grouped(lines: Iterable[Line]) -> Iterator[list[Line]]:
    rest = iter(lines)
    while group := list(islice(rest, GROUP)):
        yield group


def arrow() -> Any:
    """pyarrow; raises `MissingFramework`."""
    with needing("a Parquet file", "sweep"):
        import pyarrow
        import pyarrow.parquet
    return pyarrow


def column_type(values: Sequence[Value]) -> type:
    """The type that holds all these values: numbers, or else texts."""
    kinds = {type(simple(value)) for value in values if value is not None}
    if kinds == {int, float}:
        return float
    return kinds.pop() if len(kinds) == 1 else str
