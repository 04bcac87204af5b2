"""Networks and lists -> lines, broken before `->` and `|` and after a comma.

A line break that the source has in such a place is kept; more are made where a line would be longer than 110 columns.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from archspec.source import LINE_END, Source, Span
from archspec.syntax import phrases
from archspec.syntax import tree as t
from archspec.syntax.comments import Line, Space
from archspec.syntax.phrases import network

WIDTH = 110

Member = TypeVar("Member", bound=t.Tree)


class Page:
    """The lines printed so far; the last one is being written."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines: list[Line] = []

    @property
    def column(self) -> int:
        return len(self.lines[-1].text)

    def line(self, indent: int, space: Space = Space.NEVER) -> None:
        """Begin a line."""
        self.lines.append(Line(" " * indent, indent, space))

    def write(self, text: str, start: int, end: int) -> None:
        """Go on with the line, by what stands for that part of the source."""
        line = self.lines[-1]
        line.text += text
        line.start = line.start if line.start >= 0 else start
        line.end = end

    def fits(self, width: int) -> bool:
        return self.column + width <= WIDTH

    def holds(self, net: t.Net, before: str = "", after: int = 0) -> bool:
        """Whether a network stands on the line, with what comes before and after it."""
        return self.fits(len(before) + len(network(net)) + after) and not self.broken(net)

    def parted(self, before: t.Tree, after: t.Tree) -> bool:
        """Whether the source has a line break between two neighbours."""
        return LINE_END.search(self.source.text, before.span.end, after.span.start) is not None

    def broken(self, net: t.Net) -> bool:
        """Whether the source has a line break that is kept within a network."""
        match net:
            case t.Sequence(steps=parts) | t.Fork(branches=parts):
                return any(itertools.starmap(self.parted, itertools.pairwise(parts))) or any(map(self.broken, parts))
            case t.Group():
                return self.broken(net.body)
            case t.Step():
                return self.broken(net.atom) or (net.otherwise is not None and self.broken(net.otherwise))
            case _:
                return False


def listed(
    page: Page, members: Sequence[Member], pieces: Callable[[Member], list[tuple[str, Span]]], tail: int
) -> None:
    """Members with commas between them, broken below the first; `tail` is what still follows on the line.

    A member of several pieces is broken between them, below its own first, where it does not stand on a line.
    """
    indent = inner = page.column
    for number, member in enumerate(members):
        parts = pieces(member)
        after = tail if number == len(members) - 1 else 1
        for position, (text, span) in enumerate(parts):
            if position:
                fits = page.fits(2 + len(text) + (after if position == len(parts) - 1 else 1))
            elif number:
                fits = page.fits(2 + len(", ".join(text for text, _ in parts)) + after)
                fits = fits and not page.parted(members[number - 1], member)
            if number or position:
                page.write(", " if fits else ",", page.lines[-1].end, page.lines[-1].end)
                if not fits:
                    page.line(inner if position else indent)
            if not position:
                inner = page.column + text.find("{") + 1
            page.write(text, span.start, span.end)


def assign(page: Page, net: t.Net, indent: int, tail: int = 0) -> None:
    """`= NET`; one that does not stand on the line stands below it. `tail` is what still follows on the line."""
    end = page.lines[-1].end
    if page.holds(net, " = ", tail):
        page.write(f" = {network(net)}", end, net.span.end)
    else:
        page.write(" =", end, end)
        page.line(indent)
        lay(page, net, indent, tail)


def assign_beside(page: Page, net: t.Net, indent: int, tail: int = 0) -> None:
    """`= NET`; one that does not stand on the line goes on below its beginning, if it is not too wide there."""
    before, size = replace(page.lines[-1]), len(page.lines)
    page.write(" = ", before.end, net.span.start)
    lay(page, net, page.column, tail)
    if page.column + tail > WIDTH or any(len(line.text) > WIDTH for line in page.lines[size - 1 :]):
        page.lines[size - 1 :] = [before]
        assign(page, net, indent, tail)


def lay(page: Page, net: t.Net, indent: int, tail: int) -> None:
    """A network from here on, its further lines at `indent`."""
    start, end = net.span.start, net.span.end
    if page.holds(net, after=tail):
        page.write(network(net), start, end)
        return
    match net:
        case t.Sequence():
            sequence(page, net, indent, tail)
        case t.Fork():
            fork(page, net, tail)
        case t.Group():
            page.write("(", start, start + 1)
            lay(page, net.body, page.column, tail + 1)
            page.write(")", end - 1, end)
        case t.Step():
            step(page, net, indent, tail)
        case _:
            page.write(network(net), start, end)


def sequence(page: Page, net: t.Sequence, indent: int, tail: int) -> None:
    """Steps, broken before `->`."""
    for number, part in enumerate(net.steps):
        after = tail if part is net.steps[-1] else 0
        if number:
            before = net.steps[number - 1]
            if not page.holds(part, " -> ", after) or page.parted(before, part):
                page.line(indent)
                page.write("-> ", part.span.start, part.span.start)
            else:
                page.write(" -> ", before.span.end, part.span.start)
        lay(page, part, indent, after)


def fork(page: Page, net: t.Fork, tail: int) -> None:
    """Branches below each other."""
    column = page.column
    page.write("( ", net.span.start, net.span.start + 1)
    for branch in net.branches:
        if branch is not net.branches[0]:
            page.line(column)
            page.write("| ", branch.span.start, branch.span.start)
        lay(page, branch, column + len("( "), tail + len(" )") if branch is net.branches[-1] else 0)
    page.write(" )", net.span.end - 1, net.span.end)


def step(page: Page, net: t.Step, indent: int, tail: int) -> None:
    """An atom that is broken, and its postfixes."""
    words, name = phrases.before_else(net), phrases.alias(net)
    otherwise = len(network(net.otherwise)) if net.otherwise else 0
    lay(page, net.atom, indent, len(words) + otherwise + len(name) + tail)
    if net.otherwise is None:
        page.write(words + name, net.atom.span.end, net.span.end)
        return
    page.write(words, net.atom.span.end, net.otherwise.span.start)
    lay(page, net.otherwise, indent, len(name) + tail)
    if name:
        page.write(name, net.otherwise.span.end, net.span.end)
