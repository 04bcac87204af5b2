"""A zip file that torch wrote -> its records by their names, without unpacking anything to disk.

torch stores its records as they are. A record that is compressed, or that is there twice, was not written by it: so
what is read is never more than the file itself.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO


class Damaged(Exception):
    """A file is not what it should be; the text says why."""


@dataclass(slots=True)
class Records:
    """The records of an open file."""

    archive: zipfile.ZipFile
    entries: Mapping[str, zipfile.ZipInfo]
    """by their names, without the folder that all are in"""
    left: int
    """bytes that may still be read: records that lie over each other would be more than the file"""

    def read(self, name: str) -> bytes:
        """The content of a record; raises `Damaged`."""
        entry = self.entries.get(name)
        if entry is None:
            raise Damaged(f"it has no record `{name}`")
        self.left -= entry.file_size
        if self.left < 0:
            raise Damaged("its records are longer than the file")
        try:
            return self.archive.read(entry)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
            raise Damaged(f"its record `{name}` is damaged") from None


def opened(file: BinaryIO) -> Records:
    """The records of a zip file; raises `Damaged`."""
    size = file.seek(0, 2)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        raise Damaged("it is not a zip file") from None
    check(archive)
    return Records(archive, within(archive), size)


def check(archive: zipfile.ZipFile) -> None:
    """Raise `Damaged` where a file has what torch does not write."""
    seen: set[str] = set()
    for entry in archive.infolist():
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise Damaged(f"its record `{entry.filename}` is compressed, and torch never compresses records")
        if entry.filename in seen:
            raise Damaged(f"its record `{entry.filename}` is there twice")
        seen.add(entry.filename)


def within(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The entries by their names; archives of torch have all of them in one folder."""
    entries = archive.infolist()
    folders = {entry.filename.partition("/")[0] for entry in entries if "/" in entry.filename}
    whole = len(folders) == 1 and all("/" in entry.filename for entry in entries)
    prefix = f"{folders.pop()}/" if whole else ""
    return {entry.filename.removeprefix(prefix): entry for entry in entries}
