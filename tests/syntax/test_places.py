"""Where nodes stand: as Lark's own bookkeeping has it, which does more than is needed here."""

from pathlib import Path

import lark
import pytest

from archspec.syntax.lalr import CELL_RULES, GRAMMAR, lark_parser

ROOT = Path(__file__).parents[2]
FILES = [*sorted(ROOT.glob("specs/*.arch")), *sorted(ROOT.glob("archspec/**/*.arch")),
         *sorted((ROOT / "tests" / "golden" / "format").glob("*.arch"))]  # fmt: skip
CELLS = [
    "(3, 3)",
    "(a + b) * c",
    "[1 x 2]",
    "2.5M",
    "k",
    "((k))",
    "-k**2",
    "f(a, b = (1)) // 2",
    "a if (b) else c",
    "1, 2",
]


@pytest.fixture(scope="module")
def plain() -> lark.Lark:
    starts = ["start", *CELL_RULES]
    return lark.Lark(
        GRAMMAR.read_text("utf-8"), parser="lalr", start=starts, propagate_positions=True, maybe_placeholders=True
    )


def places(tree: lark.Tree[lark.Token]) -> list[tuple[str, bool, int | None, int | None]]:
    """Every node with its place, in one order."""
    return [
        (node.data, node.meta.empty, getattr(node.meta, "start_pos", None), getattr(node.meta, "end_pos", None))
        for node in tree.iter_subtrees_topdown()
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_nodes_of_a_file_stand_where_lark_has_them(file: Path, plain: lark.Lark) -> None:
    text = file.read_text("utf-8")
    assert places(lark_parser().parse(text, start="start")) == places(plain.parse(text, start="start"))


@pytest.mark.parametrize("cell", CELLS)
def test_the_nodes_of_a_cell_stand_where_lark_has_them(cell: str, plain: lark.Lark) -> None:
    found = lark_parser().parse(cell, start="value_cell")
    assert places(found) == places(plain.parse(cell, start="value_cell"))


def test_no_rule_of_precedence_builds_a_node() -> None:
    """What makes it quick: if Lark is built otherwise, nothing but time is lost, and this says so."""
    callbacks = getattr(lark_parser(), "_callbacks", {})
    assert sum(type(callback).__name__ == "itemgetter" for callback in callbacks.values()) > 10
    assert not any(type(callback).__name__ == "PropagatePositions" for callback in callbacks.values())
