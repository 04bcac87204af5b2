"""Offsets of a source <-> positions of an editor: lines from 0, columns in the units that client and server agreed on.

A line ends at LF, CRLF or CR, as the protocol and `Source` have it.
"""

from lsprotocol import types
from pygls.workspace import PositionCodec

from archspec.source import BOM, Source, Span


class Text:
    """A source as an editor counts it."""

    def __init__(self, source: Source, codec: PositionCodec) -> None:
        self.source = source
        self.codec = codec

    def position(self, offset: int) -> types.Position:
        line, column = self.source.position(min(offset, len(self.source.text)))
        start = self.source.line_starts[line - 1]
        before = self.source.text[start : start + column - 1]
        return types.Position(line - 1, self.codec.client_num_units(before))

    def range(self, start: int, end: int) -> types.Range:
        return types.Range(self.position(start), self.position(end))

    def of(self, span: Span) -> types.Range:
        return self.range(span.start, span.end)

    def offset(self, position: types.Position) -> int:
        """The character at a position; beyond the end of a line, or of the text, its end."""
        starts = self.source.line_starts
        if position.line >= len(starts):
            return len(self.source.text)
        line = self.source.line(position.line + 1)
        units = index = 0
        while index < len(line) and units < position.character:
            units += self.codec.client_num_units(line[index])
            index += 1
        return starts[position.line] + index

    def line_end(self, offset: int) -> int:
        """Where the line of an offset ends, before what ends it."""
        line, _ = self.source.position(offset)
        return self.source.line_starts[line - 1] + len(self.source.line(line))


def readable(text: str) -> str:
    """A document without its byte-order mark, every other character where it was."""
    return " " + text[1:] if text.startswith(BOM) else text
