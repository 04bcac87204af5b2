"""`Graph` -> the memory that its activations need while it runs, for one image: layer by layer, and at its peak.

Everything is counted in numbers; bytes are these times `archspec.tensor.BYTES`. docs/devices.md has the conventions.
"""

from archspec.memory.best_order import BestOrder, best_order
from archspec.memory.liveness import Peak, liveness, peak
from archspec.memory.storages import Storages, storages

__all__ = ["BestOrder", "Peak", "Storages", "best_order", "liveness", "peak", "storages"]
