"""Counting a network from the command line, against what else counts it: whole processes, five networks."""

import sys
import tempfile
from functools import partial

from benchmarks.cold import ARCHSPEC, Usage, usage
from benchmarks.counters import PEERS
from benchmarks.markdown import milliseconds, prose, ratio, table, verdict
from benchmarks.samples import Spread, alternate

NETWORKS = {"mobilenet_v2": 224, "resnet152": 224, "inception_v3": 299, "efficientnet_b7": 600, "densenet201": 224}
"""and the side of their images"""
OURS = "archspec stats"
ROUNDS, QUICK = {True: 11, False: 3}, {True: 3, False: 1}
"""of ours, and of each other's"""
FASTER, SMALLER = 10, 80
"""The targets: times as fast as the best of the others; MB"""


def measure(quick: bool) -> str:
    """The section of the page."""
    rounds = QUICK if quick else ROUNDS
    rows, ratios, peaks = [], [], []
    for name, side in NETWORKS.items():
        found = taken(name, side, rounds)
        spreads = {who: Spread.of([use.seconds for use in used]) for who, used in found.items()}
        ours = spreads[OURS].median
        ratios.append(min(spreads[peer].median for peer in PEERS) / ours)
        peaks.append(peak(found[OURS]))
        for who, spread in spreads.items():
            said = f"{milliseconds(spread.lower)} – {milliseconds(spread.upper)}"
            rows.append((name if who == OURS else "", f"`{who}`" if who == OURS else who, milliseconds(spread.median),
                         said, ratio(spread.median, ours), f"{peak(found[who]) / 1e6:,.0f} MB"))  # fmt: skip
    remarks = (
        f"Targets: {FASTER} times as fast as the best of the others: {min(ratios):.1f} to {max(ratios):.1f} times, "
        f"{verdict(min(ratios) >= FASTER)}; less than {SMALLER} MB: {max(peaks) / 1e6:.0f} MB at most, "
        f"{verdict(max(peaks) < SMALLER * 1e6)}. Medians and quartiles of {rounds[True]} processes of ours and "
        f"{rounds[False]} of each of the others, which import a framework and build the model first; torchinfo, fvcore "
        "and ptflops run it, too. Keras counts parameters alone."
    )
    header = ("network", "process", "median", "quartiles", "ratio", "peak memory")
    return f"{table(header, rows)}\n\n{prose(remarks)}"


def taken(name: str, side: int, rounds: dict[bool, int]) -> dict[str, list[Usage]]:
    """What every process took."""
    commands = {OURS: [ARCHSPEC, "stats", name]} | {
        peer: [sys.executable, "-m", "benchmarks.counters", peer, name, str(side)] for peer in PEERS
    }
    with tempfile.TemporaryDirectory() as cache:
        usage(commands[OURS], cache)
        contestants = {who: partial(usage, command, cache) for who, command in commands.items()}
        return alternate(contestants, {who: rounds[who == OURS] for who in commands}, warmups=0)


def peak(used: list[Usage]) -> float:
    return Spread.of([one.peak for one in used]).median
