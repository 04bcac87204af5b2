"""The functions of the language, by name."""

import math
from collections.abc import Callable


def make_divisible(value: float, divisor: int, least: int | None = None) -> int:
    """The multiple of `divisor` nearest to `value`, at least `least` and never below 90 % of `value`.

    The rule of the MobileNet papers' reference code (`_make_divisible`); it rounds halves up.
    """
    rounded = max(divisor if least is None else least, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def least(*numbers: float) -> float:
    return min(numbers)


def most(*numbers: float) -> float:
    return max(numbers)


FUNCTIONS: dict[str, tuple[Callable[..., int | float], int, int]] = {
    "min": (least, 1, 64),
    "max": (most, 1, 64),
    "ceil": (math.ceil, 1, 1),
    "floor": (math.floor, 1, 1),
    "round": (round, 1, 1),
    "make_divisible": (make_divisible, 2, 3),
}
"""Name to the function and the fewest and most arguments it takes. `round` takes halves to the even neighbour."""
