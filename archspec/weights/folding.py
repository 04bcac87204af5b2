"""The weights of a Graph -> those of the optimised one, in the type of numbers that they have."""

from collections.abc import Mapping

from archspec.graph import Graph, Node
from archspec.ops import BatchNorm
from archspec.optimize import Optimized, optimize
from archspec.weights.initial import draw
from archspec.weights.libraries import numpy
from archspec.weights.match import Array


def optimized(graph: Graph, weights: Mapping[str, Array] | None, seed: int = 0) -> tuple[Graph, dict[str, Array]]:
    """A Graph for inference with its weights, from those of the Graph before; without them, from those drawn for it."""
    plan = optimize(graph)
    return plan.graph, fold(plan, dict(draw(graph, seed)) if weights is None else weights)


def fold(plan: Optimized, tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Every tensor of the optimised Graph, by its canonical name, from all those of the Graph before.

    A layer y = W·x + b with y ↦ s·y + t after it is the layer with the weights s·W, s by output channels, and s·b + t.
    """
    np = numpy()
    names = plan.graph.tensors()
    found = {name: tensors[name] for name in names if name in tensors}
    for path, others in plan.folds.items():
        weight, bias = f"{path}.weight", f"{path}.bias"
        matrix = np.asarray(tensors[weight])
        factor, constant = np.ones(len(matrix)), np.zeros(len(matrix)) + tensors.get(bias, 0.0)
        for other in others:
            scale, shift = affine(plan.before.by_path[other], tensors)
            factor, constant = scale * factor, scale * constant + shift
        by_channel = factor.reshape(-1, *(1 for _ in matrix.shape[1:]))
        found[weight] = (by_channel * matrix).astype(matrix.dtype)
        if bias in names:
            found[bias] = constant.astype(matrix.dtype)
    return {name: found[name] for name in names}


def affine(node: Node, tensors: Mapping[str, Array]) -> tuple[Array, Array]:
    """What a node does to each channel in evaluation, as a factor and a constant, in float64."""
    np = numpy()
    own = {
        name: np.asarray(tensors[f"{node.path}.{name}"], dtype="float64")
        for name in ("weight", "bias", "running_mean", "running_var")
        if f"{node.path}.{name}" in tensors
    }
    factor = own.get("weight", np.float64(1))
    if not isinstance(node.op, BatchNorm):
        return factor, np.float64(0)
    scale = factor / np.sqrt(own["running_var"] + node.op.eps)
    return scale, own.get("bias", np.float64(0)) - own["running_mean"] * scale
