"""What a cell of a variable says, as the reader of the paper takes it."""

from typing import Any

import pytest
from elaborate.texts import codes, graph, kinds, shape, table, wrong

import archspec
from archspec.driver import format_text

SIZES = [
    "3x3", "3×3", "3 x 3", "3 × 3", "3X3", "3 X 3", "3*3", "$3\\times3$", "$3 \\times 3$", "(3, 3)", "(3×3)", "3, 3",
    "[3, 3]", "[3×3]",
]  # fmt: skip


def kernel(cell: str, clauses: str = 'read "conv" = conv(size, 8)') -> Any:
    (conv,) = graph(table("Operator | size", f"conv | {cell}", clauses=clauses)).nodes[1:]
    return conv.op.kernel


@pytest.mark.parametrize("cell", SIZES)
def test_a_size_is_one_however_it_is_written(cell: str) -> None:
    assert kernel(cell) == (3, 3)


@pytest.mark.parametrize("cell", ["1x7", "1×7", "1*7", "1X7", "(1, 7)", "1,7", "$1\\times7$"])
def test_a_pair_keeps_its_order(cell: str) -> None:
    assert kernel(cell) == (1, 7)


def test_a_number_with_thousands_is_one() -> None:
    text = table("Operator | c", "conv | 1,024", "conv | 12,544")
    assert [node.shape[-1] for node in graph(text).nodes[1:]] == [1024, 12544]


@pytest.mark.parametrize(
    "cell", ["2x2/2", "3×3/2", "3x3-64", "4/2", "7/2", "64-32", "3-1", "256,512", "4k", "4 // 2", "10 % 3", "8/4/2"]
)
def test_a_cell_that_may_be_read_otherwise_is_refused_where_something_uses_it(cell: str) -> None:
    (found,) = wrong(table("Operator | c", f"conv | {cell}"))
    assert (found.code, found.primary.text) == ("unclear-cell", cell)
    assert codes(table("Operator | c", f"conv | {cell}", clauses='read "conv" = relu')) == []


@pytest.mark.parametrize(
    ("cell", "value"),
    [("4*k", 40), ("k - 2", 8), ("k/2", 5), ("64+32", 96), ("4K", 4000), ("1/2", None), ("(k//2)", 5)],
)
def test_what_is_computed_with_a_parameter_is_computed(cell: str, value: int | None) -> None:
    text = table(
        "Operator | c", f"conv | {cell}", clauses='read "conv" = conv(1, c)' if value else 'read "conv" = dropout(c)'
    )
    node = graph(text).nodes[1]
    assert node.shape[-1] == value if value else node.op.rate == 0.5  # type: ignore[union-attr]


def test_an_erratum_says_which_it_is() -> None:
    clauses = 'read "conv" = conv(1, c)\nerratum "row 1, c" = "4*k" because "Section 3"'
    assert graph(table("Operator | c", "conv | 4k", clauses=clauses)).nodes[1].shape[-1] == 40


def test_a_column_of_remarks_stops_nobody() -> None:
    assert codes(table("Operator | remark", "conv | avgpool/2", "conv | 1/0", clauses='read "conv" = conv(1, 8)')) == []


def test_a_column_may_have_several_patterns_of_which_the_first_that_fits_is_taken() -> None:
    clauses = (
        'columns "size": "{f}x{f}/{s}" or "{f}x{f}"\nread "conv" = conv(f, 8, 1 if s == none else s)\n"pool" = relu'
    )
    made = graph(table("Operator | size", "conv | 3×3/2", "conv | 5×5", "pool | Global", clauses=clauses))
    assert [(n.op.kernel, n.op.stride) for n in made.nodes[1:3]] == [(3, 2), (5, 1)]


def test_several_patterns_are_written_as_they_were() -> None:
    text = 'arch 1\n\nnetwork N {\n  columns "size": "{f}x{f}/{s}" or "{f}x{f}"\n  infer s in {1, 2 if a else 4}\n}\n'
    assert format_text(text) == text


@pytest.mark.parametrize(("claim", "held"), [("16", True), ("1×1×16", True), ("8", False), ("4×4", False)])
def test_a_map_of_one_pixel_is_a_vector_to_a_claim(claim: str, held: bool) -> None:
    text = table("Input | Operator", "8²×16 | pool", f"{claim} | fc", entry="",
                 clauses='read "pool" = global_avgpool "fc" = flatten -> linear(10)')  # fmt: skip
    assert (codes(text) == []) is held


def test_rows_that_a_repeat_of_none_leaves_out_claim_nothing() -> None:
    clauses = 'columns "id": i\nrepeat (1 if i == k else 0)\nread "conv" = conv(3, c)'
    rows = "id | Operator | c | Params | Input", "1 | conv | 8 | 288 | 8×8×4", "2 | conv | 16 | 7 | 9×9×9"
    text = table(*rows, clauses=clauses, parameters="k = 1")
    assert codes(text) == []
    assert archspec.parse(text).claims() == 2


def test_a_branch_that_is_left_out_is_no_part_of_a_split() -> None:
    body = "split(3 if a else 2) -> (relu | conv(3, 4) | conv(5, 4) if a) -> concat"
    text = f"arch 1\nnetwork N(a = false) {{ input 8 x 8 x 12 body {body} }}"
    assert (graph(text).output.shape, graph(text, a=True).output.shape) == ((8, 8, 10), (8, 8, 12))


@pytest.mark.parametrize("cell", ["8_1", "$8_1$", "3_3", "6__4", "64_"])
def test_a_subscript_is_no_digit(cell: str) -> None:
    assert codes(table("Operator | c", f"conv | {cell}")) == ["bad-argument"]
    assert codes(table("Operator | Output", f"conv | {cell}", clauses='read "conv" = conv(1, 8)')) == ["bad-cell"]


CONDITIONS = ["CELL", "CELL == true", "not (CELL != true)"]


@pytest.mark.parametrize("condition", [one.replace("CELL", "SE") for one in CONDITIONS])
@pytest.mark.parametrize("column", ["variable", "pattern", "hole"])
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        *((cell, True) for cell in ("✓", "✔", "✅", "yes", "Yes", "YES", "true", "True", "TRUE")),
        *((cell, False) for cell in ("✗", "✘", "❌", "no", "No", "false", "False", "-", "–")),
        *((cell, None) for cell in ("Y", "N", "1", "0", "x", "o", "SE", "●", "on")),
    ],
)
def test_a_cell_that_is_true_or_false_is_read_alike_wherever_it_stands(
    cell: str, said: bool | None, column: str, condition: str
) -> None:
    """What is neither is refused, with what to write."""
    if column == "hole" and cell in {"-", "–"}:
        cell = "no"  # a hole that takes a dash takes nothing
    rule, row = ('"a {SE}"', f"a {cell} | 1") if column == "hole" else ('"a"', f"a | {cell}")
    columns = {"pattern": 'columns "use": "{SE}"', "variable": 'columns "use": SE', "hole": 'columns "use": note'}
    text = table("Operator | use", row, clauses=f"{columns[column]}\nread {rule} = relu if {condition} else tanh")
    if said is None:
        (found,) = wrong(text)
        assert (found.code, found.primary.text, "`✓`" in str(found.help)) == ("bad-arithmetic", cell, True)
    else:
        assert kinds(text) == ["relu" if said else "tanh"]


def test_a_cell_that_is_true_is_not_compared_with_a_number() -> None:
    (found,) = wrong(table("Operator | SE", "a | ✓", clauses='read "a" = relu if SE == 1 else tanh'))
    assert (found.code, found.primary.text) == ("bad-arithmetic", "✓")


def test_a_parameter_is_not_a_yes_or_no() -> None:
    text = table("Operator | c", "conv | no", clauses='read "conv" = conv(1, c)', parameters="no = 7")
    assert shape(text) == (8, 8, 7)


@pytest.mark.parametrize("cell", ["✓", "true", "✗"])
def test_a_tick_is_no_number_of_times(cell: str) -> None:
    assert codes(table("Operator | n", f"conv | {cell}", clauses='read "conv" = conv(1, 8)')) == ["bad-arithmetic"]


def test_a_parameter_by_itself_is_a_size_or_a_product() -> None:
    (found,) = wrong(table("Operator | size", "conv | k*k", clauses='read "conv" = conv(size, 8)', parameters="k = 3"))
    assert found.code == "unclear-cell"
    assert kernel("k×k", 'read "conv" = conv(size, 8)') == (10, 10)


@pytest.mark.parametrize("cell", ["min(64)", "max(64)"])
def test_the_least_of_one_number_is_itself(cell: str) -> None:
    assert graph(table("Operator | c", f"conv | {cell}")).nodes[1].shape[-1] == 64
