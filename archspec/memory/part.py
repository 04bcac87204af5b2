"""A part of a network whose nodes may run in several orders: how much each step needs, in any of them."""

from dataclasses import dataclass, field

from archspec.memory.storages import Storages


@dataclass(slots=True)
class Part:
    """Nodes that stand together, counted from 0; those before have run, those after have not, in every order."""

    size: list[int] = field(default_factory=list)
    """by node: the numbers that it makes"""
    kept: list[bool] = field(default_factory=list)
    """by node: whether anybody uses what it makes"""
    reads: list[list[int]] = field(default_factory=list)
    """by node: the storages that it reads which are free after the part"""
    over: list[list[int]] = field(default_factory=list)
    """by node: those that it could write over"""
    needs: list[list[int]] = field(default_factory=list)
    """by node: the nodes of the part that must come before it"""
    numbers: list[int] = field(default_factory=list)
    """by storage"""
    readers: list[list[int]] = field(default_factory=list)
    """by storage: the nodes that read it"""


def part_of(memory: Storages, nodes: range, last: list[int], in_place: bool) -> Part:
    """Nodes by their positions; `last` is the position after which a storage is free."""
    part = Part()
    known: dict[int, int] = {}
    for position in nodes:
        node = len(part.size)
        reads = []
        for storage in memory.reads[position]:
            if last[storage] >= nodes.stop:
                continue
            if storage not in known:
                known[storage] = len(part.numbers)
                part.numbers.append(memory.size[storage])
                part.readers.append([])
            reads.append(known[storage])
            part.readers[known[storage]].append(node)
        part.size.append(memory.size[position])
        part.kept.append(memory.users[position] > 0)
        part.reads.append(reads)
        part.over.append([known[s] for s in memory.over[position] if in_place and last[s] < nodes.stop])
        part.needs.append([other - nodes.start for other in memory.needs[position] if other >= nodes.start])
    return part
