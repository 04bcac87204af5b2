"""Random networks that elaborate without a mistake, as a Hypothesis strategy.

Each part is written twice: once with the blocks and repeats of the language, and once with everything that they stand
for written out by hand. The shape is carried along, so that every part fits the one before it.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

LIBRARY = """arch 1
block cbr(f, c, s = 1) = conv(f, c, s) -> bn -> relu6
block squeeze(r) : h x w x k -> h x w x k =
  ( id
  | global_avgpool -> conv(1, max(1, k//r), bias = true) -> relu -> conv(1, k, bias = true) -> sigmoid ) -> mul
block residual(c, s) : h x w x k -> ceil(h/s) x ceil(w/s) x c =
  (cbr(3, c, s) -> conv(3, c) -> bn | id if s == 1 and c == k else (conv(1, c, s) -> bn)) -> add -> relu
block twice(what, c) = what(3, c) -> what(1, c)
"""


@dataclass(frozen=True)
class Part:
    """A piece of a network, with the language's means and by hand."""

    text: str
    by_hand: str


class Designer:
    """Draws parts; `size` and `channels` are those of the tensor so far."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.size = self.number(1, 9)
        self.channels = self.number(1, 6)
        self.input = f"{self.size} x {self.size} x {self.channels}"
        self.named: list[tuple[str, int, int]] = []

    def number(self, least: int, most: int) -> int:
        value: int = self.draw(st.integers(least, most))
        return value

    def same(self, text: str) -> Part:
        return Part(text, text)

    # ---- parts that may change the shape ----

    def network(self) -> Part:
        parts = [self.outer() for _ in range(self.number(1, 5))]
        return chain(parts)

    def row(self) -> tuple[int, int, int]:
        self.channels, count, stride = self.number(1, 6), self.number(1, 3), self.number(1, 2)
        self.size = -(-self.size // stride)
        return self.channels, count, stride

    def outer(self) -> Part:
        kinds = (self.inner, self.strided, self.concat, self.block, self.shortcut, self.split, self.named_part)
        return kinds[self.number(0, len(kinds) - 1)](2)

    def strided(self, depth: int) -> Part:
        self.channels, stride, kernel = self.number(1, 8), self.number(1, 3), self.number(0, 2) * 2 + 1
        self.size = -(-self.size // stride)
        return self.same(f"conv({kernel}, {self.channels}, {stride})")

    def concat(self, depth: int) -> Part:
        before, branches, total = self.channels, [], 0
        for _ in range(self.number(2, 3)):
            self.channels = self.number(1, 4)
            total += self.channels
            branches.append(chain([self.same(f"conv(1, {self.channels})"), self.inner(depth - 1)]))
        if self.number(0, 1):
            branches.append(Part("id", "id"))
            total += before
        self.channels = total
        return fork(branches, "concat")

    def block(self, depth: int) -> Part:
        before, stride = self.channels, self.number(1, 2)
        self.channels = out = self.number(1, 6)
        match self.number(0, 2):
            case 0:
                self.size = -(-self.size // stride)
                return Part(f"cbr(3, {out}, s = {stride})", f"(conv(3, {out}, {stride}) -> bn -> relu6)")
            case 1:
                return Part(f"twice(cbr, {out})", f"({cbr(3, out, 1)} -> {cbr(1, out, 1)})")
            case _:
                self.size = -(-self.size // stride)
                short = "id" if stride == 1 and out == before else f"conv(1, {out}, {stride}) -> bn"
                by_hand = f"(({cbr(3, out, stride)} -> conv(3, {out}) -> bn | {short}) -> add -> relu)"
                return Part(f"residual({out}, {stride})", by_hand)

    def split(self, depth: int) -> Part:
        """ShuffleNet's: half of the channels go their own way."""
        if self.channels % 2:
            self.channels += 1
            return chain([self.same(f"conv(1, {self.channels})"), self.split(depth)])
        self.channels //= 2
        worked = self.inner(depth - 1)
        self.channels *= 2
        return chain([self.same("split(2)"), fork([self.same("id"), worked], "concat"), self.same("shuffle(2)")])

    def named_part(self, depth: int) -> Part:
        """Name a tensor, and take one of its size up again where there is one."""
        near = [(name, channels) for name, size, channels in self.named if size == self.size]
        name = f"t{len(self.named)}"
        first = chain([self.same(f"conv(1, {self.channels}) as {name}"), self.inner(depth)])
        self.named.append((name, self.size, self.channels))
        if not near:
            return first
        taken, channels = near[self.number(0, len(near) - 1)]
        self.channels += channels
        return chain([first, fork([self.same("id"), self.same(f"@{taken}")], "concat")])

    def shortcut(self, depth: int) -> Part:
        worked = self.inner(depth)
        return fork([worked, self.same("id")], ("add", "mul")[self.number(0, 1)])

    # ---- parts that keep the shape ----

    def inner(self, depth: int) -> Part:
        kinds = (self.plain, self.plain, self.repeat, self.condition, self.squeeze, self.shortcut)
        return kinds[self.number(0, len(kinds) - 1 if depth > 0 else 1)](depth - 1)

    def plain(self, depth: int) -> Part:
        c = self.channels
        texts = (
            f"conv(3, {c})",
            "dwconv(3)",
            "bn",
            "relu",
            "dropout(0.2)",
            f"conv(1, {c}, bias = true)",
            "maxpool(3, 1)",
        )
        return self.same(texts[self.number(0, len(texts) - 1)])

    def repeat(self, depth: int) -> Part:
        part, count = self.inner(depth), self.number(0, 3)
        by_hand = " -> ".join([part.by_hand] * count) or "id"
        return Part(f"({part.text}) * {count}", f"({by_hand})")

    def condition(self, depth: int) -> Part:
        holds, other = self.number(0, 1) == 1, self.number(0, 1) == 1
        part = self.inner(depth)
        text = f"({part.text}) if k {'==' if holds else '!='} 10"
        if not other:
            return Part(f"({text})", f"({part.by_hand})" if holds else "id")
        instead = self.inner(depth)
        return Part(f"({text} else ({instead.text}))", f"({(part if holds else instead).by_hand})")

    def squeeze(self, depth: int) -> Part:
        ratio, c = self.number(1, 4), self.channels
        gate = f"global_avgpool -> conv(1, {max(1, c // ratio)}, bias = true) -> relu -> conv(1, {c}, bias = true)"
        return Part(f"squeeze({ratio})", f"((id | {gate} -> sigmoid) -> mul)")


def cbr(kernel: int, channels: int, stride: int) -> str:
    return f"conv({kernel}, {channels}, {stride}) -> bn -> relu6"


def chain(parts: list[Part]) -> Part:
    return Part(" -> ".join(part.text for part in parts), " -> ".join(part.by_hand for part in parts))


def fork(branches: list[Part], join: str) -> Part:
    texts, by_hand = (" | ".join(texts) for texts in ([b.text for b in branches], [b.by_hand for b in branches]))
    return Part(f"({texts}) -> {join}", f"({by_hand}) -> {join}")


def table(rows: list[tuple[int, int, int]]) -> str:
    """Convolutions of so many channels, repeated so often, the first with so large a stride."""
    if not rows:
        return ""
    cells = "\n".join(f"| conv 3x3 | {channels} | {count} | {stride} |" for channels, count, stride in rows)
    clauses = 'repeat n then s = 1\nread "conv {f}x{f}" = cbr(f, c, s)'
    return f"table {{\n| Operator | c | n | s |\n{cells}\n}}\n{clauses}\n"


@st.composite
def networks(draw: Any) -> Part:
    """A whole spec: a table, then bodies."""
    designer = Designer(draw)
    start, rows = designer.input, [designer.row() for _ in range(designer.number(0, 3))]
    written = [cbr(3, c, s if number == 0 else 1) for c, n, s in rows for number in range(n)]
    bodies = [designer.network() for _ in range(designer.number(1, 2))]
    text = table(rows) + "".join(f"body {body.text}\n" for body in bodies)
    by_hand = "".join(f"body {body}\n" for body in [*written, *(body.by_hand for body in bodies)])
    head = f"network N(k = 10) {{\ninput {start}\n"
    return Part(f"{LIBRARY}{head}{text}}}\n", f"arch 1\n{head}{by_hand}}}\n")
