"""The weights of a Graph -> those of the optimised one, in the type of numbers that they have."""

from collections.abc import Mapping

from archspec.graph import Graph, Node
from archspec.ops import BatchNorm
from archspec.optimize import Optimized, optimize
from archspec.weights.initial import draw
from archspec.weights.libraries import numpy
from archspec.weights.match import Array, WeightsError


def optimized(graph: Graph, weights: Mapping[str, Array] | None, seed: int = 0) -> tuple[Graph, dict[str, Array]]:
    """A Graph for inference with its weights, from those of the Graph before; without them, from those drawn for it."""
    plan = optimize(graph)
    return plan.graph, fold(plan, dict(draw(graph, seed)) if weights is None else weights)


def fold(plan: Optimized, tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Every tensor of the optimised Graph, by its canonical name, from all those of the Graph before.

    A layer y = W·x + b with y ↦ s·y + t after it is the layer with the weights s·W, s by output channels, and s·b + t.
    Raises `WeightsError` where these are not finite and those before were.
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
        with np.errstate(over="ignore", invalid="ignore"):
            found[weight] = (by_channel * matrix).astype(matrix.dtype)
            if bias in names:
                found[bias] = constant.astype(matrix.dtype)
        if not all(np.isfinite(found[name]).all() for name in (weight, bias) if name in names):
            check_finite(tensors, path, others)
    return {name: found[name] for name in names}


def check_finite(tensors: Mapping[str, Array], layer: str, others: tuple[str, ...]) -> None:
    """Raise `WeightsError` unless some weights of what is folded are not finite themselves."""
    np = numpy()
    own = [values for name, values in tensors.items() if name.rpartition(".")[0] in {layer, *others}]
    if all(np.isfinite(values).all() for values in own):
        said = f"`{others[-1]}` cannot be folded into `{layer}`: the weights would be no finite numbers"
        raise WeightsError(said, "a running variance is from 0; or build without --optimize")


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
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = factor / np.sqrt(own["running_var"] + node.op.eps)
    return scale, own.get("bias", np.float64(0)) - own["running_mean"] * scale
