"""A file that torch wrote -> its tensors. Pickles are loaded with `weights_only=True`: nothing in them is executed."""

import argparse
import io
import pickle
import re
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy
import torch

from archspec.files import whole_file
from archspec.printable import printable
from archspec.weights import Tensors, WeightsError
from archspec_torch.records import Damaged, opened

WRAPPERS = ("state_dict", "model_state_dict", "model", "model_ema")
"""Where training scripts keep the weights among other things; the first that is there is taken."""
PREFIXES = ("module.", "_orig_mod.", "model.")
"""What wrappers of models (data parallelism, compilation, Lightning) put before every key."""
AVERAGED = "n_averaged"
"""A counter of `torch.optim.swa_utils.AveragedModel`, no part of the network."""


def read(path: Path, entry: str | None = None) -> Tensors:
    """The tensors of a checkpoint by their keys, without what wrappers add; raises `WeightsError` or `OSError`.

    `entry` names the one of the file's entries that holds them, where it is none of `WRAPPERS`.
    """
    with path.open("rb") as file:
        content = restored(file, f"{path}: ")
    state, of = state_of(path, content, entry)
    state, prefixes = unprefixed(state)
    notes = [f"{path}: these are the tensors in `{printable(of)}` of the file"] if of is not None else []
    notes += [f"{path}: `{prefix}`, with which every key begins, is taken off" for prefix in prefixes]
    return Tensors({key: array(key, tensor) for key, tensor in state.items() if key != AVERAGED}, notes)


def restored(file: BinaryIO, before: str = "") -> object:
    """What `torch.save` wrote, if nothing in it is code; raises `WeightsError`, whose text begins with `before`."""
    try:
        if zipfile.is_zipfile(file):
            opened(file)
        file.seek(0)
        # The arguments of a training script are kept as a Namespace, which runs no code.
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings(action="ignore"):
            return torch.load(file, map_location="cpu", weights_only=True)
    except Damaged as error:
        raise WeightsError(printable(f"{before}this is not a file of torch.save: {error}")) from None
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{before}more than tensors is in this file, and loading it could run code{culprit(error)}",
            "in the program that wrote it: torch.save(model.state_dict(), …)",
        ) from None
    except OSError:
        raise
    except Exception:  # damaged bytes make an unpickler raise whatever comes first
        raise WeightsError(f"{before}this is not a file that torch wrote, or it is damaged") from None


def culprit(error: pickle.UnpicklingError) -> str:
    """What torch refuses to load, if it says so."""
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    return f" ({found[1]})" if found else ""


def state_of(path: Path, content: object, entry: str | None) -> tuple[dict[str, torch.Tensor], str | None]:
    """The dictionary of tensors in a checkpoint, and which entry it is, None for all; raises `WeightsError`."""
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path}: this file holds a {type(content).__name__}, not a dictionary of tensors")
    names = (entry,) if entry is not None else WRAPPERS
    of = next((name for name in names if isinstance(content.get(name), Mapping)), None)
    if entry is not None and of is None:
        known = ", ".join(printable(str(name)) for name, value in content.items() if isinstance(value, Mapping))
        raise WeightsError(f"{path}: it has no dictionary `{entry}`" + (f"; there is {known}" if known else ""))
    state: Mapping[Any, Any] = content if of is None else content[of]
    others = [printable(str(key)) for key, value in state.items() if not isinstance(value, torch.Tensor)]
    if others or not all(isinstance(key, str) for key in state):
        raise WeightsError(
            f"{path}: not everything in it is a tensor with a name: {', '.join(others[:5])}",
            "--entry says which part holds the weights",
        )
    return dict(state), of


def unprefixed(state: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], list[str]]:
    """The tensors without the prefixes that all of their keys have, and those."""
    taken_off = []
    for prefix in PREFIXES * 2:
        named = [key for key in state if key != AVERAGED]
        if named and all(key.startswith(prefix) for key in named):
            state = {key.removeprefix(prefix): tensor for key, tensor in state.items()}
            taken_off.append(prefix)
    return state, taken_off


def array(key: str, tensor: torch.Tensor) -> numpy.ndarray[Any, Any]:
    """A tensor as an array; bfloat16, which numpy does not have, as float32, which holds the same numbers."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex() or tensor.is_meta:
        raise WeightsError(f"`{printable(key)}` is not a dense tensor of numbers")
    numbers = tensor.detach().to(torch.float32) if tensor.dtype == torch.bfloat16 else tensor.detach()
    made: numpy.ndarray[Any, Any] = numbers.numpy()
    return made


def write(tensors: Mapping[str, Any], path: Path) -> None:
    """Arrays by their keys as a dictionary of tensors, as `torch.save(model.state_dict(), …)` writes it."""
    state = OrderedDict((key, torch.from_numpy(numpy.ascontiguousarray(values))) for key, values in tensors.items())
    # What `state_dict()` says of its own form: torchvision's MnasNet refuses a dictionary that does not.
    vars(state)["_metadata"] = OrderedDict({"": {"version": 2}})
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with whole_file(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
