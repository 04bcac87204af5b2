"""Networks of 10² to 10⁵ nodes: the time for each node must not grow with their number."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import archspec
from benchmarks.markdown import ratio, table
from benchmarks.samples import Spread, alternate, settle, timed

ROUNDS = {10**2: 15, 10**3: 9, 10**4: 7, 10**5: 3}
QUICK_ROUNDS = {10**2: 5, 10**3: 3, 10**4: 1}
LAYERS = 3
"""nodes of a row, or of a pass of the repeat"""
LIMITS = archspec.Limits(nodes=10**6)
STAGES = ("parse", "elaborate", "stats")
Text = Callable[[int, int], str]


def distinct_rows(rows: int, first: int) -> str:
    """One table; every row has a width of its own, from `first` on."""
    cells = "\n".join(f"| 8×8×{c} | conv3 | {c + 1} |" for c in range(first, first + rows))
    return f"""arch 1
network Rows {{
  table {{
    | Input | Operator | c |
    |-------|----------|---|
{cells}
  }}
  read "conv3" = conv(3, c) -> bn -> relu6
}}
"""


def repeated_block(passes: int, channels: int) -> str:
    """One row that says the same block again and again."""
    return f"""arch 1
block cell(c) = conv(3, c) -> bn -> relu6
network Passes {{
  table {{
    | Input          | Operator | c          | n        |
    |----------------|----------|------------|----------|
    | 8×8×{channels} | cell     | {channels} | {passes} |
  }}
  repeat n
  read "cell" = cell(c)
}}
"""


SHAPES: dict[str, Text] = {"distinct rows": distinct_rows, "one block repeated": repeated_block}


def stages(text: str, nodes: int) -> tuple[float, ...]:
    """Seconds of each stage for each node."""
    settle()
    parsing, spec = timed(partial(archspec.parse, text, limits=LIMITS))
    elaborating, graph = timed(spec.elaborate)
    counting, _ = timed(graph.stats)
    assert len(graph.nodes) == nodes
    return parsing / nodes, elaborating / nodes, counting / nodes


def run(text: Text, nodes: int, widths: "Iterator[int]") -> tuple[float, ...]:
    """One network that was never seen before: no cell of it has been parsed already."""
    repetitions = (nodes - 1) // LAYERS
    first = next(widths)
    for _ in range(repetitions if text is distinct_rows else 0):
        next(widths)
    return stages(text(repetitions, first), nodes)


def measure(quick: bool) -> str:
    """The section of growing networks."""
    sizes = QUICK_ROUNDS if quick else ROUNDS
    widths = count(16)
    contestants = {
        f"{shape} {nodes}": partial(run, text, nodes, widths) for nodes in sizes for shape, text in SHAPES.items()
    }
    rounds = {f"{shape} {nodes}": times for nodes, times in sizes.items() for shape in SHAPES}
    run(distinct_rows, 10**2, widths)
    taken = alternate(contestants, rounds, warmups=0)
    rows = []
    for shape in SHAPES:
        for position, stage in enumerate(STAGES):
            spreads = [Spread.of([one[position] for one in taken[f"{shape} {nodes}"]]) for nodes in sizes]
            growth = ratio(spreads[-1].median, spreads[0].median), ratio(spreads[-1].median, spreads[1].median)
            rows.append((f"{shape}: {stage}", *map(cell, spreads), *growth))
    header = ("ns per node", *(f"{nodes:,} nodes" for nodes in sizes), "last ÷ first", "last ÷ second")
    return (
        f"{table(header, rows)}\n\n"
        "Medians, and quartiles in parentheses, of "
        f"{', '.join(map(str, sizes.values()))} repetitions. Each repetition is a text with widths of its own, so that "
        "nothing in it has been parsed before. Small networks pay what is fixed for a text with fewer nodes: flat, or "
        "falling, is what is wanted."
    )


def cell(spread: Spread) -> str:
    median, lower, upper = (f"{value * 1e9:,.0f}" for value in (spread.median, spread.lower, spread.upper))
    return f"{median} ({lower} – {upper})"
