"""Networks of 10² to 10⁵ nodes: what a node takes of time and memory must not grow with their number."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count, islice, pairwise
from math import log
from pathlib import Path

import archspec
from archspec.drawing import picture
from benchmarks.markdown import prose, ratio, table, verdict
from benchmarks.samples import Spread, alternate, settle, timed

ROUNDS = {10**2: 15, 10**3: 9, 10**4: 7, 10**5: 3}
QUICK_ROUNDS = {10**2: 5, 10**3: 3, 10**4: 1}
LAYERS = 3
"""nodes of a row, or of a pass of the repeat"""
LIMITS = archspec.Limits(nodes=10**6)
STAGES = ("parse", "format", "elaborate", "stats", "render rows as DOT")
DOUBLING = 2.3
"""The target: what twice the network may take, in times"""
Text = Callable[[Sequence[int]], str]


def distinct_rows(widths: Sequence[int]) -> str:
    """One table; every row has a width of its own."""
    cells = "\n".join(f"| 8×8×{width} | conv3 | {width + 1} |" for width in widths)
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


def repeated_block(widths: Sequence[int]) -> str:
    """One row that says as often as there are widths, with the first of them, the same block."""
    return f"""arch 1
block cell(c) = conv(3, c) -> bn -> relu6
network Passes {{
  table {{
    | Input            | Operator | c           | n             |
    |------------------|----------|-------------|---------------|
    | 8×8×{widths[0]}  | cell     | {widths[0]} | {len(widths)} |
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
    formatting, _ = timed(partial(archspec.format, text, limits=LIMITS))
    elaborating, graph = timed(spec.elaborate)
    counting, _ = timed(graph.stats)
    drawing, _ = timed(partial(picture, graph, "dot", level="row"))
    assert len(graph.nodes) == nodes
    return tuple(seconds / nodes for seconds in (parsing, formatting, elaborating, counting, drawing))


def peak(shape: str, nodes: int) -> int:
    """Bytes that a process takes that does all of it once."""
    command = [sys.executable, "-m", "benchmarks.scaling", shape, str(nodes)]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def run(text: Text, nodes: int, widths: Iterator[int]) -> tuple[float, ...]:
    """One network with widths that no other had: nothing of it has been parsed already."""
    own = list(islice(widths, (nodes - 1) // LAYERS))
    return stages(text(own), nodes)


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
    worst = 0.0
    memory = {shape: [peak(shape, nodes) for nodes in sizes] for shape in SHAPES}
    for shape in SHAPES:
        for position, stage in enumerate(STAGES):
            spreads = [Spread.of([one[position] for one in taken[f"{shape} {nodes}"]]) for nodes in sizes]
            growth = ratio(spreads[-1].median, spreads[0].median), ratio(spreads[-1].median, spreads[1].median)
            rows.append((f"{shape}: {stage}", *map(cell, spreads), *growth))
            totals = [spread.median * nodes for spread, nodes in zip(spreads, sizes, strict=True)]
            worst = max(worst, *doublings(totals, list(sizes)))
        worst = max(worst, *doublings(memory[shape], list(sizes)))
        said = (f"{taken / 2**20:,.0f} MiB" for taken in memory[shape])
        rows.append((f"{shape}: peak memory, in all", *said, "", ""))
    header = ("ns per node", *(f"{nodes:,} nodes" for nodes in sizes), "last ÷ first", "last ÷ second")
    remarks = (
        "Medians, and quartiles in parentheses, of "
        f"{', '.join(map(str, sizes.values()))} repetitions. Each repetition is a text with widths of its own, so that "
        "nothing in it has been parsed before. A small network spreads what is fixed for a text over fewer nodes: "
        "flat, or falling, is what is wanted. Python's garbage collector pauses while a network is elaborated, "
        "counted or drawn. Target: twice the "
        f"network takes {DOUBLING} times the time and memory at most: {worst:.2f} times, {verdict(worst <= DOUBLING)} "
        "(the most between two sizes beside each other, as a mean of the doublings between them)."
    )
    return f"{table(header, rows)}\n\n{prose(remarks)}"


def doublings(totals: Sequence[float], sizes: Sequence[int]) -> list[float]:
    """By how much what is taken grows where the network is twice as large, from each size to the next."""
    pairs = zip(pairwise(totals), pairwise(sizes), strict=True)
    return [(large / small) ** (log(2) / log(most / least)) for (small, large), (least, most) in pairs]


def cell(spread: Spread) -> str:
    median, lower, upper = (f"{value * 1e9:,.0f}" for value in (spread.median, spread.lower, spread.upper))
    return f"{median} ({lower} – {upper})"


if __name__ == "__main__":
    run(SHAPES[sys.argv[1]], int(sys.argv[2]), count(16))
    # the most that this process has held since it began; `getrusage` begins with what its parent held
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    print(int(held[1]) * 1024 if held else 0)
