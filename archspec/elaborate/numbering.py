"""`number i of m`: the place of a pass among all passes of the rows whose rules name it.

Rates that grow with a block's place in the network (stochastic depth) are written with it. How many passes there are
is known only after a fold, so a network with such a clause is folded twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from archspec.elaborate.evaluate import Binding
from archspec.syntax import tree as t

UNKNOWN = 2
"""The total in the first fold; not 1, so that `i / (m - 1)` can be computed."""


@dataclass(slots=True)
class Numbering:
    """Counts the passes of one fold."""

    clause: t.Numbering
    total: int | None = None
    passed: int = 0

    def counts(self, names: Iterable[str]) -> bool:
        """Whether a rule that mentions these names takes part."""
        given = {self.clause.position.id, self.clause.total.id if self.clause.total else None}
        return not given.isdisjoint(names)

    def bindings(self, further: int = 0) -> dict[str, Binding]:
        """The place of a pass, `further` passes from here, and how many there are."""
        place = 0 if self.total is None else self.passed + further
        found = {self.clause.position.id: Binding(place, self.clause.position.span)}
        if self.clause.total is not None:
            total = UNKNOWN if self.total is None else self.total
            found[self.clause.total.id] = Binding(total, self.clause.total.span)
        return found
