"""An input of another size than the text states."""

from collections.abc import Callable

import pytest

import archspec
from archspec.cli.commands import run

SPEC = """arch 1
network N {
  table {
    | Input | Operator | c | MACs |
    | 8²×3  | conv     | 4 | 1728 |
    | 4²×4  | conv     | 8 |      |
  }
  read "conv" = conv(3, c, 2)
  check macs = 2_880
}
"""


@pytest.mark.parametrize(
    ("image", "shape"), [((9, 12), (9, 12, 3)), ((16,), (16, 16, 3)), ((6, 5, 7), (6, 5, 7)), ((8, 8, 3), (8, 8, 3))]
)
def test_sides_that_are_not_given_are_those_of_the_text(image: tuple[int, ...], shape: tuple[int, ...]) -> None:
    assert archspec.parse(SPEC).elaborate(image).input.shape == shape


def test_nothing_is_claimed_of_another_image_and_everything_of_the_texts_own() -> None:
    spec = archspec.parse(SPEC)
    assert spec.elaborate((16, 16)).stats().macs == 4 * 2_880
    wrong = archspec.parse(SPEC.replace("1728", "1729"))
    with pytest.raises(archspec.SpecError):
        wrong.elaborate((16, 16))


FIRST = [
    "3×32×32",
    "3 × 32 × 32",
    "(3, 32, 32)",
    "[None, 3, 32, 32]",
    "3×32²",
    "$3 \\times 32^2$",
    "64×32×32",
    "3×32×48",
]


def markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def latex(rows: list[list[str]]) -> str:
    return "\n".join(" & ".join(row) + r" \\\\" for row in rows)


def html(rows: list[list[str]]) -> str:
    return "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)


def tabs(rows: list[list[str]]) -> str:
    return "\n".join("\t".join(row) for row in rows)


@pytest.mark.parametrize("form", [markdown, latex, html, tabs])
@pytest.mark.parametrize("first", FIRST)
def test_a_first_input_cell_with_its_channels_first_is_refused(
    first: str, form: Callable[[list[list[str]]], str]
) -> None:
    rows = [["Input", "Operator", "c"], [first, "conv", "8"], ["-", "conv", "8"]]
    text = f'arch 1\nnetwork N {{\n  table {{\n{form(rows)}\n  }}\n  read "conv" = conv(3, c)\n}}\n'
    (found,) = archspec.parse(text).check()
    assert (found.code, found.severity, "all claims hold" in str(found.help)) == ("channels-first", "error", True)
    sides = found.claimed  # type: ignore[attr-defined]
    meant = text.replace("table", f"input {' x '.join(map(str, sides))}\ntable", 1)
    assert archspec.parse(meant).elaborate().input.shape == sides  # whoever writes it so is taken at their word
    assert [one.severity for one in archspec.parse(meant).check()] == ["warning"]


@pytest.mark.parametrize("cell", ["224²×3", "224 × 224 × 3", "16×16×16", "3×3×512", "1×128×9", "48×64×3", "7×5×2"])
def test_an_input_that_is_not_so_is_built_as_it_is_printed(cell: str) -> None:
    text = f'arch 1\nnetwork N {{ table {{\n| Input | Operator |\n| {cell} | conv |\n}}\nread "conv" = conv(1, 8) }}'
    assert archspec.parse(text).check() == []


@pytest.mark.parametrize(
    ("second", "holds"), [("8×16×16", True), ("16×8×16", False), ("16×16×8", False), ("wide", False)]
)
def test_what_is_said_of_the_other_cells_was_tried(second: str, holds: bool) -> None:
    rows = [["Input", "Operator"], ["3×32×32", "conv"], [second, "conv"]]
    text = f'arch 1\nnetwork N {{\ntable {{\n{markdown(rows)}\n}}\nread "conv" = conv(3, 8, 2)\n}}\n'
    (found,) = archspec.parse(text).check()
    assert ("all claims hold" in str(found.help)) is holds


def test_an_input_that_is_given_with_its_channels_first_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(archspec.SpecError, match="as in `224x224x3`"):
        archspec.load("mobilenet_v2").elaborate((3, 224, 224))
    assert run(["stats", "mobilenet_v2", "--input", "3x224x224"]) == 2
    assert "as in `224x224x3`" in capsys.readouterr().err


@pytest.mark.parametrize("image", [(), (0, 3), (8, 8, 3, 1), (8.0, 8), (True, 8)])
def test_what_is_no_size_is_an_error(image: tuple[int, ...]) -> None:
    with pytest.raises(archspec.SpecError, match="`input` cannot be"):
        archspec.parse(SPEC).elaborate(image)


def test_the_command_line_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "mobilenet_v2", "--input", "160x160", "--format", "csv"]) == 0
    assert "160×160×3" in capsys.readouterr().out
    assert run(["stats", "mobilenet_v2", "--input", "160x"]) == 2
    assert run(["stats", "mobilenet_v2", "--input", "3000000"]) == 4
