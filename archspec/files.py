"""Files that are written whole or not at all."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE, S_ISREG, S_IWGRP, S_IWOTH, S_IWUSR

WRITABLE = S_IWUSR | S_IWGRP | S_IWOTH


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path to write to, which takes the place of `path` once all went well.

    It has the suffix of `path` and lies in the same folder, so that taking its place is one step; a link is followed.
    What is not a file (a pipe, a device), has other names (hard links) or another owner is not replaced: the bytes are
    copied into it. A file that nobody may write is refused. Raises `OSError`.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    target = Path(os.path.realpath(path))
    if target.is_file() and not target.stat().st_mode & WRITABLE:
        raise PermissionError(errno.EACCES, "it is read-only", str(path))
    temporary = beside(target, path)
    try:
        yield temporary
        if target.is_file():
            temporary.chmod(S_IMODE(target.stat().st_mode))
        if target.exists() and not replaceable(target, temporary):
            with temporary.open("rb") as source, path.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        else:
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def replaceable(target: Path, temporary: Path) -> bool:
    """Whether nothing is lost but its bytes where another file takes the place of one."""
    old, new = target.stat(), temporary.stat()
    return S_ISREG(old.st_mode) and old.st_nlink == 1 and (old.st_uid, old.st_gid) == (new.st_uid, new.st_gid)


@contextmanager
def whole_pair(path: Path, data: Path) -> Iterator[tuple[Path, Path]]:
    """Two temporary paths, which take the places of `path` and of `data`, the file that it reads, once all went well.

    A `path` that was there is removed first, so that it never stands beside the data of another. Raises `OSError`.
    """
    second, placed = beside(data, data), False
    try:
        with whole_file(path) as first:
            yield first, second
            if path.is_file():
                first.chmod(S_IMODE(path.stat().st_mode))
                path.unlink()
            second.replace(data)
            placed = True
        placed = False
    finally:
        (data if placed else second).unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def beside(target: Path, path: Path) -> Path:
    """A new empty file in the folder of `target`, with the mode that new files have; errors name `path`."""
    temporary = target.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    return temporary
