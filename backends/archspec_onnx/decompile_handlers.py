"""The functions that read ONNX's operators, by the names of these."""

from archspec_onnx import decompile_affine, decompile_moves, decompile_resize
from archspec_onnx.decompile_ops import HANDLERS

__all__ = ["HANDLERS", "decompile_affine", "decompile_moves", "decompile_resize"]
