"""Names of the Graph -> names of layers and of their variables.

A layer is called by the path of its node with `-` for `/`: Keras refuses `/`, torch (below Keras) refuses `.`. No part
of a path holds a `-`, so two nodes never get one name, nor does a layer that helps one, behind `--`.
"""

import re

from archspec.graph import Graph, Node

NORMALIZATION = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
VARIABLES: dict[str, dict[str, str]] = {
    "bn": NORMALIZATION,
    "layernorm": NORMALIZATION,
    "groupnorm": NORMALIZATION,
    "prelu": {"weight": "alpha"},
}
"""Kind of operator to what Keras calls its tensors."""
KERNEL = {"weight": "kernel", "bias": "bias"}
"""What it calls those of all others."""


def layer_name(path: str) -> str:
    """The name of the layer that gives a node's value, and has its weights."""
    name = path.replace("/", "-")
    # TensorFlow's scopes begin with no `_`, a path with no digit
    return f"0{name}" if name.startswith("_") else name


def helper_name(path: str, what: str, count: int) -> str:
    """The name of a layer that a node needs besides, the `count`-th of that sort."""
    return f"{layer_name(path)}--{what}" + (f"_{count}" if count > 1 else "")


def model_name(name: str) -> str:
    """A name for a model that TensorFlow takes as well."""
    legal = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return legal if re.match(r"[A-Za-z0-9]", legal) else f"0{legal}"


def variable(node: Node, tensor: str) -> str:
    """What Keras calls a tensor of a node."""
    return VARIABLES.get(node.op.kind, KERNEL)[tensor]


def keys(graph: Graph) -> dict[str, str]:
    """Canonical names to `<layer>/<variable>`."""
    found: dict[str, str] = {}
    for name in graph.tensors():
        path, _, tensor = name.rpartition(".")
        found[name] = f"{layer_name(path)}/{variable(graph.by_path[path], tensor)}"
    return found
