"""What a file of HDF5 holds, without trusting it: groups, lists of names, arrays that are all in the file.

HDF5 has links to other files, arrays that are stored in others, or not stored at all and yet of any size. Keras writes
none of them, so all are refused, and reading never takes more memory than the file is long.
"""

import re
from collections.abc import Iterator
from itertools import accumulate, islice
from math import prod
from mmap import mmap
from struct import unpack_from
from typing import Any

import h5py
import numpy

from archspec.printable import printable
from archspec.weights import WeightsError

Array = numpy.ndarray[Any, Any]

LENGTH = 8
"""Bytes of a length or an address, and what things are aligned to."""
HEAP = rb"GCOL\x01\0\0\0"
"""What a collection of texts begins with; after it stands how long it is."""
OBJECT = 16
"""Bytes of an object of a heap before its content: a number, which is 0 for free space, …, its length."""
PACKED = rb"FRHP.{3}(?!\0\0)"
"""What a heap begins with whose objects are compressed; attributes could be hidden in it."""
HEADS = {1: 8, 2: 8, 3: 9}
"""Bytes before the name of an attribute, by the version of their form: that, …, the lengths of name, type and space."""
NOWHERE = 2**32
"""As long as no text can be: what an attribute is of stands elsewhere, which Keras does not do."""
TEXTS = 9
"""The class of a type whose values are in heaps: each is a length, of 4 bytes, and a place."""
BFLOAT16 = "bfloat16"
"""What Keras writes beside such an array, whose type HDF5 does not have."""


class Reader:
    """What reads one file, and tells of it by what is `shown`; raises `WeightsError` for one with broken heaps."""

    def __init__(self, file: h5py.File, content: bytes | mmap, shown: str) -> None:
        self.size = self.left = len(content)
        self.content, self.shown = content, shown
        self.met: set[int] = set()
        self.lengths: dict[str, int] = {}
        sizes = file.id.get_create_plist().get_sizes()
        if sizes != (LENGTH, LENGTH) or not all(map(sound, heaps(content))) or re.search(PACKED, content, re.DOTALL):
            raise WeightsError(f"{shown}: the names in this file are damaged")

    def children(self, group: h5py.Group) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
        """What stands in a group; raises `WeightsError` where that is not in the file, or was met before."""
        for name in group:
            yield name, self.child(group, name)

    def child(self, group: h5py.Group, path: str) -> Any:
        """What stands at a path below a group, by links of this file alone."""
        found = group
        for name in path.split("/"):
            if not isinstance(found, h5py.Group) or not self.has(found, name):
                raise self.error(f"{group.name}/{path}", "is not there")
            found = found[name]
        return found

    def has(self, group: h5py.Group, name: str) -> bool:
        """Whether something of that name stands in a group; `in` would look into other files as well."""
        links, link = group.id.links, name.encode("utf-8", "surrogateescape")
        if not links.exists(link):
            return False
        if links.get_info(link).type != h5py.h5l.TYPE_HARD:
            raise self.error(f"{group.name}/{name}", "is a link to somewhere else")
        return True

    def once(self, found: h5py.Group | h5py.Dataset) -> None:
        """Raise `WeightsError` where this part of the file was met before, by another name."""
        address = h5py.h5o.get_info(found.id).addr
        if address in self.met:
            raise self.error(found.name, "stands in the file by two names")
        self.met.add(address)

    def array(self, dataset: h5py.Dataset) -> Array:
        """The numbers of a dataset; bfloat16, which numpy does not have, as float32, which holds the same ones."""
        self.once(dataset)
        if dataset.shape is None or dataset.external or dataset.is_virtual:
            raise self.error(dataset.name, "is not stored in this file")
        if dataset.id.get_create_plist().get_nfilters():
            raise self.error(dataset.name, "is compressed, which Keras does not do")
        self.left -= dataset.nbytes
        if dataset.id.get_storage_size() < dataset.nbytes or self.left < 0:
            raise self.error(dataset.name, "is larger than what the file holds of it")
        kind, size = dataset.dtype.kind, dataset.dtype.itemsize
        if kind == "V" and size == 2 and self.text(dataset, "dtype") == BFLOAT16:
            bits = dataset[()].view("<u2").astype("<u4") << 16
            return bits.view("<f4")  # type: ignore[no-any-return]
        if kind not in "fiub" or size > 8:
            raise self.error(dataset.name, "is not an array of numbers")
        return numpy.asarray(dataset[()], dtype=dataset.dtype.newbyteorder("="))

    def texts(self, found: h5py.Group | h5py.Dataset, attribute: str) -> list[str] | None:
        """The texts of an attribute, which are several or one; None where there is no such attribute."""
        if attribute not in found.attrs:
            return None
        told = found.attrs.get_id(attribute)
        if not told.get_space().get_simple_extent_npoints():
            return []
        if attribute not in self.lengths:
            self.lengths[attribute] = max(lengths(self.content, attribute), default=0)
        # the library of HDF5 must not be asked for what only looks like texts, and takes memory for any length
        longest = max(told.get_storage_size(), self.lengths[attribute])
        if not isinstance(told.get_type(), h5py.h5t.TypeStringID) or longest > self.size:
            raise self.error(found.name, "is called by something else than a text")
        values = numpy.ravel(found.attrs[attribute])
        return [value.decode("utf-8") if isinstance(value, bytes) else str(value) for value in values]

    def text(self, found: h5py.Group | h5py.Dataset, attribute: str) -> str | None:
        """The text of an attribute; None if the attribute does not exist."""
        return next(iter(self.texts(found, attribute) or ()), None)

    def names(self, group: h5py.Group, attribute: str) -> list[str] | None:
        """A list of names that a group has as an attribute, or in several, `NAME0`, `NAME1`, where it is long."""
        if attribute in group.attrs:
            return self.texts(group, attribute)
        if f"{attribute}0" not in group.attrs:
            return None
        found: list[str] = []
        number = 0
        while (part := self.texts(group, f"{attribute}{number}")) is not None:
            found += part
            number += 1
        return found

    def error(self, name: str, says: str) -> WeightsError:
        return WeightsError(f"{self.shown}: `{printable(name.lstrip('/'))}` {says}")


def heaps(content: bytes | mmap) -> Iterator[memoryview]:
    """The collections of texts in a file, each from its first object on."""
    for found in re.finditer(HEAP, content):
        size = int.from_bytes(content[found.end() : found.end() + LENGTH], "little")
        yield memoryview(content[found.end() + LENGTH : found.start() + size])


def sound(heap: memoryview) -> bool:
    """Whether the objects of a heap fill it; at one of no size, the library of HDF5 would stay for ever."""
    place = 0
    while place + OBJECT <= len(heap):
        size = int.from_bytes(heap[place + OBJECT - LENGTH : place + OBJECT], "little")
        used = heap[place] | heap[place + 1]
        place += OBJECT + -(-size // LENGTH) * LENGTH if used else size or len(heap) + 1
    return place <= len(heap)


def lengths(content: bytes | mmap, attribute: str) -> Iterator[int]:
    """How long the texts of all attributes of a name say that they are, where these are in heaps."""
    name = attribute.encode() + b"\0"
    for found in re.finditer(re.escape(name), content):
        for version, size in HEADS.items():
            place = found.start() - size
            head = content[max(place, 0) : found.start()]
            if len(head) == size and head[0] == version and int.from_bytes(head[2:4], "little") == len(name):
                yield from lengths_at(content, found.start(), head)


def lengths_at(content: bytes | mmap, place: int, head: bytes) -> Iterator[int]:
    """The lengths in an attribute that has this head before its name."""
    version, shared, *sizes = unpack_from("<BB3H", head)
    step = LENGTH if version == 1 else 1
    kind, space, data = islice(accumulate((-(-size // step) * step for size in sizes), initial=place), 1, None)
    if version > 1 and shared:
        yield NOWHERE
    elif content[kind] % 16 == TEXTS:
        sides = unpack_from(f"<{content[space + 1]}Q", content, space + (8 if content[space] == 1 else 4))
        for start in range(data, data + OBJECT * min(prod(sides), (len(content) - data) // OBJECT), OBJECT):
            yield from unpack_from("<I", content, start)
