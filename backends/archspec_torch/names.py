"""Names of the Graph -> names that torch takes: a part that means something to `nn.Module` gets a `_`."""

import keyword

from torch import fx, nn

# of an instance: some of its attributes (`meta`) are set when it is made
TAKEN = frozenset({*dir(nn.Sequential()), *dir(fx.GraphModule(nn.Module(), fx.Graph())), "input", "self"})


def legal(name: str, siblings: set[str]) -> str:
    """The name of a submodule, unlike its siblings', which it joins."""
    while name in TAKEN or keyword.iskeyword(name) or name in siblings:
        name += "_"
    siblings.add(name)
    return name


def class_name(label: str) -> str:
    """A class's name for what a scope is an instance of: `conv2d 1x1` gives `conv2d_1x1`."""
    name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in label)[:60]
    name = name if name[:1].isalpha() else f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name
