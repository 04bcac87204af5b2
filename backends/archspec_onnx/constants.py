"""Numbers that an ONNX file holds, and what it computes of such: exporters write shapes as small programs.

How many numbers a computation makes is known before it is done. Weights are not read here: of a weight that is turned
or given another shape only the steps are kept.
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil, prod
from typing import Any

import numpy as np
import onnx
from msgspec import Struct
from msgspec.structs import replace
from onnx import NodeProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from archspec.decompile.layouts import No, only
from archspec.printable import printable

Array = np.ndarray[Any, Any]
LARGEST = 2**24
"""No more numbers than this are computed of constants in all."""
MOST_STEPS = 64
"""A constant is turned and reshaped no more often than this."""
REALS = frozenset({"float16", "float32", "float64"})
WIDE = {int(TensorProto.FLOAT): "float32", int(TensorProto.DOUBLE): "float64"}
VIEWS = frozenset({"Transpose", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Identity"})
"""What changes the shape of a tensor and not its numbers."""
SPREAD = frozenset({
    "Add", "And", "Clip", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean", "Min",
    "Mod", "Mul", "Or", "Pow", "Sub", "Sum", "Where", "Xor",
})  # fmt: skip
"""What spreads its inputs over each other."""
KEEPING = VIEWS | {
    "Abs", "Cast", "Ceil", "CumSum", "Exp", "Floor", "Log", "Neg", "Not", "Reciprocal", "ReduceMax", "ReduceMean",
    "ReduceMin", "ReduceProd", "ReduceSum", "Round", "ScatterND", "Sign", "Slice", "Split", "Sqrt",
}  # fmt: skip
"""What gives no more numbers than its first input has."""


class Constant(Struct, frozen=True):
    """Numbers that a file holds or computes of such; they are read when they are asked for."""

    shape: tuple[int, ...]
    type: str
    """the name that numpy has for the type of its numbers, or else ONNX"""
    base: Callable[[], Array]
    """reads the numbers as the file has them; raises `No` or `Unreadable`"""
    steps: tuple[tuple[str, Any], ...] = ()
    """what is done to them then: methods of an array with their arguments"""
    key: str = ""
    """the name of the initializer that it is, perhaps in another shape; empty where it is none"""
    made: str = ""
    """the name of the value that it was first"""
    outside: bool = False
    """whether the numbers are in another file"""
    twin: Array | None = None
    """what the numbers would be for another count of images, where they depend on that"""

    @property
    def array(self) -> Array:
        found = self.base()
        for method, argument in self.steps:
            found = getattr(found, method)(argument)
        return found

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def real(self) -> bool:
        return self.type in REALS

    def turned(self, order: Sequence[int]) -> "Constant":
        """With its dimensions in another order; raises `No`."""
        only(sorted(order) == list(range(len(self.shape))), "its order does not name each dimension once")
        return self.then("transpose", tuple(order), tuple(self.shape[at] for at in order))

    def reshaped(self, shape: Sequence[int]) -> "Constant":
        """In another shape; raises `No`."""
        only(min(shape, default=0) >= 0 and prod(shape) == self.size, "its shape does not fit")
        return self.then("reshape", tuple(shape), tuple(shape))

    def wider(self, data_type: int) -> "Constant | None":
        """In a type that has all the numbers of its own; None where another one is asked for."""
        wanted = WIDE.get(data_type, "")
        if (self.type, wanted) not in {("float16", "float32"), ("float16", "float64"), ("float32", "float64")}:
            return None
        return replace(self.then("astype", np.dtype(wanted), self.shape), type=wanted)

    def then(self, method: str, argument: Any, shape: tuple[int, ...]) -> "Constant":
        only(len(self.steps) < MOST_STEPS, f"a constant is turned or reshaped more than {MOST_STEPS} times")
        twin = None if self.twin is None else getattr(self.twin, method)(argument)
        return replace(self, shape=shape, steps=(*self.steps, (method, argument)), twin=twin)


class Computed(Struct, frozen=True):
    """Numbers that a file computes of weights."""

    node: NodeProto


class Budget:
    """How many numbers may still be computed."""

    def __init__(self) -> None:
        self.left = LARGEST

    def spend(self, count: int) -> None:
        """Raises `No` where that is too many."""
        only(count <= self.left, "it computes too many numbers")
        self.left -= count


def fixed(array: Any, key: str = "", made: str = "", twin: Array | None = None) -> Constant:
    """Numbers that are known."""
    found = np.asarray(array)
    return Constant(found.shape, found.dtype.name, lambda: found, (), key, made, twin=twin)


def whole_numbers(x: Any, what: str) -> list[int]:
    """The whole numbers of a constant; raises `No`."""
    found = numbers(x, what)
    only(all(isinstance(number, int) for number in found), f"its {what} is not a whole number")
    return [int(number) for number in found]


def numbers(x: Any, what: str) -> list[Any]:
    """The numbers of a constant; raises `No`."""
    if not isinstance(x, Constant):
        raise No(f"its {what} is computed")
    only(x.twin is None, f"its {what} depends on how many images there are")
    only(x.size <= LARGEST, f"its {what} is too many numbers")
    return list(x.array.reshape(-1).tolist())


def one_number(x: Any, what: str) -> float:
    found = numbers(x, what)
    only(len(found) == 1 and isinstance(found[0], (int, float)), f"its {what} is not one number")
    return float(found[0])


def computed(
    node: NodeProto, attributes: Mapping[str, Any], model: onnx.ModelProto, given: Sequence[Any], budget: Budget
) -> list[Constant]:
    """What a node gives of constants, by onnx's own reference; raises `No`."""
    constants = [x for x in given if x is not None]
    arrays = [x.array for x in constants]
    budget.spend(most(node, attributes, given, arrays))
    found = evaluated(node, model, arrays)
    twins: list[Array] | None = None
    if any(x.twin is not None for x in constants):
        others = [array if x.twin is None else x.twin for x, array in zip(constants, arrays, strict=True)]
        budget.spend(most(node, attributes, given, others))
        twins = evaluated(node, model, others)
    made = []
    for position, (name, array) in enumerate(zip(node.output, found, strict=True)):
        twin = None if twins is None or np.array_equal(array, twins[position]) else twins[position]
        made.append(fixed(array, made=name, twin=twin))
    return made


def most(node: NodeProto, attributes: Mapping[str, Any], given: Sequence[Any], arrays: Sequence[Array]) -> int:
    """As many numbers as a node makes at most; raises `No` where that is not known."""
    first = arrays[0]
    match node.op_type:
        case kind if kind in KEEPING:
            return max(1, first.size)
        case kind if kind in SPREAD:
            only(all(array.ndim <= 32 for array in arrays), "it has too many dimensions")
            sides = [array.shape[::-1] for array in arrays]
            rank = max(map(len, sides))
            return prod(max((shape[at] for shape in sides if at < len(shape)), default=1) for at in range(rank))
        case "Concat":
            return sum(array.size for array in arrays)
        case "Gather" | "GatherElements" | "GatherND":
            return max(1, first.size) * max(1, arrays[-1].size)
        case "NonZero" | "Shape":
            return max(1, first.size) * max(1, first.ndim)
        case "ConstantOfShape":
            return size_of(first)
        case "Expand" | "Tile":
            return max(1, first.size) * size_of(arrays[-1])
        case "Range":
            only(len(arrays) == 3 and all(array.size == 1 for array in arrays), "its bounds are not single numbers")
            start, limit, step = (float(array.item()) for array in arrays)
            only(step != 0 and all(map(np.isfinite, (start, limit, step))), "its range does not end")
            return max(0, ceil((limit - start) / step))
    raise No("it computes with constants")


def size_of(sides: Array) -> int:
    """How many numbers a shape has; raises `No` where it is none."""
    only(sides.dtype.kind in "iu" and sides.size <= 32 and bool((sides >= 0).all()), "its shape is not valid")
    return prod(max(1, int(side)) for side in sides.reshape(-1))


def evaluated(node: NodeProto, model: onnx.ModelProto, arrays: Sequence[Array]) -> list[Array]:
    """What onnx's reference gives; raises `No`."""
    names = [name for name in node.input if name]
    values = {
        name: helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in zip(names, arrays, strict=True)
    }
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output]
    graph = helper.make_graph([node], "constant", list(values.values()), outputs)
    made = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    feed = dict(zip(names, arrays, strict=True))
    try:
        with np.errstate(all="ignore"):
            results: Any = ReferenceEvaluator(made).run(None, feed)
    except Exception as error:  # what a file says makes it raise whatever comes first
        raise No(f"it cannot be computed: {printable(str(error))[:100]}") from None
    return [np.asarray(result) for result in results]
