"""What a backend that `WritesSource` is given of a spec besides its `Graph`."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct, field

from archspec.backend import Backend, ability
from archspec.graph import Graph


class Printed(Struct, frozen=True):
    """What the text of a spec prints, as it stands there."""

    network: str = ""
    """the name that the network is declared by, of which the Graph may be a variant"""
    tables: tuple[str, ...] = ()
    """the text of each table, lines with the indentation of the first"""
    rows: Mapping[str, str] = field(default_factory=dict)
    """path of a row's scope to its line"""


@ability("writes no source")
class WritesSource(Backend, Protocol):
    """A backend that writes a model as a file of Python."""

    def source(self, graph: Graph, printed: Printed | None = None) -> str:
        """A file that makes the same model without archspec.

        `printed` is what the spec's text prints, for docstrings and comments. Raises `Refusal`.
        """
        ...
