"""Attributes of ONNX whose absence, 0 or version means something: each is read as onnxruntime does, or refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archspec_onnx.decompile import decompile
from decompile.onnx_files import agrees, draw, kinds, node, saved
from onnx import TensorProto

from archspec.decompile import CannotSay, Unreadable, decompiled
from archspec.ops import AvgPool, BatchNorm, Dropout

CASES: list[tuple[str, Any, dict[str, Any], list[Any], int, list[str] | str]] = []
"""A name, the nodes, their weights, the input, the version of the operators, and what it is or why it is refused."""
W, S = {"w": draw(4, 3, 3, 3)}, {name: abs(draw(3, at + 2)[:, 0]) + 0.1 for at, name in enumerate("abcd")}


def case(
    name: str, nodes: Any, wanted: list[str] | str, arrays: dict[str, Any] | None = None, opset: int = 17,
    shape: tuple[int, ...] = (1, 3, 8, 9),
) -> None:  # fmt: skip
    several = nodes if isinstance(nodes, list) else [nodes]
    CASES.append((name, several, arrays or {}, list(shape), opset, wanted))


def f(*values: float) -> Any:
    return np.asarray(values if len(values) != 1 else values[0], dtype="float32")


# ---- windows ----

case("Conv without kernel_shape", node("Conv", "x w", "y"), ["conv"], W)
case("Conv of another kernel_shape", node("Conv", "x w", "y", kernel_shape=[1, 1]), "`kernel_shape` is not that", W)
case("Conv of group 0", node("Conv", "x w", "y", group=0), "groups", W)
case("Conv VALID", node("Conv", "x w", "y", auto_pad="VALID"), ["conv"], W)
case("Conv VALID and pads", node("Conv", "x w", "y", auto_pad="VALID", pads=[1] * 4), "by numbers, and VALID too", W)
case("Conv NOTSET", node("Conv", "x w", "y", auto_pad="NOTSET", pads=[1, 0, 2, 1]), ["conv"], W)
for rule in ("SAME_UPPER", "SAME_LOWER"):
    for stride in ([1, 1], [2, 2], [2, 3], [4, 1]):
        case(f"Conv {rule} {stride}", node("Conv", "x w", "y", auto_pad=rule, strides=stride), ["conv"], W)
    case(f"Conv {rule} of an even kernel", node("Conv", "x w", "y", auto_pad=rule), ["conv"], {"w": draw(4, 3, 2, 4)})
    case(
        f"MaxPool {rule}",
        node("MaxPool", "x", "y", kernel_shape=[2, 3], strides=[2, 2], auto_pad=rule),
        ["maxpool"],
    )
    case(
        f"AveragePool {rule}",
        node("AveragePool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], auto_pad=rule),
        ["avgpool"],
    )
for strides in ([1], [0, 1], [1, 1, 1]):
    case(f"Conv of strides {strides}", node("Conv", "x w", "y", strides=strides), "strides|does not move", W)
case("Conv of dilation 0", node("Conv", "x w", "y", dilations=[0, 1]), "does not move", W)
case("Conv of negative pads", node("Conv", "x w", "y", pads=[-1, 0, 0, 0]), "pad", W)
case("Conv of sequences", node("Conv", "x w", "y"), "N×c×h×w", {"w": draw(4, 3, 3)}, shape=(1, 3, 8))
for ceil in (0, 1):
    for count in (0, 1):
        attributes = {"ceil_mode": ceil, "count_include_pad": count, "kernel_shape": [3, 3], "strides": [2, 2]}
        for pads in ([0, 0, 0, 0], [1, 1, 1, 1]):
            made = node("AveragePool", "x", "y", **attributes, pads=pads)
            case(f"AveragePool {ceil} {count} {pads}", made, "count it" if ceil and count else ["avgpool"], opset=19)
case("AveragePool without strides", node("AveragePool", "x", "y", kernel_shape=[3, 2]), ["avgpool"])
case("AveragePool dilated", node("AveragePool", "x", "y", kernel_shape=[2, 2], dilations=[2, 2]), "dilated", opset=19)
case("MaxPool dilated", node("MaxPool", "x", "y", kernel_shape=[2, 2], dilations=[2, 3]), ["maxpool"])
case("MaxPool of storage order", node("MaxPool", "x", "y", kernel_shape=[2, 2], storage_order=1), ["maxpool"])
case("MaxPool of ceil", node("MaxPool", "x", "y", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1), ["maxpool"])
case("MaxPool of opset 8", node("MaxPool", "x", "y", kernel_shape=[3, 3], auto_pad="SAME_LOWER"), ["maxpool"], opset=8)

# ---- normalisations ----

BN = "x a b c d"
case("BatchNormalization", node("BatchNormalization", BN, "y"), ["bn"], S)
case("BatchNormalization eps", node("BatchNormalization", BN, "y", epsilon=0.01, momentum=0.3), ["bn"], S)
case("BatchNormalization training", node("BatchNormalization", BN, "y m v", training_mode=1), "by the batch", S)
case("BatchNormalization of opset 9", node("BatchNormalization", BN, "y", momentum=0.5), ["bn"], S, opset=9)
case("BatchNormalization with its statistics", node("BatchNormalization", BN, "y m v s t"), "by the batch", S, opset=9)
case(
    "BatchNormalization of each value",
    node("BatchNormalization", BN, "y", spatial=0),
    "each value by itself",
    S,
    opset=7,
)
case("BatchNormalization of momentum 2", node("BatchNormalization", BN, "y", momentum=2.0), "its momentum is 2.0", S)
case("InstanceNormalization", node("InstanceNormalization", "x a b", "y"), ["groupnorm"], S)
case("InstanceNormalization eps", node("InstanceNormalization", "x a b", "y", epsilon=0.1), ["groupnorm"], S)
case("LRN", node("LRN", "x", "y", size=3), ["lrn"])
case("LRN of all", node("LRN", "x", "y", size=3, alpha=0.5, beta=0.25, bias=2.0), ["lrn"])
case("LRN of an even size", node("LRN", "x", "y", size=2), "must be odd")
case("LRN of size 0", node("LRN", "x", "y", size=0), "not a number of channels")
TURNS = [node("Transpose", "x", "t", perm=[0, 2, 3, 1]), node("Transpose", "u", "y", perm=[0, 3, 1, 2])]
for axis in (-1, 3):
    layer = node("LayerNormalization", "t a b", "u", axis=axis)
    case(f"LayerNormalization of axis {axis}", [TURNS[0], layer, TURNS[1]], ["layernorm"], S)
layer = node("LayerNormalization", "t a", "u", epsilon=0.5)
case("LayerNormalization without a constant", [TURNS[0], layer, TURNS[1]], ["layernorm"], S)
layer = node("LayerNormalization", "t g", "u", axis=2)
case("LayerNormalization of rows", [TURNS[0], layer, TURNS[1]], "more than the channels", {"g": draw(9, 3)})
case("LayerNormalization of the width", node("LayerNormalization", "x g", "y"), "which is the width", {"g": draw(9)})
case("LayerNormalization of dimension 7", node("LayerNormalization", "t a", "y", axis=7), "dimension 7 of 4", S)
CASES[-1][1].insert(0, TURNS[0])
case(
    "GroupNormalization of opset 21", node("GroupNormalization", "x a b", "y", num_groups=1), ["groupnorm"], S, opset=21
)
case(
    "GroupNormalization of opset 18",
    node("GroupNormalization", "x a b", "y", num_groups=1),
    "deprecated",
    {"a": draw(1), "b": draw(1)},
    opset=18,
)

# ---- dense ----

FLAT = (1, 6)
M, B = {"m": draw(6, 4)}, {"m": draw(6, 4), "n": draw(4)}
case("Gemm", node("Gemm", "x m n", "y"), ["linear"], B, shape=FLAT)
case("Gemm without a bias", node("Gemm", "x m", "y", beta=0.5), ["linear"], M, shape=FLAT)
case("Gemm of alpha", node("Gemm", "x m n", "y", alpha=2.0), "factors are not 1", B, shape=FLAT)
case("Gemm of beta", node("Gemm", "x m n", "y", beta=0.0), "factors are not 1", B, shape=FLAT)
case("Gemm of transB", node("Gemm", "x m", "y", transB=1), ["linear"], {"m": draw(4, 6)}, shape=FLAT)
case("Gemm of transA", node("Gemm", "x m", "y", transA=1), "turns its input", {"m": draw(1, 4)}, shape=FLAT)
case("Gemm of a bias in a row", node("Gemm", "x m n", "y"), ["linear"], {**M, "n": draw(1, 4)}, shape=FLAT)
case("Gemm of one number", node("Gemm", "x m n", "y"), "does not have one number", {**M, "n": draw(1)}, shape=FLAT)
case("Gemm of a column", node("Gemm", "x m n", "y"), "does not have one number", {**M, "n": draw(4, 1)}, shape=(4, 6))
case("MatMul of a vector", node("MatMul", "x m", "y"), "not a matrix", {"m": draw(6)}, shape=FLAT)
case("MatMul of the weight first", node("MatMul", "m x", "y"), "not a matrix", {"m": draw(2, 1)}, shape=FLAT)

# ---- activations ----

case("HardSigmoid", node("HardSigmoid", "x", "y"), r"0\.2·x \+ 0\.5")
case("HardSigmoid of a sixth", node("HardSigmoid", "x", "y", alpha=1 / 6), ["hardsigmoid"])
case("HardSigmoid of another half", node("HardSigmoid", "x", "y", alpha=1 / 6, beta=0.4), "`hardsigmoid` is x/6")
case("HardSwish", node("HardSwish", "x", "y"), ["hardswish"])
case("LeakyRelu", node("LeakyRelu", "x", "y"), ["leaky_relu"])
case("LeakyRelu of 0", node("LeakyRelu", "x", "y", alpha=0.0), ["leaky_relu"])
case("Elu", node("Elu", "x", "y"), "`Elu` at y")
case("Gelu", node("Gelu", "x", "y"), ["gelu"], opset=20)
case("Gelu of tanh", node("Gelu", "x", "y", approximate="tanh"), ["gelu"], opset=20)
case("Gelu of nonsense", node("Gelu", "x", "y", approximate="foo"), "approximate", opset=20)
case("Clip of nothing", [node("Clip", "x", "a"), node("Relu", "a", "y")], ["relu"])
case("Clip of a least", node("Clip", "x l", "y"), ["relu"], {"l": f(0)})
case("Clip of a most", node("Clip", "x - h", "y"), "it cuts at None and 6", {"h": f(6)})
case("Clip of both", node("Clip", "x l h", "y"), ["relu6"], {"l": f(0), "h": f(6)})
case("Clip of others", node("Clip", "x l h", "y"), "it cuts at -1", {"l": f(-1), "h": f(1)})
case("Clip of the largest number", node("Clip", "x l h", "y"), ["relu"], {"l": f(0), "h": f(3.4028234663852886e38)})
case("Clip of opset 6", node("Clip", "x", "y", min=0.0), ["relu"], opset=10)
case("Clip of opset 6, most", node("Clip", "x", "y", max=6.0), "cuts at None and 6", opset=10)
case("PRelu of each channel", node("PRelu", "x s", "y"), ["prelu"], {"s": draw(3, 1, 1)})
case("PRelu of the width", node("PRelu", "x s", "y"), "does not have one number per channel", {"s": draw(9)})
for opset, axis, shape, wanted in (
    (17, None, (1, 3, 8, 9), "not along the channels"), (17, 1, (1, 3, 8, 9), ["softmax"]),
    (17, -3, (1, 3, 8, 9), ["softmax"]), (17, None, FLAT, ["softmax"]), (12, None, FLAT, ["softmax"]),
    (12, -1, FLAT, ["softmax"]), (12, 0, FLAT, "all dimensions"), (12, None, (1, 3, 8, 9), "all dimensions"),
    (12, None, (1, 3, 1, 1), ["softmax"]), (12, 2, (1, 3, 1, 1), "all dimensions"),
    (17, 2, (1, 3, 1, 1), "not along"), (17, 9, FLAT, "dimension 9 of 2"),
):  # fmt: skip
    said = {} if axis is None else {"axis": axis}
    case(f"Softmax {opset} {axis} {shape}", node("Softmax", "x", "y", **said), wanted, opset=opset, shape=shape)
case("Dropout", node("Dropout", "x", "y"), ["dropout"])
case("Dropout of a ratio", node("Dropout", "x r", "y"), ["dropout"], {"r": f(0.25)})
case("Dropout of opset 7", node("Dropout", "x", "y", ratio=0.25), ["dropout"], opset=7)
case("Dropout in training", node("Dropout", "x r t", "y"), "while evaluating", {"r": f(0.5), "t": np.array(True)})
case("Dropout of a ratio of 2", node("Dropout", "x r", "y"), "rate", {"r": f(2)})

# ---- moves ----

for axis, wanted in (
    (None, ["flatten"]),
    (1, ["flatten"]),
    (-3, ["flatten"]),
    (2, "batch"),
    (0, "batch"),
    (7, "dimension 7"),
):
    said = {} if axis is None else {"axis": axis}
    case(f"Flatten {axis}", node("Flatten", "x", "y", **said), wanted, shape=(2, 3, 8, 9))
case("Flatten of the last", [node("Flatten", "x", "a", axis=-1), node("Relu", "a", "y")], ["relu"], shape=FLAT)
POOL = node("GlobalAveragePool", "x", "p")
case("Squeeze", [POOL, node("Squeeze", "p", "y")], "all dimensions of 1", shape=("N", 3, 8, 9))  # type: ignore[arg-type]
case(
    "Squeeze of two",
    [POOL, node("Squeeze", "p", "y", axes=[-1, 2])],
    ["global_avgpool", "flatten"],
    shape=(2, 3, 8, 9),
    opset=11,
)
case("Squeeze of three", [POOL, node("Squeeze", "p a", "y")], "not 1", {"a": np.array([1, 2, 3])})
case("Squeeze of the batch", [POOL, node("Squeeze", "p", "q"), node("Unsqueeze", "q a", "y")],
     ["global_avgpool", "flatten"], {"a": np.array([0])})  # fmt: skip
case("Unsqueeze twice", [POOL, node("Unsqueeze", "p a", "y")], "dimension twice", {"a": np.array([0, 0])})
case("Reshape of 0", node("Reshape", "x to", "y"), ["flatten"], {"to": np.array([0, -1])})
case("Reshape of allowzero", node("Reshape", "x to", "y", allowzero=1), "does not fit", {"to": np.array([0, -1])})
case("Reshape to another size", node("Reshape", "x to", "y"), "it makes 1×7 of", {"to": np.array([1, 7])})
case("Concat of -3", node("Concat", "x x", "y", axis=-3), ["concat"])
case("Concat of rows", node("Concat", "x x", "y", axis=2), "not along the channels")
case("Concat of dimension 9", node("Concat", "x x", "y", axis=9), "dimension 9 of 4")
P = {"p": np.array([0, 0, 1, 2, 0, 0, 0, 3])}
case("Pad", node("Pad", "x p", "y"), ["pad"], P)
case("Pad of a value", node("Pad", "x p v", "y"), ["pad"], {**P, "v": f(1.5)})
case(
    "Pad of axes", node("Pad", "x q - a", "y"), ["pad"], {"q": np.array([1, 2, 0, 3]), "a": np.array([-2, 3])}, opset=18
)
case("Pad that reflects", node("Pad", "x p", "y", mode="reflect"), "the mode `reflect`", P)
case("Pad that cuts", node("Pad", "x p", "y"), "padding is negative", {"p": np.array([0, 0, -1, 0, 0, 0, 0, 0])})
case("Pad of channels", node("Pad", "x p", "y"), "pads channels", {"p": np.array([0, 1, 0, 0, 0, 0, 0, 0])})
case("Pad of opset 10", node("Pad", "x", "y", pads=[0, 0, 1, 0, 0, 0, 2, 1], value=-1.0), ["pad"], opset=10)
case("ReduceMean", node("ReduceMean", "x", "y", axes=[-1, 2]), ["global_avgpool"])
case(
    "ReduceMean without dimensions",
    node("ReduceMean", "x", "y", axes=[2, 3], keepdims=0),
    ["global_avgpool", "flatten"],
)
case("ReduceMean of all", node("ReduceMean", "x", "y"), "not a mean over the whole map")
case("ReduceMean of rows", node("ReduceMean", "x", "y", axes=[2]), "not a mean over the whole map")
case("ReduceMean of opset 18", node("ReduceMean", "x a", "y"), ["global_avgpool"], {"a": np.array([2, 3])}, opset=18)
case(
    "ReduceMean of nothing",
    [node("ReduceMean", "x", "a", noop_with_empty_axes=1), node("Relu", "a", "y")],
    ["relu"],
    opset=18,
)
case("ReduceMean of dimension 8", node("ReduceMean", "x", "y", axes=[2, 8]), "dimension 8 of 4")
case("Split of two", [node("Split", "x", "a b", axis=-3, split=[1, 2]), node("Concat", "b a", "y", axis=1)],
     ["slice", "slice", "concat"], opset=11)  # fmt: skip
case("Split of num_outputs", [node("Split", "x", "a b", axis=1, num_outputs=2), node("Concat", "b a", "y", axis=1)],
     ["slice", "slice", "concat"], opset=18)  # fmt: skip
case(
    "Slice of the end",
    node("Slice", "x s e a", "y"),
    ["slice"],
    {"s": np.array([-2]), "e": np.array([99]), "a": np.array([1])},
)
case("Slice of opset 9", node("Slice", "x", "y", starts=[0, 1], ends=[9, 3]), ["slice"], opset=9)

# ---- scaling up ----

TWICE = {"s": f(1, 1, 2, 3)}
for where in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"):
    for rounding in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"):
        good = (where.endswith("half_pixel") and rounding.startswith("round")) or (where, rounding) == (
            "asymmetric",
            "floor",
        )
        attributes = {"coordinate_transformation_mode": where, "nearest_mode": rounding}
        case(
            f"Resize {where} {rounding}",
            node("Resize", "x - s", "y", **attributes),
            ["upsample"] if good else "coordinates",
            TWICE,
        )
    attributes = {"coordinate_transformation_mode": where, "mode": "linear"}
    case(
        f"Resize linear {where}",
        node("Resize", "x - s", "y", **attributes),
        ["upsample"] if "half" in where else "`linear` with",
        TWICE,
    )
case("Resize", node("Resize", "x - s", "y"), ["upsample"], TWICE)
case("Resize to sizes", node("Resize", "x - - s", "y"), ["upsample"], {"s": np.array([1, 3, 16, 27])})
case("Resize to other sizes", node("Resize", "x - - s", "y"), "not whole", {"s": np.array([1, 3, 12, 27])})
case("Resize of axes", node("Resize", "x - s", "y", axes=[2, 3]), ["upsample"], {"s": f(2, 2)}, opset=18)
case("Resize cubic", node("Resize", "x - s", "y", mode="cubic"), "scales by `cubic`", TWICE)
case("Resize smoothed", node("Resize", "x - s", "y", mode="linear", antialias=1), "smooths", TWICE, opset=18)
case("Resize of opset 10", node("Resize", "x s", "y"), ["upsample"], TWICE, opset=10)
case("Resize linear of opset 10", node("Resize", "x s", "y", mode="linear"), "linear` with asymmetric", TWICE, opset=10)
case("Upsample of opset 9", node("Upsample", "x s", "y"), ["upsample"], TWICE, opset=9)
case(
    "Upsample linear of opset 9", node("Upsample", "x s", "y", mode="linear"), "linear` with asymmetric", TWICE, opset=9
)
case("Upsample of opset 7", node("Upsample", "x", "y", scales=[1.0, 1.0, 2.0, 2.0]), ["upsample"], opset=7)
case(
    "Resize by nothing",
    [node("Resize", "x - s", "a", mode="linear"), node("Relu", "a", "y")],
    ["relu"],
    {"s": f(1, 1, 1, 1)},
)


@pytest.mark.parametrize(
    ("nodes", "arrays", "shape", "opset", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_an_attribute_is_read_exactly_or_refused(
    nodes: list[Any], arrays: dict[str, Any], shape: list[Any], opset: int, wanted: list[str] | str, tmp_path: Path
) -> None:
    path = saved(tmp_path, nodes, arrays, shape, opset=opset)
    if isinstance(wanted, str):
        with pytest.raises((CannotSay, Unreadable), match=wanted):
            decompile(str(path))
    else:
        found = decompiled(decompile(str(path)))
        assert kinds(found) == wanted
        agrees(path, found)


def test_what_only_training_has_is_as_the_file_says(tmp_path: Path) -> None:
    nodes = [node("BatchNormalization", BN, "n"), node("Dropout", "n", "y")]
    _, norm, drop = decompile(str(saved(tmp_path, nodes, S, [1, 3, 8, 9]))).graph.nodes
    assert (norm.op, drop.op) == (BatchNorm(momentum=0.1), Dropout(rate=0.5))


def test_an_average_does_not_count_its_padding_unless_it_says_so(tmp_path: Path) -> None:
    made = node("AveragePool", "x", "y", kernel_shape=[3, 3], pads=[1] * 4)
    (_, pool) = decompile(str(saved(tmp_path, [made], {}, [1, 3, 8, 9]))).graph.nodes
    assert isinstance(pool.op, AvgPool)
    assert not pool.op.include_pad


def test_images_of_whole_numbers_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, [node("MaxPool", "x", "y", kernel_shape=[2, 2])], {}, [1, 3, 8, 9], kind=TensorProto.UINT8)
    with pytest.raises(Unreadable, match="does not take real numbers"):
        decompile(str(path))
