"""Devices, and what a network needs of one: does it fit, and how long does it take at least."""

from archspec.devices.device import Device, UnknownDevice, WrongDevice, bundled, load
from archspec.devices.estimate import Activations, Estimate, Layer, Share, Weights, estimate

__all__ = [
    "Activations", "Device", "Estimate", "Layer", "Share", "UnknownDevice", "Weights", "WrongDevice", "bundled",
    "estimate", "load",
]  # fmt: skip
