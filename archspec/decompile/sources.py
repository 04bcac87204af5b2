"""What a user names as a model -> its spec, by whichever backend reads it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archspec.backend import Builds, able, available, get, having
from archspec.decompile.model import Decompiles
from archspec.decompile.spec import Decompiled, decompiled
from archspec.errors import Refusal
from archspec.printable import printable
from archspec.tensor import Shape


class UnknownSource(Refusal):
    """No backend reads a model from there."""

    exit_code = 2


def load(
    source: str,
    *,
    name: str | None = None,
    image: Shape | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Decompiled:
    """The spec of a framework's model: `model.onnx`, `model.pt2` or `torch:package.module:factory`.

    `name` is what its network is called, `image` the shape of its input, h×w×c or c, and `arguments` are those of the
    factory. A factory is code of its package, and is run. Raises `Refusal` or `OSError`.
    """
    reader = reader_of(source)
    return decompiled(reader.decompile(source, name=name, image=image, arguments=arguments))


def reader_of(source: str) -> Decompiles:
    """The backend that reads a source; raises `UnknownSource`, or `Unable` where it reads no models."""
    scheme, colon, _ = source.partition(":")
    if colon and scheme in available():
        return get(scheme, Decompiles)
    suffix = Path(source).suffix
    known = [backend for backend in having(Builds) if suffix in backend.formats]
    if not known:
        raise UnknownSource(
            f"`{printable(source)}` names no model", "model.onnx, model.pt2, or torch:package.module:factory"
        )
    reading = [backend for backend in known if able(backend, Decompiles)]
    return reading[0] if reading else get(known[0].name, Decompiles)
