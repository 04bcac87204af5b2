"""What is tried with some bytes, and what may come of it: a result with its laws, or a mistake that archspec names.

The modules of the targets are imported when one is asked for: a fuzzer counts the coverage of what is imported then.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path

from msgspec import Struct

from archspec.decompile.proof import Disproved
from archspec.diagnostics import Diagnostic
from archspec.errors import Refusal, SpecError
from archspec.report import json_of, text_of

CORPUS = Path(__file__).parent / "corpus"
MODULES = {
    "parse": "texts", "tables": "texts", "elaborate": "texts", "import": "texts", "html": "texts", "latex": "texts",
    "cells": "texts", "foreign": "foreign", "pt2": "torch_files", "checkpoint": "torch_files", "onnx": "onnx_files",
    "safetensors": "safetensors_files", "h5": "keras_files", "keras": "keras_files", "lsp": "editor", "serve": "page",
}  # fmt: skip
"""Each target, and the module of this package that has it."""


class Target(Struct, frozen=True):
    """One thing that reads what others wrote."""

    attempt: Callable[[bytes], None]
    """raises `AssertionError` where a law does not hold; `SpecError` and `Refusal` are answers"""
    mutated: Callable[[bytes, random.Random], bytes]
    """other bytes, near these"""
    made: Callable[[], Iterable[bytes]] = tuple
    """what is tried first besides the corpus: files that are not texts, made by a script"""
    longest: int = 6000
    """bytes that are tried"""


def target(name: str) -> Target:
    """The target of that name."""
    targets: dict[str, Target] = import_module(f"fuzz.{MODULES[name]}").TARGETS
    return targets[name]


def tried(name: str, data: bytes) -> None:
    """Try a target with some bytes; what may be wrong with them is not a finding."""
    try:
        target(name).attempt(data)
    except SpecError as error:
        told(error.diagnostics)
    except Disproved:
        raise  # a mistake of archspec's own
    except Refusal as error:
        refused(error)


def refused(error: Refusal) -> None:
    """A refusal has a text."""
    assert str(error)


def told(found: object) -> None:
    """Every diagnostic has a text and a form for tools."""
    for one in found if isinstance(found, (list, tuple)) else ():
        assert isinstance(one, Diagnostic)
        assert text_of(one)
        assert json_of(one)["code"] == one.code


def mutated(name: str, data: bytes, longest: int, seed: int) -> bytes:
    """Other bytes for a target, near these, the same for one seed."""
    return target(name).mutated(data, random.Random(seed))[:longest]


def corpus(name: str) -> Iterator[Path]:
    """The files of a target."""
    folder = CORPUS / name
    yield from sorted(folder.iterdir()) if folder.is_dir() else ()


def seeds(name: str) -> Iterator[bytes]:
    """What is tried first: the files of the corpus, and what a script makes."""
    for file in corpus(name):
        yield file.read_bytes()
    yield from target(name).made()
