"""The sizes that a file of `torch.export` leaves open -> numbers, by the image that is asked for."""

from collections.abc import Iterable, Sequence

from archspec.decompile import Unreadable
from archspec.printable import printable
from archspec.tensor import Shape, shape_text
from archspec_torch import archive_schema as schema
from archspec_torch.expressions import Unknown, number, symbols_in
from archspec_torch.records import Damaged

BATCHES = (7919, 1009, 251, 127, 61, 31, 13, 7, 5, 3, 2, 1)
"""What may stand for a batch of any size: the first that no other size is, and that the file allows."""
OPEN = "?"


class Sizes:
    """The numbers behind the sizes of one program."""

    def __init__(self, exported: schema.Exported, image: Shape | None, inputs: Sequence[schema.TensorSaid]) -> None:
        """Raises `Damaged`, or `Unreadable` where the image does not suit the file."""
        self.exported = exported
        self.symbols: dict[str, int] = {}
        self.known: dict[str, int | None] = {}
        if len(inputs) == 1 and len(inputs[0].sizes) in {2, 4}:
            self.bind(inputs[0].sizes, image)

    def bind(self, sizes: Sequence[schema.Size], image: Shape | None) -> None:
        """Find what the symbols are for this image."""
        wanted = [None] * (len(sizes) - 1) if image is None else [image[-1], *image[:-1]]
        if len(wanted) != len(sizes) - 1:
            raise Unreadable(f"it takes {self.shown(sizes)}, and not {shape_text(image or ())}")
        for size, side in zip(sizes[1:], wanted, strict=True):
            if size.as_int is not None and side not in {None, size.as_int}:
                raise Unreadable(f"it takes {self.shown(sizes)}, and not {shape_text(image or ())}")
            if size.as_int is None and side is None:
                raise Unreadable(f"it takes {self.shown(sizes)}", "--input 224x224x3 says what it is")
            if size.as_int is None and side is not None:
                self.solve(size, side)
        self.check_ranges()
        if sizes[0].as_int is None:
            self.open_batch(sizes[0])
        self.check_guards(sizes)

    def shown(self, sizes: Sequence[schema.Size]) -> str:
        """The shape of an image that a file takes."""
        sides = [OPEN if size.as_int is None else str(size.as_int) for size in (*sizes[2:], sizes[1])]
        return "×".join(sides)

    def solve(self, size: schema.Size, side: int) -> None:
        """Find the symbol in a size, which is to be so large; raises `Unreadable`."""
        text = expression(size)
        try:
            open_symbols = symbols_in(text) - self.symbols.keys()
            if len(open_symbols) == 1:
                (symbol,) = open_symbols
                none, one = (number(text, self.symbols | {symbol: value}) for value in (0, 1))
                self.symbols[symbol] = (side - none) // (one - none) if one != none else 0
            right = number(text, self.symbols) == side
        except Unknown:
            raise Unreadable(f"one of its sizes is `{printable(text)}`, which cannot be solved") from None
        if not right:
            raise Unreadable(f"a side of its image is `{printable(text)}`, which cannot be {side}")

    def open_batch(self, size: schema.Size) -> None:
        """Choose a number of images that no other size is."""
        text = expression(size)
        taken = {
            found.as_int for said in self.exported.graph_module.graph.tensor_values.values() for found in said.sizes
        }
        try:
            free = symbols_in(text) - self.symbols.keys()
        except Unknown:
            free = set()
        for batch in BATCHES if len(free) == 1 else ():
            self.symbols |= dict.fromkeys(free, batch)
            if self.number(size) not in {None, *taken, *self.symbols_of_sides(free)} and not list(self.broken()):
                return
            self.known.clear()
        raise Unreadable(f"the number of its images is `{printable(text)}`, which cannot be solved")

    def symbols_of_sides(self, batch: Iterable[str]) -> set[int]:
        """The sizes that are not the batch's."""
        return {value for symbol, value in self.symbols.items() if symbol not in set(batch)}

    def check_ranges(self) -> None:
        """Raise `Unreadable` where a size is not one that the program was exported for."""
        for name, value, limits in self.broken():
            end = "and more" if limits.max_val is None else f"to {limits.max_val}"
            bounds = f"{limits.min_val or 0} {end}"
            raise Unreadable(f"its size `{printable(name)}` would be {value}, and it was exported for {bounds}")

    def check_guards(self, sizes: Sequence[schema.Size]) -> None:
        """Raise `Unreadable` where the program took another way on its example than it would on this image."""
        image = [side for size in sizes if (side := self.number(size)) is not None]
        for guard in self.exported.guards_code:
            try:
                holds = bool(number(guard, self.symbols, image))
            except Unknown:
                raise Unreadable(f"it was exported for images with `{printable(guard)}`, which is not read") from None
            if not holds:
                raise Unreadable(f"it was exported for images with `{printable(guard)}`")

    def broken(self) -> "Iterable[tuple[str, int, schema.Range]]":
        """The ranges that do not hold."""
        for name, limits in self.exported.range_constraints.items():
            try:
                value = int(number(name, self.symbols))
            except Unknown:
                continue  # of a size that only the content of an image tells
            low, high = limits.min_val, limits.max_val
            if (low is not None and value < low) or (high is not None and value > high):
                yield name, value, limits

    def number(self, size: schema.Size) -> int | None:
        """What a size is; None where only the content of an image tells."""
        if size.as_int is not None:
            return size.as_int
        text = expression(size)
        if text not in self.known:
            try:
                self.known[text] = int(number(text, self.symbols))
            except Unknown:
                self.known[text] = None
        return self.known[text]


def expression(size: schema.Size) -> str:
    """The text of a size; raises `Damaged`."""
    if size.as_expr is None:
        raise Damaged("one of its sizes is not a number")
    return size.as_expr.expr_str
