"""Weights apart from models: the canonical form, and taking tensors in from the files of other programs."""

from archspec.weights.canonical import SUFFIX, encode, load, tensors_of
from archspec.weights.folding import fold, optimized
from archspec.weights.initial import draw
from archspec.weights.match import Misfits, Tensors, WeightsError, take

__all__ = [
    "SUFFIX",
    "Misfits",
    "Tensors",
    "WeightsError",
    "draw",
    "encode",
    "fold",
    "load",
    "optimized",
    "take",
    "tensors_of",
]
