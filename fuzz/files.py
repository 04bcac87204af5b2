"""What targets of files have in common: the bytes are at a path, and nothing runs and nothing is written."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from fuzz.watched import nothing_runs


def at_a_path(
    suffix: str, attempt: Callable[[Path], None], others: dict[str, bytes] | None = None
) -> Callable[[bytes], None]:
    """A target of a file: the bytes are written to one, `others` beside it, and it is read."""
    beside = others or {}

    def tried(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = folder / f"theirs{suffix}"
            for file, content in {**beside, path.name: data}.items():
                (folder / file).write_bytes(content)
            with nothing_runs():
                attempt(path)
            assert {file.name for file in folder.iterdir()} == {*beside, path.name}, "something was written"

    return tried
