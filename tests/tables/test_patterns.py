"""Patterns of operator cells: a size is one and the same however it is printed; what stands in a pattern is its own."""

import pytest

from archspec.tables import patterns


def holes(pattern: str, text: str) -> dict[str, str] | None:
    found = patterns.match(pattern, text)
    return None if found is None else {name: token.text for name, token in found.holes.items()}


@pytest.mark.parametrize(
    "form", ["{0}×{0}", "{0} x {0}", "{0}X{0}", "{0}*{0}", r"${0}\times{0}$", "({0}, {0})", "({0}×{0})"]
)
@pytest.mark.parametrize("around", ["conv {}", "{} conv", "conv {}, stride 2"])
def test_a_size_is_the_same_however_it_is_printed(form: str, around: str) -> None:
    pattern = around.format("{k}x{k}")
    assert holes(pattern, around.format(form.format(3))) == {"k": "3"}
    assert holes(around.format("3x3"), around.format(form.format(3))) == {}
    assert holes(pattern, around.format(form.format(3).replace("3", "5", 1))) is None


def test_parentheses_and_commas_of_a_pattern_are_its_own() -> None:
    assert holes("conv ({i}, {o})", "conv (3, 64)") == {"i": "3", "o": "64"}
    assert holes("conv ({i}, {o})", "conv 3×64") is None
    assert holes("conv ({k}x{k})", "conv (3×3)") == holes("conv ({k}x{k})", "conv 3x3") == {"k": "3"}
    assert holes("inception ({i}{j})", "inception (4a)") == {"i": "4", "j": "a"}


def test_of_two_patterns_the_one_with_the_parentheses_is_more_specific() -> None:
    literal, bare = (patterns.match(text, "conv (3, 3)") for text in ("conv ({i}, {o})", "conv {k}x{k}"))
    assert literal is not None
    assert bare is not None
    assert literal.specificity > bare.specificity


def test_a_comma_of_thousands_joins_no_size() -> None:
    assert holes("conv {a}x{b}", "conv (1,024)") is None
    assert holes("conv {a}x{b}", "conv (1, 7)") == {"a": "1", "b": "7"}


@pytest.mark.parametrize("cell", ["3×3, 16×k", "3x3, 16xk", "3 x 3, 16 x k"])
def test_an_x_after_a_hole_or_a_number_is_a_sign(cell: str) -> None:
    assert holes("3x3, {c}xk", cell) == {"c": "16"}


def test_an_x_within_a_word_is_a_letter() -> None:
    assert holes("max{f}", "max2") == {"f": "2"}
    assert holes("{a} x{b}", "3 xs") is None
