"""What other exporters write, said exactly: constants, shapes, layouts. Each is what onnxruntime gives."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from archspec_onnx.decompile import decompile
from decompile.onnx_files import agrees, draw, ends_like, kinds, node, number, saved

from archspec.decompile import CannotSay, decompiled

FILES = Path(__file__).parent / "files"
SHAPE = [1, 3, 9, 9]
CONV = {"w": draw(4, 3, 3, 3), "v": draw(4, 4, 1, 1)}
GAIN, SHIFT = draw(1, 4, 1, 1), draw(4, 1, 1) + 2


def conv(x: str = "x", y: str = "a", **attributes: Any) -> Any:
    return node("Conv", f"{x} w", y, **attributes)


# ---- the files that were refused, or read otherwise than they are ----

GIVEN = {
    "affine_twice": ["conv", "dwconv", "relu", "conv", "dwconv"],
    "mul_only": ["conv", "layer_scale"],
    "nhwc_out": ["conv"],
    "softmax12_1x1": ["global_avgpool", "softmax"],
    "same_lower": ["conv"],
    "conv2d_same_torchscript": ["pad", "conv"],
    "as_strided": ["conv", "global_avgpool"],
}


@pytest.mark.parametrize("name", GIVEN)
def test_files_that_are_exact_are_read(name: str) -> None:
    path = FILES / f"{name}.onnx"
    found = decompiled(decompile(str(path)))
    assert kinds(found) == GIVEN[name]
    agrees(path, found)


# ---- arithmetic with constants ----

GAINS: dict[str, tuple[list[Any], dict[str, Any], list[str]]] = {
    "a factor and a constant after a convolution": (
        [conv(), node("Mul", "a g", "b"), node("Add", "s b", "y")],
        {**CONV, "g": GAIN, "s": SHIFT},
        ["conv", "dwconv"],
    ),
    "a constant is the bias of the convolution before": (
        [conv(), node("Sub", "a s", "y")],
        {**CONV, "s": SHIFT},
        ["conv"],
    ),
    "a constant where something else takes the convolution too": (
        [conv(), node("Add", "a s", "b"), node("Mul", "a b", "y")],
        {**CONV, "s": SHIFT},
        ["conv", "dwconv", "mul"],
    ),
    "an image made normal before it is used": (
        [node("Sub", "x m", "a"), node("Div", "a d", "b"), conv("b", "y")],
        {**CONV, "m": draw(3, 1, 1), "d": draw(1, 3, 1, 1) ** 2 + 0.3},
        ["dwconv", "conv"],
    ),
    "one number for all channels": (
        [node("Mul", "x f", "a"), node("Add", "a o", "b"), conv("b", "y")],
        {**CONV, "f": np.float32(1 / 127.5), "o": np.float32(-1)},
        ["dwconv", "conv"],
    ),
    "a constant minus a value": ([conv(), node("Sub", "s a", "y")], {**CONV, "s": SHIFT}, ["conv", "dwconv"]),
    "nothing is added or multiplied": (
        [number("nil", np.float32(0)), number("one", np.ones((1, 1), "float32")), conv(), node("Add", "nil a", "b"),
         node("Mul", "one b", "c"), node("Div", "c one", "d"), node("Sub", "d nil", "e"), node("Relu", "e", "y")],
        CONV,
        ["conv", "relu"],
    ),
    "two affine maps in a row are one": (
        [conv(), node("Mul", "a g", "b"), node("Add", "b s", "c"), node("Mul", "c g", "d"), node("Sub", "d s", "y")],
        {**CONV, "g": GAIN, "s": SHIFT},
        ["conv", "dwconv"],
    ),
    "a factor that is used before the constant is added": (
        [conv(), node("Mul", "a g", "b"), node("Add", "b s", "c"), node("Mul", "b c", "y")],
        {**CONV, "g": GAIN, "s": SHIFT},
        ["conv", "layer_scale", "dwconv", "mul"],
    ),
    "a vector that was one pixel": (
        [conv(), node("GlobalAveragePool", "a", "b"), node("Flatten", "b", "c"), node("Mul", "c g", "d"),
         node("Add", "d s", "e"), node("Reshape", "e to", "y")],
        {**CONV, "g": draw(4), "s": draw(1, 4), "to": np.array([1, 4, 1, 1])},
        ["conv", "global_avgpool", "dwconv"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", GAINS)
def test_arithmetic_with_constants(what: str, tmp_path: Path) -> None:
    nodes, arrays, wanted = GAINS[what]
    found = ends_like(saved(tmp_path, nodes, arrays, SHAPE))
    assert kinds(found) == wanted


def test_the_bias_of_a_linear_layer_of_one_channel_may_be_zero(tmp_path: Path) -> None:
    nodes = [node("Flatten", "x", "a"), node("MatMul", "a m", "b"), node("Add", "b z", "y")]
    found = ends_like(saved(tmp_path, nodes, {"m": draw(243, 1), "z": np.zeros(1, "float32")}, SHAPE, 2))
    assert [str(op.op) for op in found.graph.nodes[2:]] == ["kind='linear' channels=1 bias=True"]


def test_weights_that_are_one_vector_are_not_counted_twice(tmp_path: Path) -> None:
    """The kernel of a convolution is a vector here, which exporters may merge: it is still one of the two."""
    nodes = [conv(), node("Add", "a s", "b"), node("Sub", "b s", "c"), node("Concat", "a c", "y", axis=1)]
    found = ends_like(saved(tmp_path, nodes, {"w": draw(4, 3, 1, 1)[:1], "s": draw(1, 1, 1)}, SHAPE))
    assert kinds(found).count("conv") == 2  # the second is the depthwise one of one channel
    assert sum(tensor.key == "w" for tensor in found.tensors.values()) == 1


def test_an_image_whose_channels_are_scaled_one_by_one(tmp_path: Path) -> None:
    """As torchvision's `transform_input` is written: each channel alone, and all of them joined."""
    nodes = []
    for at, (gain, shift) in enumerate(((0.458, -0.03), (0.448, -0.088), (0.45, -0.188))):
        nodes += [
            number(f"i{at}", np.int64(at)),
            number(f"g{at}", np.float32(gain)),
            number(f"s{at}", np.float32(shift)),
        ]
        nodes += [node("Gather", f"x i{at}", f"a{at}", axis=1), node("Unsqueeze", f"a{at} one", f"b{at}")]
        nodes += [node("Mul", f"b{at} g{at}", f"c{at}"), node("Add", f"c{at} s{at}", f"d{at}")]
    nodes += [node("Concat", "d0 d1 d2", "e", axis=1), conv("e", "y")]
    found = ends_like(saved(tmp_path, nodes, {**CONV, "one": np.array([1])}, ["N", 3, 9, 9]))
    assert kinds(found) == ["dwconv", "conv"]
    assert "share" not in found.text


def test_the_spec_says_that_numbers_are_trained(tmp_path: Path) -> None:
    nodes = [number("f", np.float32(0.5)), node("Mul", "x f", "a"), conv("a", "y")]
    assert (
        "multiplies channels by or adds to them are trained here, in 1 operator"
        in ends_like(saved(tmp_path, nodes, CONV, SHAPE)).text
    )


@pytest.mark.parametrize(
    ("kind", "inputs", "array", "why"),
    [
        ("Add", "x k", draw(1, 1, 9, 9), "does not have one number per channel"),
        ("Add", "x k", draw(2, 1, 3, 1, 1), "does not have one number per channel"),
        ("Mul", "x k", np.ones((1, 1, 1, 1, 1), "float32"), "does not have one number per channel"),
        ("Div", "k x", draw(3, 1, 1), "divides by a value"),
        ("Div", "x k", np.zeros((3, 1, 1), "float32"), "divides by zero"),
        ("Sub", "x x", draw(1), "subtracts one value from another"),
    ],
)
def test_arithmetic_that_no_operator_is(kind: str, inputs: str, array: Any, why: str, tmp_path: Path) -> None:
    with pytest.raises(CannotSay, match=why):
        decompile(str(saved(tmp_path, [node(kind, inputs, "y")], {"k": array}, SHAPE)))


def test_a_number_that_depends_on_the_batch_is_no_weight(tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Cast", "n", "f", to=1), node("Mul", "x f", "y"),
    ]  # fmt: skip
    with pytest.raises(CannotSay, match="the number of images"):
        decompile(str(saved(tmp_path, nodes, {"zero": np.int64(0)}, ["N", 3, 9, 9])))
    # of one image it is the number 1
    assert kinds(
        ends_like(
            saved(tmp_path, [*nodes[:3], node("Mul", "x f", "z"), node("Relu", "z", "y")], {"zero": np.int64(0)}, SHAPE)
        )
    ) == ["relu"]


# ---- what changes nothing, or only the layout ----

MOVES: dict[str, tuple[list[Any], dict[str, Any], list[str]]] = {
    "an identity of a gather": (
        [node("Gather", "x i", "a", axis=2), conv("a", "y")],
        {**CONV, "i": np.arange(9)},
        ["conv"],
    ),
    "a cast to its own type": (
        [node("Cast", "x", "a", to=1), node("Identity", "a", "b"), conv("b", "y")],
        CONV,
        ["conv"],
    ),
    "turns that undo each other": (
        [node("Transpose", "x", "a", perm=[3, 1, 0, 2]), node("Transpose", "a", "b", perm=[2, 1, 3, 0]),
         conv("b", "y")],
        CONV,
        ["conv"],
    ),
    "channels in the other order": (
        [node("Gather", "x i", "a", axis=1), conv("a", "y")],
        {**CONV, "i": np.array([2, 1, 0])},
        ["slice", "slice", "slice", "concat", "conv"],
    ),
    "some channels": ([node("Gather", "x i", "y", axis=-3)], {"i": np.array([-2, -1])}, ["slice"]),
    "an expansion to its own shape": (
        [node("Expand", "x to", "a"), conv("a", "y")],
        {**CONV, "to": np.array([1, 9, 1])},
        ["conv"],
    ),
    "all parts of a value": (
        [node("Split", "x", "a b c", axis=1), node("Concat", "a b c", "d", axis=-3), conv("d", "y")],
        CONV,
        ["conv"],
    ),
    "a pad of nothing": (
        [node("Pad", "x n", "a", mode="reflect"), conv("a", "y")],
        {**CONV, "n": np.zeros(8, "int64")},
        ["conv"],
    ),
    "a vector by way of the whole batch": (
        [node("GlobalAveragePool", "x", "a"), node("Reshape", "a flat", "b"),
         node("Reshape", "b to", "c"), node("Conv", "c w", "y")],
        {"w": draw(4, 3, 1, 1), "flat": np.array([-1]), "to": np.array([1, 3, 1, 1])},
        ["global_avgpool", "conv"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", MOVES)
def test_what_moves_nothing_is_no_operator(what: str, tmp_path: Path) -> None:
    nodes, arrays, wanted = MOVES[what]
    assert kinds(ends_like(saved(tmp_path, nodes, arrays, SHAPE))) == wanted


def test_an_image_with_its_channels_last_that_is_scaled_before_it_is_turned(tmp_path: Path) -> None:
    nodes = [
        node("Sub", "x m", "a"), node("Mul", "a f", "b"),
        node("Transpose", "b", "c", perm=[0, 3, 1, 2]), conv("c", "d"),
        node("Transpose", "d", "y", perm=[0, 2, 3, 1]),
    ]  # fmt: skip
    path = saved(tmp_path, nodes, {**CONV, "m": draw(3), "f": np.float32(0.25)}, [1, 9, 7, 3])
    found = decompiled(decompile(str(path)))
    assert (kinds(found), found.graph.input.shape) == (["dwconv", "conv"], (9, 7, 3))
    assert "gives y as N×h×w×c" in found.text
    agrees(path, found)


def test_a_pad_of_an_image_whose_channels_are_last(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "x", "a", perm=[0, 2, 3, 1]), node("Pad", "a n", "b"),
        node("Transpose", "b", "c", perm=[0, 3, 1, 2]),
        conv("c", "y"),
    ]  # fmt: skip
    found = ends_like(saved(tmp_path, nodes, {**CONV, "n": np.array([0, 1, 2, 0, 0, 0, 3, 0])}, SHAPE))
    assert kinds(found) == ["pad", "conv"]


# ---- constants that were not folded ----


def test_shapes_that_are_worked_out(tmp_path: Path) -> None:
    """Range, ConstantOfShape, Slice, Where, Expand: a reshape to N and the rest, spelled out."""
    nodes = [
        node("Shape", "x", "s"), node("Slice", "s one far zero", "tail"), node("ReduceProd", "tail", "p", keepdims=1),
        node("Slice", "s zero one zero", "n"), node("Range", "first last step", "r"), node("Size", "r", "size"),
        node("Unsqueeze", "size zero", "sizes"), node("ConstantOfShape", "sizes", "nil"),
        node("Concat", "n p", "two", axis=0),
        node("Sub", "two nil", "to"), node("Reshape", "x to", "flat"), node("MatMul", "flat m", "y"),
    ]  # fmt: skip
    arrays = {
        "zero": np.array([0]), "one": np.array([1]), "far": np.array([2**62]), "m": draw(243, 5),
        "first": np.int64(0), "last": np.int64(6), "step": np.int64(3),
    }  # fmt: skip
    nodes[7].attribute.append(number("zeros", np.zeros(1, "int64")).attribute[0])
    found = ends_like(saved(tmp_path, nodes, arrays, ["N", 3, 9, 9], 2))
    assert kinds(found) == ["flatten", "linear"]


@pytest.mark.parametrize(
    "nodes",
    [
        [node("ConstantOfShape", "big", "a")],
        [node("Range", "nil far one", "a")],
        [node("Range", "nil far nil", "a")],
        [node("Expand", "one big", "a")],
        [node("Tile", "one wide", "a")],
        [node("Unsqueeze", "row axis", "b"), node("Mul", "b row", "c"), node("Mul", "c c", "a")],
        [node("ConstantOfShape", "half", f"a{n}") for n in range(40)] + [node("Add", "a0 a1", "a")],
    ],
    ids=["zeros", "range", "endless", "expand", "tile", "spread", "many"],
)
def test_no_more_is_computed_than_a_bound(nodes: list[Any], tmp_path: Path) -> None:
    """Nothing of it is computed: less than 200 MB, where the arrays would have gigabytes."""
    import tracemalloc

    arrays = {
        "big": np.array([2**20, 2**20]), "nil": np.int64(0), "far": np.int64(2**40), "one": np.int64(1),
        "wide": np.array([2**30]), "row": np.arange(2**13), "axis": np.array([1]), "half": np.array([2**20]),
    }  # fmt: skip
    arrays["one"] = np.ones(1, "int64") if nodes[0].op_type in {"Tile", "Expand"} else arrays["one"]
    path = saved(tmp_path, [*nodes, node("Reshape", "x a", "y")], arrays, SHAPE)
    tracemalloc.start()
    try:
        with pytest.raises(CannotSay, match=r"too many numbers|does not end"):
            decompile(str(path))
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()


# ---- all places at once ----


def places(error: pytest.ExceptionInfo[CannotSay]) -> list[str]:
    return re.findall(r"`([A-Za-z.]+)` at (\w+)", str(error.value))  # type: ignore[return-value]


def test_places_after_one_that_cannot_be_said_are_looked_at_too(tmp_path: Path) -> None:
    nodes = [
        node("Elu", "x", "a", name="first"), conv("a", "b"),
        node("Resize", "b - scales", "c", mode="cubic", name="second"),
        node("ConvTranspose", "c k", "d", name="third"), node("Softmax", "d", "e", axis=2, name="fourth"),
        node("Add", "e d", "f"), node("Sin", "f", "y", name="fifth"),
    ]  # fmt: skip
    arrays = {**CONV, "scales": np.array([1, 1, 2, 2], "float32"), "k": draw(4, 2, 2, 2)}
    with pytest.raises(CannotSay) as refused:
        decompile(str(saved(tmp_path, nodes, arrays, SHAPE)))
    found = [
        ("Elu", "first"),
        ("Resize", "second"),
        ("ConvTranspose", "third"),
        ("Softmax", "fourth"),
        ("Sin", "fifth"),
    ]
    assert places(refused) == found
    assert str(refused.value).startswith("theirs.onnx cannot be converted exactly: 5 operators are unsupported")


def test_what_no_output_takes_is_not_in_the_way(tmp_path: Path) -> None:
    nodes = [node("Elu", "x", "a"), node("Shape", "a", "s"), node("Sin", "x", "b"), conv("x", "y")]
    assert kinds(ends_like(saved(tmp_path, nodes, CONV, SHAPE))) == ["conv"]


def test_a_turn_is_named_and_not_what_takes_it(tmp_path: Path) -> None:
    nodes = [node("Transpose", "x", "a", perm=[0, 2, 1, 3], name="turn"), node("Relu", "a", "y", name="after")]
    with pytest.raises(CannotSay) as refused:
        decompile(str(saved(tmp_path, nodes, {}, SHAPE)))
    assert places(refused) == [("Transpose", "turn")]


def test_more_outputs_than_one_are_named(tmp_path: Path) -> None:
    nodes = [
        node("MaxPool", "x", "a places", kernel_shape=[2, 2], name="pool"), node("Cast", "places", "b", to=1),
        node("Add", "a b", "y"),
    ]  # fmt: skip
    with pytest.raises(CannotSay, match="`MaxPool` at pool: its output 2 is taken"):
        decompile(str(saved(tmp_path, nodes, {}, SHAPE)))


def test_the_input_of_a_file_is_not_changed(tmp_path: Path) -> None:
    path = saved(tmp_path, [conv("x", "y")], CONV, [1, 3, "h", 9])
    assert decompile(str(path), image=(5, 9, 3)).graph.input.shape == (5, 9, 3)
    for image in ((5, 8, 3), (5, 9, 4), (3,)):
        with pytest.raises(Exception, match="and --input says"):
            decompile(str(path), image=image)
