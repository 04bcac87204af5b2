"""The target of safetensors files."""

from functools import cache
from pathlib import Path

import numpy
import safetensors.numpy

from archspec.weights import canonical
from fuzz.files import at_a_path
from fuzz.mutate_data import of_safetensors
from fuzz.targets import Target


def weights(path: Path) -> None:
    """Tensors that are read have the bytes of the file, and are written and read again, the same to the last bit."""
    found = canonical.read(path)
    assert sum(array.nbytes for array in found.values()) < path.stat().st_size, "more numbers than bytes"
    path.write_bytes(safetensors.numpy.save(found))
    same = canonical.read(path)
    assert found.keys() == same.keys()
    for key, array in found.items():
        assert (array.dtype, array.shape, array.tobytes()) == (same[key].dtype, same[key].shape, same[key].tobytes())


@cache
def made() -> tuple[bytes, ...]:
    """Files of the library itself."""
    tensors = {"a.weight": numpy.ones((2, 3), "float32"), "a.bias": numpy.zeros(2, "float16"), "n": numpy.int64(3)}
    whole = {name: numpy.asarray(array) for name, array in tensors.items()}
    return safetensors.numpy.save(whole), safetensors.numpy.save(whole, {"format": "pt"}), safetensors.numpy.save({})


TARGETS = {"safetensors": Target(at_a_path(".safetensors", weights), of_safetensors, made)}
