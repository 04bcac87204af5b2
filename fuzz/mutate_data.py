"""Mutations of bytes that know their form: JSON, the records of a zip file, lines, the head of a safetensors file."""

import io
import json
import random
import warnings
import zipfile
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from fuzz.mutate import mutated as of_text

ODD: tuple[Any, ...] = (
    0, 1, 2, -1, 7, 255, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30, 0.5, 1e308,
    -0.0,
    float("nan"), float("inf"), True, False, None, "", "0", "x", "\0", "\u202e", "é" * 300, "../x", "a" * 5000, [], {},
    [[]], [0] * 100, {"": {}},
)  # fmt: skip
"""What stands where something else should."""
NESTED = 3000
Change = Callable[[bytes, random.Random], bytes]


def of_bytes(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed, left out, doubled or cut off."""
    made = bytearray(data or b"\0")
    place, length = rng.randrange(len(made)), rng.choice((1, 1, 2, 4, 8, 64))
    match rng.randrange(6):
        case 0:
            made[place] ^= 1 << rng.randrange(8)
        case 1:
            made[place : place + length] = rng.randbytes(length)
        case 2:
            del made[place : place + length]
        case 3:
            made[place:place] = made[place : place + length]
        case 4:
            made[place : place + 8] = rng.choice((0, 1, 2**31, 2**63, 2**64 - 1)).to_bytes(8, "little")
        case _:
            del made[place:]
    return bytes(made)


# ---- JSON ----


def of_json(data: bytes, rng: random.Random) -> bytes:
    """JSON with another value somewhere; a text where it is not JSON, or now and then."""
    if rng.randrange(8) == 0:
        return of_text(data, rng)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return of_text(data, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        value = changed(value, rng)
    made = json.dumps(value)
    if rng.randrange(50) == 0:
        made = made.replace("null", "[" * NESTED + "]" * NESTED, 1)
    return made.encode()


def changed(value: Any, rng: random.Random) -> Any:
    """A value with another one at a place in it."""
    box = [value]
    places = list(within(box))
    holder, key = rng.choice(places)
    alike = [other[place] for other, place in places if place == key and isinstance(other, dict)]
    match rng.randrange(10):
        case 0 | 1 | 2 if alike:
            holder[key] = deepcopy(rng.choice(alike))  # what has this name elsewhere is more likely to be taken
        case 3:
            holder[key] = deepcopy(rng.choice(ODD))
        case 4 if holder is not box:
            del holder[key]
        case 5 if isinstance(holder, list) and holder is not box:
            holder.insert(key, deepcopy(holder[key]))
        case 6 if type(holder[key]) is int:
            holder[key] += rng.choice((-2, -1, 1, 2, holder[key]))
        case 7 if isinstance(holder, dict):
            holder[rng.choice((*holder, "x", ""))] = holder.pop(key)
        case _:
            other, place = rng.choice(places)
            holder[key] = deepcopy(other[place])
    return box[0] if box else None


def within(holder: Any) -> Any:
    """Every place in a list or an object, with what holds it."""
    for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
        yield holder, key
        if isinstance(holder[key], (dict, list)):
            yield from within(holder[key])


def of_lines(data: bytes, rng: random.Random) -> bytes:
    """Lines of JSON with another one, or with fewer, more, or in another order."""
    lines = data.split(b"\n")
    place = rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            del lines[place]
        case 1:
            lines.insert(rng.randrange(len(lines)), lines[place])
        case _:
            lines[place] = of_json(lines[place], rng)
    return b"\n".join(lines)


# ---- files ----


def of_zip(data: bytes, rng: random.Random) -> bytes:
    """A zip file with another record; bytes where it is not one, or now and then."""
    records = unzipped(data) if rng.randrange(10) else None
    if not records:
        return of_bytes(data, rng)
    for _ in range(rng.choice((1, 1, 2))):
        said = [place for place, record in enumerate(records) if record[1][:1] in {b"{", b"["}]
        place = rng.choice(said if said and rng.randrange(3) else range(len(records)))
        name, content = records[place]
        match rng.randrange(12):
            case 0:
                del records[place]
            case 1:
                records[place] = rng.choice(records)[0], content
            case 2:
                records[place] = name, rng.choice(records)[1]
            case 3:
                records[place] = of_bytes(name.encode(), rng).decode("utf-8", "replace"), content
            case _:
                is_json = content[:1] in {b"{", b"["}
                records[place] = name, of_json(content, rng) if is_json else of_bytes(content, rng)
        if not records:
            break
    return zipped(records, zipfile.ZIP_DEFLATED if rng.randrange(30) == 0 else zipfile.ZIP_STORED)


def unzipped(data: bytes) -> list[tuple[str, bytes]]:
    """The records of a zip file; none where it cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if entry.file_size <= len(data)]
            return [(entry.filename, archive.read(entry)) for entry in entries]
    except Exception:  # damaged bytes make zipfile raise whatever comes first
        return []


def zipped(records: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Records as a zip file, each with one date."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive, warnings.catch_warnings(action="ignore"):
        for name, content in records:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return into.getvalue()


def of_safetensors(data: bytes, rng: random.Random) -> bytes:
    """A safetensors file with another header, whose length is true; bytes now and then."""
    length = int.from_bytes(data[:8], "little")
    if rng.randrange(5) == 0 or length > len(data) - 8:
        return of_bytes(data, rng)
    header = of_json(data[8 : 8 + length], rng)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]
