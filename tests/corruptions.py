"""Every slip in one number of a table that is a stride or counts channels, and what is said of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import archspec
from archspec.diagnostics import Diagnostic, Edit

SPECS = Path(__file__).parent.parent / "specs"


@dataclass(frozen=True)
class Kind:
    """The numbers of a spec's table that are strides or channels: of these columns, where these patterns are."""

    spec: str
    strides: dict[str, str]
    channels: dict[str, str]


ALONE = r"^(\d+)$"
AFTER_STRIDE = r"stride (\d+)"
OF_BRACKETS = r"[;\[]? ?\d×\d, (\d+)"
DEPTHS = [f"{depth}-layer" for depth in (18, 34, 50, 101, 152)]
WIDTHS = ["#1×1", "#3×3 reduce", "#3×3", "#5×5 reduce", "#5×5", "pool proj"]
KINDS = (
    Kind("mobilenet_v2", {"s": ALONE}, {"c": ALONE}),
    Kind("resnet", dict.fromkeys(DEPTHS, AFTER_STRIDE), dict.fromkeys(DEPTHS, OF_BRACKETS)),
    Kind("googlenet", {"patch size/stride": r"/(\d+)$"}, dict.fromkeys(WIDTHS, ALONE)),
)


@dataclass(frozen=True)
class Slip:
    """A number of a spec replaced by another."""

    spec: str
    line: int
    start: int
    old: str
    new: str
    what: str

    def __str__(self) -> str:
        return f"{self.spec}:{self.line}:{self.start}: {self.what} {self.old} as {self.new}"

    @property
    def original(self) -> str:
        return text_of(self.spec)

    @property
    def text(self) -> str:
        lines = self.original.split("\n")
        line = lines[self.line - 1]
        lines[self.line - 1] = line[: self.start] + self.new + line[self.start + len(self.old) :]
        return "\n".join(lines)

    def found(self) -> list[Diagnostic]:
        try:
            return archspec.parse(self.text, f"{self.spec}.arch").check_all()
        except archspec.SpecError as error:
            return list(error.diagnostics)

    def located(self, found: list[Diagnostic]) -> bool:
        """Whether the row of the slip is shown."""
        spans = [label.span for d in found for label in (*d.labels, *(x for s in d.suggestions[:1] for x in s.labels))]
        return any(span.source.position(span.start)[0] == self.line for span in spans)

    def repaired(self, found: list[Diagnostic], most: int = 2) -> bool:
        """Whether one of the first suggestions makes the text what it was."""
        return any(applied(self.text, s.edits) == self.original for d in found[:1] for s in d.suggestions[:most])


def text_of(spec: str) -> str:
    return (SPECS / f"{spec}.arch").read_text(encoding="utf-8")


def applied(text: str, edits: tuple[Edit, ...]) -> str:
    for edit in sorted(edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def slips(kind: Kind) -> Iterator[Slip]:
    """All of them: strides from 1 to 4; channels that a hand or an eye may have made of others."""
    lines = text_of(kind.spec).split("\n")
    first = next(number for number, line in enumerate(lines) if line.strip().startswith("| "))
    bars = [[bar.start() for bar in re.finditer(r"\|", line)] for line in lines]
    headers = [cell.strip() for cell in lines[first].split("|")[1:-1]]
    for number in range(first + 2, len(lines)):
        if not lines[number].strip().startswith("|"):
            return
        for column, header in enumerate(headers):
            a, b = bars[number][column] + 1, bars[number][column + 1]
            cell = lines[number][a:b].rstrip()
            blank = len(cell) - len(cell.lstrip())
            above = re.findall(
                r"\d+",
                " ".join(
                    lines[n][bars[n][column] : bars[n][column + 1]]
                    for n in (number - 1, number + 1)
                    if n > first + 1 and len(bars[n]) > column + 1
                ),
            )
            for what, patterns in (("stride", kind.strides), ("channels", kind.channels)):
                for match in re.finditer(patterns.get(header, r"(?!)()"), cell.strip()):
                    start = a + blank + match.start(1)
                    for new in others(what, match[1], above):
                        yield Slip(kind.spec, number + 1, start, match[1], new, what)


def others(what: str, text: str, beside: list[str]) -> list[str]:
    value = int(text)
    if what == "stride":
        return [str(other) for other in (1, 2, 3, 4) if other != value]
    swapped = [text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in range(len(text) - 1)]
    dropped = [text[:i] + text[i + 1 :] for i in range(len(text)) if len(text) > 1]
    doubled = [text[: i + 1] + text[i:] for i in range(len(text))]
    changed = [text[:i] + str((int(text[i]) + 1) % 10) + text[i + 1 :] for i in range(len(text))]
    sums = [str(n) for n in (value + 1, value - 1, value + 8, value * 2, value // 2, value + value // 4, 10, 100, 1000)]
    found = [*swapped, *dropped, *doubled, *changed, *sums, *beside]
    return [new for new in dict.fromkeys(found) if 0 < int(new) != value and not new.startswith("0")]
