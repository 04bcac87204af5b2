"""Random files that the grammar accepts, as a Hypothesis strategy.

A file is drawn as the list of its tokens, which then get anything between them that the language ignores: blanks, tabs,
form feeds, line ends of every kind, comments. Every comment has a number, so that a lost one can be told.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
Tokens = list[str]

NAMES = (
    "a", "c", "s", "t", "alpha", "conv", "bn", "relu6", "global_avgpool", "_", "x1", "xs", "K", "M", "e3", "arch",
    "use", "def", "block", "network", "reading", "variant", "title", "cite", "input", "output", "table", "body",
    "check", "read", "erratum", "because", "init", "columns", "repeat", "then", "infer", "when", "number", "of",
    "in", "training", "params", "a_rather_long_name_of_a_block",
)  # fmt: skip
NUMBERS = ("0", "1", "7", "1000", "3_504_872", "0.5", ".5", "1.0", "1e-3", "2E+4")
STRINGS = (
    '""', "''", '"conv {k}x{k}"', "'say \"conv\"'", '"it\'s"', '"# no comment"', "'{'", '"}"', '"a\u2028b\x85c"',
    '"\f\t"', '"\\"', "'224²×3 ± 1%'", '"|"', '"->"',
    '"a rather long text, that some paper gave its network as a title"',
)  # fmt: skip
QUANTITIES: tuple[Tokens, ...] = (
    ["3_504_872"], ["300", "M", "±", "1", "%"], ["3.4", "M"], ["159", "K"], ["1.8", "×10^9"], ["1.8", "x 10^{9}"],
    ["2", "*\t10⁹"], ["5", "K", "x10^3"], ["1e3", "±", "0.5", "%"], ["1", "T", "× 10^2", "±", "3", "%"],
)  # fmt: skip
CELLS = (
    "conv", "224²×3", "$3\\times3$", "-", "", "\u2028", "\f", "#", "# 3×3", '"', "'", "{k}", "a } b", "\x85", "\u00a0",
    "\t", "→", "☃", "{", "//",
)  # fmt: skip
REMARKS = ("", " plain", " ", ' "quoted"', " it's", " } {", " a -> b", " \u2190 next", "\f.", " # twice", " \t")
BLANKS = ("\n", "\r\n", "\r", "\t", "\f", "  ", "\n\n", "\r\n\r\n", "\n \t\n\n", " \n    ")
ENDS = ("\n", "\r\n", "\r", "\n\n", "\n\t", "\r\n\r\n  ")
GLUED = frozenset("(),:|@")
EXPRESSIONS = {
    "conditional": 1, "or": 2, "and": 3, "not": 4, "comparison": 5, "sum": 6, "product": 7, "sign": 8, "power": 9,
    "call": 10,
}  # fmt: skip
CLAUSES = ("title", "cite", "input", "table", "body", "output", "check", "erratum", "init", "weights")
CONVENTIONS = ("columns", "repeat", "number", "infer", "read", "read as")


class Writer:
    """Draws pieces of the language; `depth` bounds how deep they are nested."""

    def __init__(self, draw: Callable[[st.SearchStrategy[int]], int]) -> None:
        self.draw = draw

    def number(self, least: int, most: int) -> int:
        return self.draw(st.integers(least, most))

    def chance(self, of: int = 2) -> bool:
        return self.number(1, of) == of

    def one(self, choices: Sequence[T]) -> T:
        return choices[self.number(0, len(choices) - 1)]

    def name(self) -> Tokens:
        return [self.one(NAMES)]

    def string(self) -> Tokens:
        return [self.one(STRINGS)]

    def joined(self, joint: str, least: int, most: int, part: Callable[[], Tokens]) -> Tokens:
        """Some parts with a token between them."""
        tokens: Tokens = []
        for number in range(self.number(least, most)):
            tokens += [joint] * (number > 0) + part()
        return tokens

    # ---- expressions ----

    def expression(self, depth: int, least: int = 1) -> Tokens:
        """One that binds at least so tight; others are put in parentheses, and some that need none."""
        kind = self.one(tuple(EXPRESSIONS)) if depth > 0 and self.chance() else "atom"
        tokens = self.operation(kind, depth - 1)
        return ["(", *tokens, ")"] if EXPRESSIONS.get(kind, 10) < least or self.chance(9) else tokens

    def operation(self, kind: str, depth: int) -> Tokens:
        def part(least: int) -> Tokens:
            return self.expression(depth, least)

        match kind:
            case "conditional":
                return [*part(2), "if", *part(2), "else", *part(1)]
            case "or" | "and":
                return self.joined(kind, 2, 3, lambda: part(EXPRESSIONS[kind] + 1))
            case "not":
                return ["not", *part(4)]
            case "comparison":
                return [*part(6), self.one(("==", "!=", "<=", ">=", "<", ">")), *part(6)]
            case "sum":
                return [*part(7), self.one("+-"), *part(7), *([self.one("+-"), *part(7)] if self.chance(4) else [])]
            case "product":
                return [*part(8), self.one(("*", "/", "//", "%")), *part(8)]
            case "sign":
                return [self.one("+-"), *part(8)]
            case "power":
                return [*part(10), "**", *part(8)]
            case "call":
                return [*self.name(), *self.arguments(depth)]
            case _:
                return [self.one((*NUMBERS, *NAMES, "true", "false", "none", self.one(STRINGS)))]

    def dimensions(self, depth: int) -> Tokens:
        return self.joined("x", 1, 3, lambda: self.expression(depth, 6))

    def value(self, depth: int) -> Tokens:
        if self.chance(4):
            return self.joined("x", 2, 4, lambda: self.expression(depth, 6))
        return self.expression(depth)

    def arguments(self, depth: int) -> Tokens:
        placed = self.joined(",", 0, 2, lambda: self.value(depth))
        named = self.joined(",", 0, 2, lambda: [*self.name(), "=", *self.value(depth)])
        between = [","] * bool(placed and named)
        return ["(", *placed, *between, *named, *[","] * (bool(placed or named) and self.chance(4)), ")"]

    def parameters(self) -> Tokens:
        declared = self.joined(",", 0, 4, self.parameter)
        return ["(", *declared, *[","] * (bool(declared) and self.chance(4)), ")"]

    def parameter(self) -> Tokens:
        default = ["=", *self.value(1)] if self.chance() else []
        if self.chance(3):
            return [*self.name(), "in", "{", *self.joined(",", 1, 3, lambda: self.expression(1)), "}", *default]
        return [*self.name(), *default]

    # ---- networks ----

    def net(self, depth: int) -> Tokens:
        return self.joined("->", 1, 3 + 4 * self.chance(5), lambda: self.step(depth))

    def step(self, depth: int) -> Tokens:
        tokens = self.atom(depth)
        if self.chance(5):
            tokens += ["*", *self.expression(1, 10)]
        if self.chance(5):
            tokens += ["if", *self.expression(2, 2), *(["else", *self.atom(depth)] if self.chance() else [])]
        return tokens + (["as", *self.name()] if self.chance(6) else [])

    def atom(self, depth: int) -> Tokens:
        kind = self.number(0, 5 if depth > 0 else 3)
        if kind == 0:
            return ["@", *self.name()]
        if kind <= 3:
            return self.reference()
        return ["(", *self.joined("|", 1 if kind == 4 else 2, 3, lambda: self.net(depth - 1)), ")"]

    def reference(self) -> Tokens:
        return [*self.name(), *(self.arguments(1) if self.chance(3) else [])]

    # ---- declarations ----

    def file(self) -> Tokens:
        return ["arch", "1", *self.joined("", 0, 4, self.declaration)]

    def declaration(self) -> Tokens:
        kind = self.one(("use", "def", "block", "variant", "network", "network", "reading"))
        match kind:
            case "use":
                return [kind, *self.string()]
            case "def":
                return [kind, *self.name(), *self.parameters(), "=", *self.expression(3)]
            case "variant":
                return [kind, *self.name(), "=", *self.reference()]
            case "block":
                before = self.parameters() if self.chance() else []
                sides = [":", *self.dimensions(1), "->", *self.dimensions(1)] if self.chance() else []
                return [kind, *self.name(), *before, *sides, "=", *self.net(2)]
        before = self.parameters() if self.chance() else []
        kinds = CONVENTIONS if kind == "reading" else CLAUSES + CONVENTIONS
        return [kind, *self.name(), *before, "{", *self.joined("", 0, 4, lambda: self.clause(self.one(kinds))), "}"]

    def clause(self, kind: str) -> Tokens:
        match kind:
            case "title" | "cite":
                return [kind, *self.string()]
            case "input":
                return [kind, *self.dimensions(1)]
            case "table":
                return [kind, *(self.string() if self.chance(3) else []), self.table()]
            case "body":
                return [kind, *self.net(2)]
            case "output":
                training = ["in", "training"] if self.chance(3) else []
                return [kind, *self.name(), "=", *self.net(2), *training]
            case "check":
                given = self.arguments(1) if self.chance() else []
                return [kind, *given, *self.joined(",", 1, 2, self.claim)]
            case "erratum":
                return [kind, *self.string(), "=", *self.string(), "because", *self.string()]
            case "init":
                target = lambda: self.name() if self.chance() else self.string()  # noqa: E731
                return [kind, *self.joined(",", 1, 3, lambda: [*target(), "=", *self.distribution()])]
            case "weights":
                return [kind, *self.name(), *self.joined("", 1, 3, self.weight_key)]
            case _:
                return self.convention(kind)

    def distribution(self) -> Tokens:
        otherwise = ["if", *self.expression(2, 2), "else", *self.reference()] if self.chance(3) else []
        return [*self.reference(), *otherwise]

    def weight_key(self) -> Tokens:
        return [*self.string(), "=", *self.joined("or", 1, 2, self.string)]

    def claim(self) -> Tokens:
        return [self.one(("params", "macs")), "=", *self.one(QUANTITIES)]

    def convention(self, kind: str) -> Tokens:
        match kind:
            case "columns":
                column = lambda: [*self.string(), ":", *(self.name() if self.chance() else self.string())]  # noqa: E731
                return [kind, *self.joined(",", 1, 3, column)]
            case "repeat":
                then = self.joined(",", 0, 2, lambda: [*self.name(), "=", *self.expression(1)])
                return [kind, *self.expression(1, 10), *(["then", *then] if then else [])]
            case "number":
                return [kind, *self.name(), *(["of", *self.name()] if self.chance() else [])]
            case "infer":
                return [kind, *self.name()]
            case "read":
                return [kind, *self.joined("", 1, 3, self.rule)]
            case _:
                return ["read", "as", *self.reference()]

    def rule(self) -> Tokens:
        when = ["when", *self.expression(2, 2)] if self.chance(3) else []
        check = ["check", *self.expression(2, 2)] if self.chance(3) else []
        return [*self.string(), *when, *check, "=", *self.net(1)]

    def table(self) -> str:
        text = "{" + self.one(("", " ", " # a cell", ' "'))
        for _ in range(self.number(0, 3)):
            text += self.one(("\n", "\r\n", "\r")) + self.one(("", "  ", "\t| ")) + "|" + self.one(CELLS) + "|"
            text += self.one(CELLS)
        return text + self.one(("\n", "\r\n", "\r")) + self.one(("", "  ", "\t")) + "}"

    # ---- what stands between the tokens ----

    def text(self, tokens: Tokens) -> tuple[str, list[str]]:
        """The tokens as text, and the comments that were put in."""
        comments: list[str] = []
        text = self.gap(comments) if self.chance(4) else ""
        for before, after in zip(tokens, [*tokens[1:], ")"], strict=True):
            glued = before in GLUED or after in GLUED
            text += before + (self.gap(comments) if self.chance(5) else "" if glued and self.chance() else " ")
        return text, comments

    def gap(self, comments: list[str]) -> str:
        gap = self.one(BLANKS)
        while self.chance(3):
            comments.append(f"#{len(comments)}:{self.one(REMARKS)}")
            gap += comments[-1] + self.one(ENDS)
        return gap


@st.composite
def specs(draw: Any) -> tuple[str, list[str]]:
    """A text, and the comments in it."""
    writer = Writer(draw)
    return writer.text([token for token in writer.file() if token])
