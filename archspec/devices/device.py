"""A small TOML file -> `Device`: what a machine can do, and from where it is known."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints, ValidationError

from archspec.diagnostics import did_you_mean
from archspec.errors import Refusal
from archspec.graph import Frozen
from archspec.ops import allowed
from archspec.ops.base import Says
from archspec.printable import printable
from archspec.tensor import BYTES, NumberType

LONGEST = 2**16
"""Bytes of a file that describes a device."""
SHOWN = 60
"""Characters of a value that are shown where it is wrong."""
MOST = 1e24
"""A rate, or a memory, that no device has; up to it, no quotient of two is beyond what a float can hold."""

Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=1000), Says("a text")]
Rate = Annotated[float, Field(ge=1, le=MOST, allow_inf_nan=False, strict=True), Says(f"a number from 1 to {MOST:g}")]
Size = Annotated[int, Field(ge=1, le=int(MOST), strict=True), Says("a whole number from 1")]


class WrongDevice(Refusal):
    """A file describes no device."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, advice: str | None = None) -> None:
        super().__init__(printable(message), advice)


class UnknownDevice(Refusal):
    """No device has that name, or the device cannot do what is asked."""

    exit_code: ClassVar[int] = 2


class Citation(Frozen):
    """Where a figure is from."""

    title: Text
    """of the document"""
    section: Text
    says: Text
    """what it states, and what follows from that"""
    url: Text


class Device(Frozen):
    """A machine that runs networks."""

    title: Text
    """what it is, with its clock"""
    macs: Annotated[dict[NumberType, Rate], Field(min_length=1), Says("one or more of fp32, fp16, int8")]
    """by type of number: multiply-accumulates per second at their peak"""
    bandwidth: Rate
    """bytes per second between processor and memory"""
    ram: Size
    """bytes that activations can lie in; weights too, if the device has no flash"""
    flash: Size | None = None
    """bytes that weights can be read from where they lie; None: they are loaded into RAM"""
    source: Annotated[tuple[Citation, ...], Field(min_length=1), Says("one or more tables [[source]]")]

    def rate(self, numbers: NumberType) -> float:
        """Multiply-accumulates per second; raises `UnknownDevice` where the device does not multiply such numbers."""
        if numbers not in self.macs:
            raise UnknownDevice(f"{self.title} states no rate for {numbers}", f"it has {', '.join(self.macs)}")
        return self.macs[numbers]


def bundled() -> dict[str, Path]:
    """Name of every device that comes with archspec to its file."""
    folder = resources.files("archspec.devices")
    assert isinstance(folder, Path)  # archspec is always installed as files
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}


def load(name: str) -> Device:
    """A device by its name, or by the path of a file, which ends in `.toml`.

    Raises `UnknownDevice`, `WrongDevice` (the file, the key, what it should be) and `OSError`.
    """
    if name.endswith(".toml"):
        return read(Path(name))
    files = bundled()
    if name not in files:
        advice = did_you_mean(name, files) or "`archspec list devices` shows them"
        raise UnknownDevice(f"there is no device `{printable(name)}`", f"{advice}; a file of your own ends in .toml")
    return read(files[name])


def read(path: Path) -> Device:
    """The device that a file describes."""
    with path.open("rb") as file:
        data = file.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise WrongDevice(f"{path}: longer than {LONGEST} bytes, so it describes no device")
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, or a number of thousands of digits
        raise WrongDevice(f"{path}: no TOML: {error}") from None
    try:
        return Device.model_validate(table)
    except ValidationError as error:
        raise wrong(path, error) from None


def wrong(path: Path, error: ValidationError) -> WrongDevice:
    """The first thing that is wrong with a file, and what is expected."""
    errors = error.errors(include_url=False)
    found = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])  # else a slip is missing
    parts = [part for part in found["loc"] if part != "[key]"]
    key, last = ".".join(map(str, parts)), str(parts[-1])
    fields = Citation.model_fields if parts[0] == "source" and len(parts) > 1 else Device.model_fields
    field = fields.get(last)
    expected = allowed(field.annotation, field.metadata) if field else None
    if found["type"] == "missing":
        return WrongDevice(f"{path}: `{key}` is missing", f"it is {expected}")
    if found["type"] == "extra_forbidden":
        return WrongDevice(f"{path}: there is no key `{key}`", did_you_mean(last, fields))
    if parts[0] == "macs" and len(parts) > 1:
        known = last in BYTES
        return WrongDevice(
            f"{path}: `{key}` is {shown(found['input'])}" if known else f"{path}: there is no key `{key}`",
            f"it should be {allowed(Rate)}" if known else f"known here: {', '.join(BYTES)}",
        )
    return WrongDevice(f"{path}: `{key}` is {shown(found['input'])}", f"it should be {expected or 'a table'}")


def shown(value: object) -> str:
    """A value of TOML, cut short."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
