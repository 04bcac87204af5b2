"""The head of a safetensors file, looked at before anything else of it is read: it must be true of the file.

The file begins with the length of its header in eight bytes; the header is JSON, and says of every tensor its type,
its shape and where its bytes are. They must fill the file, so that no more is read than it has numbers.
"""

import json
from math import prod
from typing import Any, BinaryIO

from archspec.printable import printable

LONGEST = 2**25
"""Bytes of a header; ten thousand tensors take about one MiB."""
LENGTH = 8
"""Bytes that say how long the header is."""
METADATA = "__metadata__"
BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8, "C64": 8,
}  # fmt: skip
"""of one number, by the name of its type"""


class Untrue(ValueError):
    """A header is not that of its file."""


def check_header(file: BinaryIO, size: int) -> None:
    """Raise `Untrue` where the head of a file of that size is not that of a safetensors file."""
    length = int.from_bytes(file.read(LENGTH), "little")
    if size < LENGTH or not 2 <= length <= size - LENGTH:
        raise Untrue(f"it says that its header has {length:,} bytes, and the file has {size:,}")
    if length > LONGEST:
        raise Untrue(f"its header has {length:,} bytes, and the limit is {LONGEST:,}")
    try:
        header = json.loads(file.read(length), object_pairs_hook=each_once)
    except Untrue:
        raise
    except (ValueError, RecursionError):
        raise Untrue("its header is not JSON") from None
    if not isinstance(header, dict):
        raise Untrue("its header is not an object of JSON")
    end = 0
    for name, start, stop in sorted(placed(header), key=lambda place: place[1:]):
        if start != end:
            raise Untrue(f"the bytes of `{shortened(name)}` begin at {start:,}, not at {end:,}, where those before end")
        end = stop
    if end != size - LENGTH - length:
        raise Untrue(f"its tensors have {end:,} bytes, and the file has {size - LENGTH - length:,} of them")


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; raises `Untrue` where a key stands twice: another reader would take the other one."""
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Untrue(f"`{shortened(twice)}` stands twice in its header")
    return made


def placed(header: dict[str, Any]) -> list[tuple[str, int, int]]:
    """The tensors with the places where their bytes begin and end."""
    found = []
    for name, said in header.items():
        if name == METADATA:
            continue
        match said:
            case {"dtype": str(kind), "shape": list(shape), "data_offsets": [int(start), int(stop)]} if (
                kind in BYTES and all(type(side) is int and side >= 0 for side in shape)
            ):
                if prod(shape) * BYTES[kind] != stop - start:
                    raise Untrue(f"`{shortened(name)}` does not have as many bytes as its type and shape say")
                found.append((name, start, stop))
            case _:
                raise Untrue(f"what it says of `{shortened(name)}` is not a type, a shape and a place")
    return found


def shortened(key: str, most: int = 100) -> str:
    """A key as a message shows it."""
    return printable(key if len(key) <= most else key[:most] + "…")
