"""Where the text that comes with archspec lives: the blocks, the readings and the specs of the zoo, as Sources."""

import re
from functools import cache
from importlib import resources
from pathlib import Path

from archspec.source import Source

FOLDERS = ("blocks", "readings")
NAME = re.compile(r"[A-Za-z0-9_]+")
DECLARED = re.compile(r"^\s*(?:network|variant)\s+([A-Za-z_][A-Za-z0-9_]*)", re.MULTILINE)
SHARED = re.compile(r"^(?:block|def|reading)\s+([A-Za-z_][A-Za-z0-9_]*)", re.MULTILINE)


@cache
def specs() -> dict[str, Path]:
    """Name of every bundled spec to its file."""
    return {file.stem: file for file in sorted(folder("archspec.specs").glob("*.arch"))}


def folder(package: str) -> Path:
    """The folder of a package; archspec is always installed as files."""
    path = resources.files(package)
    assert isinstance(path, Path)
    return path


def file_of(source: Source) -> Path | None:
    """The file of a source; None for a source that is not a file."""
    if source.bundled:
        place, _, rest = source.name.partition("/")
        return folder("archspec.specs" if place == "specs" else place) / rest
    return Path(source.name) if Path(source.name).is_absolute() else None


def shared(path: str) -> Source | None:
    """The block file or reading that `use "blocks/…"` names; None if no such file exists."""
    place, _, name = path.partition("/")
    if place not in FOLDERS or not NAME.fullmatch(name):
        return None
    file = folder("archspec") / place / f"{name}.arch"
    return read(file, f"archspec/{path}.arch") if file.is_file() else None


def shared_names() -> list[str]:
    """What `use` can name: `blocks/inverted_residual`."""
    return [f"{place}/{file.stem}" for place in FOLDERS for file in (folder("archspec") / place).glob("*.arch")]


def spec(name: str) -> Source:
    """A bundled spec by the name of its file."""
    return read(specs()[name], f"specs/{name}.arch")


def declared(name: str) -> list[str]:
    """The networks and variants of a bundled spec; found in the text, without parsing."""
    return DECLARED.findall(spec(name).text)


@cache
def members() -> dict[str, str]:
    """Every bundled network and variant to the spec that declares it."""
    return {name: file for file in specs() for name in declared(file)}


@cache
def declarations() -> dict[str, tuple[str, ...]]:
    """Every block, function and reading that comes with archspec to the files that declare it, as `use` names them."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(shared_names()):
        source = shared(path)
        assert source is not None
        for name in SHARED.findall(source.text):
            found[name] = (*found.get(name, ()), path)
    return found


@cache
def read(file: Path, name: str) -> Source:
    return Source(name, file.read_text(encoding="utf-8"), bundled=True)
