"""Random files that the grammar accepts, as Hypothesis strategies.

A file is drawn as the list of its tokens, which then get anything between them that the language ignores: blanks, tabs,
form feeds, line ends of every kind, comments. Every comment has a number, so that a lost one can be told.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

Tokens = list[str]

NAMES = (
    "a", "c", "s", "t", "alpha", "conv", "bn", "relu6", "global_avgpool", "_", "x1", "xs", "K", "M", "e3", "arch", "use",
    "def", "block", "network", "reading", "variant", "title", "cite", "input", "output", "table", "body", "check", "read",
    "erratum", "because", "init", "columns", "repeat", "then", "infer", "when", "params", "a_rather_long_name_of_a_block",
)  # fmt: skip
NUMBERS = ("0", "1", "7", "1000", "3_504_872", "0.5", ".5", "1.0", "1e-3", "2E+4", "0.000_1"[:5])
STRINGS = (
    '""', "''", '"conv {k}x{k}"', "'say \"conv\"'", '"it\'s"', '"# no comment"', "'{'", '"}"', '"a\u2028b\x85c"',
    '"\f\t"', '"\\"', "'224²×3 ± 1%'", '"|"', '"->"', '"a rather long text, that some paper gave its network as a title"',
)  # fmt: skip
QUANTITIES: tuple[Tokens, ...] = (
    ["3_504_872"], ["300", "M", "±", "1", "%"], ["3.4", "M"], ["159", "K"], ["1.8", "×10^9"], ["1.8", "x 10^{9}"],
    ["2", "*\t10⁹"], ["5", "K", "x10^3"], ["1e3", "±", "0.5", "%"], ["1", "T", "× 10^2", "±", "3", "%"],
)  # fmt: skip
CELLS = (
    "conv", "224²×3", "$3\\times3$", "-", "", "\u2028", "\f", "#", "# 3×3", '"', "'", "{k}", "a } b", "\x85", "\u00a0", "\t",
    "→", "☃", "{", "//",
)  # fmt: skip
BLANKS = (" ", "\n", "\r\n", "\r", "\t", "\f", "  ", "\n\n", "\r\n\r\n", "\n \t\n\n", " \n    ")
REMARKS = ("", " plain", "no blank", ' "quoted"', " it's", " } {", " a -> b", "\u2028next", "\x85", "\f", " # twice", " \t")
ENDS = ("\n", "\r\n", "\r", "\n\n", "\n\t", "\r\n\r\n  ")
LEVELS = {
    "conditional": 1, "or": 2, "and": 3, "not": 4, "comparison": 5, "sum": 6, "product": 7, "sign": 8, "power": 9,
    "atom": 10, "call": 10,
}  # fmt: skip


@dataclass(frozen=True)
class Random:
    """Draws pieces of the language; `depth` bounds how deep they are nested."""

    draw: Callable[..., object]

    def number(self, least: int, most: int) -> int:
        value = self.draw(st.integers(least, most))
        assert isinstance(value, int)
        return value

    def maybe(self) -> bool:
        return self.number(0, 1) == 1

    def one[T](self, choices: "tuple[T, ...] | list[T]") -> T:
        return choices[self.number(0, len(choices) - 1)]
