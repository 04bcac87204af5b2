"""A comparison -> the sentences that its report begins with, where it is not what a comparison should be.

Every network should converge and reach the target in four of five seeds, at a learning rate within the grid.
"""

from archspec.train.compare import Comparison
from archspec.train.findings import Findings
from archspec.train.rates import edge

ENOUGH = 0.8
"""The share of its runs that a network should converge and reach the target in."""


def caveats(comparison: Comparison, found: Findings) -> list[str]:
    """What is not as it should be, of each network in turn."""
    protocol = comparison.protocol
    largest = max(protocol.fractions)
    said = []
    for label, speed in zip(comparison.labels, found.speeds, strict=True):
        runs, tried = comparison.of(label, largest), comparison.tried(label)
        converged = sum(run.status == "converged" for run in runs)
        if converged < ENOUGH * len(runs):
            said.append(f"{label} converged in {converged} of {len(runs)} runs")
        if speed.reached < ENOUGH * len(runs):
            said.append(f"{label} reached {protocol.target:g} in {speed.reached} of {len(runs)} runs")
        if beyond := edge(comparison.rates[label], tried):
            rate = f"{comparison.rates[label]:g}"
            said.append(
                f"{label} has the {beyond} learning rate that was tried ({rate}), and a better one may lie beyond it"
            )
    return said


def warning(comparison: Comparison, found: Findings) -> str:
    """The first line of a report; empty where all is as it should be."""
    said = caveats(comparison, found)
    return f"Not settled: {'; '.join(said)}." if said else ""
