"""Tables as papers print them, for the tests of what is pasted."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
V2 = [
    ["Input", "Operator", "t", "c", "n", "s"],
    ["224²×3", "conv2d", "-", "32", "1", "2"],
    ["112²×32", "bottleneck", "1", "16", "1", "1"],
    ["112²×16", "bottleneck", "6", "24", "2", "2"],
    ["56²×24", "avgpool 56x56", "-", "-", "1", "-"],
    ["1×1×24", "conv2d 1x1", "-", "k", "-", "-"],
]
"""A small MobileNetV2."""


def table_of(name: str) -> str:
    """The bare table of a spec of the zoo."""
    text = (ROOT / "specs" / f"{name}.arch").read_text(encoding="utf-8")
    return re.search(r"table \{\n((?: *\|.*\n)+)", text)[1]  # type: ignore[index]


def markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])
