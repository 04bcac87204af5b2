"""Pictures: a whole process that draws every layer of Inception v3, and how the time grows with the network."""

import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.cold import ARCHSPEC, usage
from benchmarks.markdown import SPREAD, milliseconds, prose, ratio, spread_cells, table, verdict
from benchmarks.samples import Spread, alternate, settle, timed

OURS, PAGE, THEIRS = "`archspec render inception_v3 --level layer`", "the same as a page (html)", "torchview"
NETWORK = "inception_v3"
TARGET = 2.0
"""seconds"""
DEPTHS = (125, 250, 500, 1000, 2000)
ROUNDS, QUICK = 9, 3
PROGRAM = """
import sys, warnings
warnings.simplefilter("ignore")
from benchmarks.counters import *
from torchview import draw_graph
model = torchvision_model(sys.argv[1])
drawn = draw_graph(model, input_size=(1, 3, 299, 299), device="meta", depth=10, expand_nested=True)
open(sys.argv[2], "wb").write(drawn.visual_graph.pipe("svg"))
"""


def measure(quick: bool) -> str:
    """The section of the page."""
    with tempfile.TemporaryDirectory() as folder:
        return f"{cold(Path(folder), quick)}\n\n{growth(quick)}"


def cold(folder: Path, quick: bool) -> str:
    commands = {
        OURS: [ARCHSPEC, "render", NETWORK, "--level", "layer", "-o", str(folder / "ours.svg")],
        PAGE: [ARCHSPEC, "render", NETWORK, "-o", str(folder / "ours.html")],
        THEIRS: [sys.executable, "-c", PROGRAM, NETWORK, str(folder / "theirs.svg")],
    }
    runs = {name: lambda command=command: usage(command, str(folder)) for name, command in commands.items()}
    found = alternate(runs, dict.fromkeys(runs, QUICK if quick else ROUNDS), warmups=1)
    spreads = {name: Spread.of([run.seconds for run in used]) for name, used in found.items()}
    rows = [
        [name, *spread_cells(spread), ratio(spread.median, spreads[OURS].median),
         f"{max(run.peak for run in found[name]) / 2**20:,.0f} MiB"]
        for name, spread in spreads.items()
    ]  # fmt: skip
    ours, theirs = spreads[OURS].median, spreads[THEIRS].median
    said = prose(
        f"Target: {TARGET:.0f} s at most, {verdict(ours <= TARGET)}; less than torchview, {verdict(ours < theirs)}. "
        "Both have Graphviz draw an SVG. torchview builds torchvision's model first, on the `meta` device, and draws "
        "each of its modules; we draw repeats once. Below, pictures of networks that grow; Graphviz lays out the SVG, "
        "so that the target for growing networks, in the next section, is not of these."
    )
    return f"{table(['process', *SPREAD, 'ratio', 'peak memory'], rows)}\n\n{said}"


def growth(quick: bool) -> str:
    """Milliseconds for networks of more and more layers, each row another one, so that nothing can be folded."""
    # not before the processes were measured: a child begins as large as this one
    import archspec
    from archspec.drawing import picture
    from benchmarks.scaling import LAYERS, LIMITS, distinct_rows

    graphs = {
        depth: archspec.parse(distinct_rows(range(8, 8 + depth // LAYERS)), limits=LIMITS).elaborate()
        for depth in DEPTHS
    }
    rows = []
    for title, form, level in (("rows, svg", "svg", "row"), ("layers, svg", "svg", "layer"), ("page", "html", None)):
        times = {}
        for depth, graph in graphs.items():
            settle()
            draw = partial(picture, graph, form, level=level)
            times[depth] = Spread.of([timed(draw)[0] for _ in range(2 if quick else 5)]).median
        doublings = ratio(times[DEPTHS[-1]], times[DEPTHS[-2]])
        rows.append([title, *(milliseconds(seconds) for seconds in times.values()), doublings])
    return table(["", *(f"{depth:,} layers" for depth in DEPTHS), "last doubling"], rows)
