"""A framework's model -> the text of a spec that means exactly it.

A backend reads the model into a flat Graph (`model`), which is brought into normal form (`normal`), parted into units
(`homes`), made a tree (`trees`), folded into blocks (`templates`, `solve`, `blocks`, `mining`) and written (`text`,
`write`). The text is compiled again and compared (`proof`) before anybody sees it.
"""

from archspec.decompile.model import Builder, CannotSay, Decompiles, Model, Module, Tensor, Unreadable, shape_of
from archspec.decompile.sources import load
from archspec.decompile.spec import Decompiled, decompiled

__all__ = [
    "Builder", "CannotSay", "Decompiled", "Decompiles", "Model", "Module", "Tensor", "Unreadable", "decompiled", "load",
    "shape_of",
]  # fmt: skip
