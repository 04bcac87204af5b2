"""A file that `torch.export.save` wrote -> its program and its tensors. Nothing in it is executed.

`torch.export.load` unpickles what is in the file, its sample inputs too, and evaluates the text of its sizes. Here the
program is read as JSON, its tensors as numbers in memory; what can only be unpickled is refused. Sample inputs,
objects and compiled code are not touched.
"""

import io
import re
from collections.abc import Mapping
from functools import cache
from math import prod
from pathlib import Path
from typing import TypeVar

import msgspec
import torch

from archspec.decompile import Unreadable
from archspec.printable import printable
from archspec.tensor import Shape
from archspec.weights import WeightsError
from archspec_torch.archive_program import number_type, program_from
from archspec_torch.archive_schema import Exported, Payloads, Size, TensorSaid, Versioned
from archspec_torch.checkpoint import restored
from archspec_torch.program import Program
from archspec_torch.records import Damaged, Records, opened

SCHEMA = 8
"""The version of torch's schema that is read; torch itself reads no other."""
MODEL = re.compile(r"models/([^/]+)\.json")
USUAL = "model"
COMPILED = "data/aotinductor/"
PLAIN = "serialized_exported_program.json"
"""The program in files of torch up to 2.7, where each part is a file of its own."""

Tensors = Mapping[str, torch.Tensor]
T = TypeVar("T")


def program_in(path: Path, image: Shape | None) -> Program:
    """The program in a file, for images of this shape where it takes several; raises `Unreadable` or `OSError`."""
    try:
        with path.open("rb") as file:
            return program_of_records(opened(file), image)
    except Damaged as error:
        raise Unreadable(printable(f"{path}: this is not a file of torch.export, or it is damaged: {error}")) from None
    except Unreadable as error:
        raise Unreadable(printable(f"{path}: {error}"), error.help) from None


def program_of_records(records: Records, image: Shape | None) -> Program:
    """The program; raises `Damaged` or `Unreadable`."""
    if "byteorder" in records.entries and records.read("byteorder") != b"little":
        raise Unreadable("its numbers are in another byte order than this machine's")
    if PLAIN in records.entries:
        state, constants = (legacy(records, f"serialized_{part}") for part in ("state_dict", "constants"))
        return program_from(exported(records.read(PLAIN)), state, constants, image)
    name = model_name(records)
    made = exported(records.read(f"models/{name}.json"))
    return program_from(made, held(records, name, "weights"), held(records, name, "constants"), image)


def model_name(records: Records) -> str:
    """The name of the program in an archive; raises `Unreadable`."""
    names = [found[1] for record in records.entries if (found := MODEL.fullmatch(record))]
    if USUAL in names:
        return USUAL
    if not names and any(record.startswith(COMPILED) for record in records.entries):
        raise Unreadable("it holds compiled code, and not a program", "save the program: torch.export.save(…)")
    if len(names) != 1:
        raise Unreadable(f"it holds {len(names)} programs, and not one" + (f": {', '.join(names)}" if names else ""))
    return names[0]


def exported(text: bytes) -> Exported:
    """The program that JSON says; raises `Damaged` or `Unreadable`."""
    stated = decoded(text, Versioned)
    version = stated.schema_version
    if version.major != SCHEMA:
        raise Unreadable(
            f"torch {stated.torch_version} wrote it in version {version.major}.{version.minor} of its format, and "
            f"archspec reads version {SCHEMA}",
            "export it again with a newer torch" if version.major < SCHEMA else None,
        )
    return decoded(text, Exported)


def decoded(text: bytes, kind: type[T]) -> T:
    """JSON as what it should be; raises `Damaged`."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Damaged(str(error)) from None
    except UnicodeDecodeError:
        raise Damaged("its JSON is not UTF-8") from None


# ---- tensors ----


def held(records: Records, model: str, what: str) -> Tensors:
    """The weights of a program, or its constants; raises `Damaged` or `Unreadable`."""
    folder = f"data/{what}"
    if f"{folder}/{model}.pt" in records.entries:
        return unpickled(records.read(f"{folder}/{model}.pt"))
    config = decoded(records.read(f"{folder}/{model}_{what}_config.json"), Payloads).config
    content = cache(lambda name: bytearray(records.read(f"{folder}/{name}")))  # one memory for what is one
    found: dict[str, torch.Tensor] = {}
    for key, payload in config.items():
        if payload.use_pickle and payload.tensor_meta is None:
            continue  # an object, which a program may hold besides tensors
        if payload.use_pickle:
            found |= unpickled(content(payload.path_name), key)
        elif payload.tensor_meta is None:
            raise Damaged(f"it does not say what `{key}` is")
        else:
            found[key] = tensor(content(payload.path_name), payload.tensor_meta, key)
    return found


def legacy(records: Records, name: str) -> Tensors:
    """The tensors in a file of torch up to 2.7; its older ones call them JSON, which they never were."""
    return unpickled(records.read(next((n for n in (f"{name}.pt", f"{name}.json") if n in records.entries), name)))


def unpickled(content: bytes | bytearray, key: str = "") -> dict[str, torch.Tensor]:
    """Tensors that `torch.save` wrote, which is read by `weights_only=True`; raises `Damaged` or `Unreadable`."""
    if not content:
        return {}
    try:
        found = restored(io.BytesIO(content))
    except WeightsError as error:
        raise Unreadable(str(error)) from None
    state = {key: found} if key else found
    if not isinstance(state, Mapping) or not all(isinstance(name, str) for name in state):
        raise Damaged("its tensors have no names")
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def tensor(content: bytearray, said: TensorSaid, key: str) -> torch.Tensor:
    """A tensor of the numbers in a record; raises `Damaged`. Without numbers it has a shape all the same."""
    dtype = number_type(said.dtype)
    sizes, strides = [whole(size, key) for size in said.sizes], [whole(stride, key) for stride in said.strides]
    offset, count = whole(said.storage_offset, key), prod(sizes)
    stored = len(content) // dtype.itemsize
    reach = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=False)) + 1
    if len(sizes) != len(strides) or (content and count and (reach > stored or count > stored)):
        raise Damaged(f"its record of `{key}` has {stored} numbers, and not the {count} that it should have")
    if not count or not content:
        return empty(sizes, dtype, key)
    return torch.frombuffer(content, dtype=dtype, count=stored).as_strided(sizes, strides, offset)


def empty(sizes: list[int], dtype: torch.dtype, key: str) -> torch.Tensor:
    try:
        return torch.empty(sizes, dtype=dtype, device="meta" if prod(sizes) else "cpu")
    except (RuntimeError, TypeError):  # a size that no machine counts
        raise Damaged(f"`{key}` has {'×'.join(map(str, sizes))} numbers") from None


def whole(size: Size, key: str) -> int:
    """A number that is stated; raises `Damaged`."""
    if size.as_int is None or size.as_int < 0:
        raise Damaged(f"the shape of `{key}` is not whole numbers")
    return size.as_int
