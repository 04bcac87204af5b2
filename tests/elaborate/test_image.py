"""An input of another size than the text states."""

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


@pytest.mark.parametrize("image", [(), (0, 3), (8, 8, 3, 1), (8.0, 8), (True, 8)])
def test_what_is_no_size_is_an_error(image: tuple[int, ...]) -> None:
    with pytest.raises(archspec.SpecError, match="`input` cannot be"):
        archspec.parse(SPEC).elaborate(image)


def test_the_command_line_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "mobilenet_v2", "--input", "160x160", "--format", "csv"]) == 0
    assert "160×160×3" in capsys.readouterr().out
    assert run(["stats", "mobilenet_v2", "--input", "160x"]) == 2
    assert run(["stats", "mobilenet_v2", "--input", "3000000"]) == 4
