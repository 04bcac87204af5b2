"""The formatter: each rule of the layout, and whole files before and after (`golden/format/*.arch`, `*.formatted`)."""

from collections.abc import Callable
from pathlib import Path

import pytest

import archspec
from archspec.source import Source
from archspec.syntax import parse
from archspec.syntax.printer import print_tree

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "tests" / "golden" / "format"
INPUTS = sorted(FOLDER.glob("*.arch"))
SHIPPED = sorted([*ROOT.glob("specs/*.arch"), *ROOT.glob("archspec/**/*.arch")])


def read(path: Path) -> str:
    return path.read_bytes().decode()


def expression(text: str) -> str:
    """An expression as a function has it after formatting."""
    return archspec.format(f"arch 1 def f(c) = {text}").removeprefix("arch 1\ndef f(c) = ").removesuffix("\n")


def clause(text: str) -> str:
    """A clause, or several, after formatting."""
    return archspec.format(f"arch 1 network N {{ {text} }}").removeprefix("arch 1\nnetwork N {\n").removesuffix("}\n")


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_a_file_is_formatted_as_its_golden_file_says(path: Path, golden: Callable[[str, str], None]) -> None:
    golden(f"format/{path.stem}.formatted", archspec.format(read(path)))


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.stem)
def test_formatting_keeps_the_tree_and_repeats_itself(path: Path) -> None:
    printed = archspec.format(read(path))
    assert parse(Source("after", printed)) == parse(Source("before", read(path)))
    assert archspec.format(printed) == printed


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_file_that_we_ship_is_canonical(path: Path) -> None:
    assert archspec.format(read(path)) == read(path)


@pytest.mark.parametrize(
    "text",
    [
        *("(a + b) + c", "a - (b - c)", "(a + b) * c", "(-a) ** 2", "(a ** b) ** c", "-(a * b)", "-(-7) // 2"),
        *(
            "not (a and b)",
            "(a or b) and c",
            "(a < b) == c",
            "(a if b else c) if d else e",
            "a if b else c if d else e",
        ),
    ],
)
def test_parentheses_that_mean_something_stay(text: str) -> None:
    assert expression(text) == text.replace("-(-7)", "--7")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("((a))", "a"), ("(a * b) + c", "a * b + c"), ("(a ** b)", "a ** b"), ("a ** (b ** c)", "a ** b ** c")),
        *(("a or (b and c)", "a or b and c"), ("not (a < b)", "not a < b"), ("min((a), (b + 1))", "min(a, b + 1)")),
        ("a if b else (c if d else e)", "a if b else c if d else e"),
    ],
)
def test_parentheses_that_mean_nothing_go(text: str, expected: str) -> None:
    assert expression(text) == expected


def test_a_product_may_begin_with_a_call() -> None:
    assert expression("ceil(c) * 2") == "ceil(c) * 2"


@pytest.mark.parametrize("text", ["1_000", ".5", "0.50", "1e-3", "2E+4"])
def test_numbers_stay_as_written(text: str) -> None:
    assert expression(text) == text


@pytest.mark.parametrize(
    ("text", "expected"), [("'a'", '"a"'), ('"a"', '"a"'), ("'a \"b\"'", "'a \"b\"'"), ('"it\'s"', '"it\'s"')]
)
def test_a_string_stands_between_the_quotes_that_it_does_not_hold(text: str, expected: str) -> None:
    assert expression(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(
            ("300 M±1 %", "300M ± 1%"),
            ("1.8 × 10^9", "1.8×10^9"),
            ("1.8x10^{9}", "1.8x10^{9}"),
            ("3 K x10²", "3K x10²"),
        ),
        ("3 # thousand\n K", "3K"),
    ],
)
def test_a_quantity_keeps_its_digits_and_signs(text: str, expected: str) -> None:
    assert f"check params = {expected}" in clause(f"check params = {text}")


def test_factors_are_close_in_arguments_and_sums_in_shapes_too() -> None:
    printed = clause("input h + 1 x w // 2 x 3 body conv(1 x 7, 2 * k + 1) if k % 2 == 0")
    assert printed == "  input h+1 x w//2 x 3\n  body conv(1x7, 2*k + 1) if k % 2 == 0\n"


def test_a_table_keeps_its_bytes_and_every_other_line_ends_with_lf() -> None:
    body = "{ \r\n|a |\tb\u2028|\r\n # | 'c |\r\n\t}"
    printed = clause(f"title 'a'\r\n\r\n\r\n\ttable\f{body}\r\ncite 'b' # c\r\n")
    assert printed == f'  title "a"\n\n  table {body}\n  cite  "b"  # c\n'


def test_only_a_byte_order_mark_that_reading_took_away_is_gone() -> None:
    with pytest.raises(archspec.SpecError):
        archspec.format("\ufeffarch 1")


def test_comments_at_the_ends_of_neighbouring_lines_are_aligned() -> None:
    printed = clause("title 'a' # b\ninput 1 x 1 # c\n\nbody relu # d\n")
    assert printed == '  title "a"    # b\n  input 1 x 1  # c\n\n  body relu  # d\n'


def test_a_comment_loses_the_blanks_at_its_end_alone() -> None:
    assert archspec.format("arch 1 #\u2003a \t\f\r\n") == "arch 1  #\u2003a\n"


def test_two_comments_of_what_becomes_one_line_are_both_kept() -> None:
    assert clause("body conv(3, # a\n 16, # b\n 2)\n") == "  # a\n  body conv(3, 16, 2)  # b\n"


def test_a_branch_stands_on_its_line_where_the_fork_is_long_or_was_broken() -> None:
    assert clause("body (a\n| b) -> add") == "  body ( a\n       | b ) -> add\n"
    assert clause("body (a | b) -> add") == "  body (a | b) -> add\n"


def test_a_comment_stands_before_the_same_line_of_a_long_choice_again() -> None:
    names = ", ".join(f'"a_long_name_of_a_choice_{i}"' for i in range(5))
    printed = archspec.format(f"arch 1\nblock a(b in {{{names}}} = 0, c) =\n# note\nrelu")
    assert [line.strip()[:6] for line in printed.splitlines()] == ["arch 1", "block ", "# note", '"a_lon']
    assert archspec.format(printed) == printed


def test_no_line_is_longer_than_110_columns_where_a_step_fits() -> None:
    printed = clause("body " + " -> ".join(["conv(3, 64, bias = true)"] * 30))
    assert max(map(len, printed.splitlines())) <= 110
    assert all(line.startswith("    -> ") for line in printed.splitlines()[1:])


def test_a_mistake_is_raised_with_the_name_of_the_text() -> None:
    with pytest.raises(archspec.SpecError, match=r"net\.arch:1:8: unexpected-text"):
        archspec.format("arch 1 nothing", "net.arch")


def test_the_text_may_be_as_deep_as_the_parser_allows() -> None:
    deep = "(" * 90 + "relu" + ")" * 90
    assert clause(f"body {deep}") == f"  body {deep}\n"


def test_what_is_printed_needs_the_tree_alone() -> None:
    file = parse(Source("a", "arch 1 use 'b'"))
    assert print_tree(file) == 'arch 1\nuse "b"\n'
