"""Files that somebody made to do harm, one for each way in which a command reads what others wrote."""

import json
import pickle
from pathlib import Path
from typing import Any

from fuzz import onnx_files, torch_files
from fuzz.mutate_data import unzipped, zipped

MODEL, SAMPLE = "models/model.json", "data/sample_inputs/model.pt"
SPEC = """arch 1
use "{outside}"
network N {{ input 8 x 8 x 3 body conv(3, 4) -> "__import__('os').system('touch {marker}')" }}
"""
NET = 'arch 1\nnetwork N {\n  input 8 x 8 x 3\n  body conv(3, 4)\n  weights theirs\n    "conv" = "conv"\n}\n'


class Plant:
    """What a pickle runs when it is loaded."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (self.code,)


def code(marker: Path) -> str:
    """What runs, if anything does: a program, a connection and a file."""
    return (
        f"import os, socket, pathlib; pathlib.Path({str(marker)!r}).touch(); os.system('true'); "
        "made = socket.socket(); made.connect_ex(('127.0.0.1', 9)); made.close()"
    )


def program(evil: str) -> bytes:
    """A program whose sample inputs and constants are pickles that run code, and whose sizes are code."""
    records = []
    for name, content in unzipped(torch_files.programs()[1]):
        if name.endswith(MODEL):
            said = json.loads(content)
            said["range_constraints"][evil] = {"min_val": 1, "max_val": 2}
            content = json.dumps(said).encode()
        records.append((name, torch_files.saved(Plant(evil)) if name.endswith(SAMPLE) else content))
    return zipped(records)


def sized(evil: str) -> bytes:
    """A program one of whose sizes is code."""
    records = []
    for name, content in unzipped(torch_files.programs()[1]):
        text = content.replace(b'"expr_str": "s', b'"expr_str": "' + evil.replace('"', "'").encode() + b"+s")
        records.append((name, text if name.endswith(MODEL) else content))
    return zipped(records)


def elsewhere() -> bytes:
    """A model whose weights are said to be in a file outside of its folder; both names are as long."""
    return onnx_files.apart().replace(b"theirs.onnx.data", b"../../etc/passwd")


def pages(marker: Path) -> dict[str, str]:
    """Texts with tables in which something could be taken for a command."""
    table = "<table><tr><th>Input</th><th>Operator</th></tr><tr><td>8x8x3</td><td>{}</td></tr></table>"
    script = f"<script src='http://127.0.0.1:9/x'></script><img src='file:///etc/passwd'><!ENTITY x SYSTEM '{marker}'>"
    read, write = r"\input{/etc/passwd}", rf"\write18{{touch {marker}}}"
    shell, image = f"os.system('touch {marker}')", "![x](http://127.0.0.1:9/)"
    return {
        "page.html": table.format(script),
        "paper.tex": rf"\begin{{tabular}}{{ll}} Input & Operator \\ 8 & {read}{write} \\ \end{{tabular}}",
        "notes.md": f"| Input | Operator |\n|---|---|\n| 8x8x3 | `{shell}` {image} |\n",
        "cells.csv": f"Input,Operator\n8x8x3,\"=cmd|'/c touch {marker}'!A1\"\n",
    }


def written(folder: Path, marker: Path) -> None:
    """All of the files, into a folder."""
    evil = code(marker)
    files: dict[str, bytes] = {name: text.encode() for name, text in pages(marker).items()}
    files |= {
        "spec.arch": SPEC.format(outside="../../../../../../etc/passwd", marker=marker).encode(),
        "net.arch": NET.encode(),
        "planted.pt2": program(evil), "sized.pt2": sized(evil), "pickle.pt2": pickle.dumps(Plant(evil)),
        "good.onnx": onnx_files.usual(), "outside.onnx": elsewhere(),
        "damaged.onnx": b"\x08\x07" * 40,
        "planted.pth": torch_files.saved({"conv": Plant(evil)}), "pickle.pth": pickle.dumps(Plant(evil)),
        "good.pth": torch_files.checkpoints()[0],
        "long.safetensors": (2**62).to_bytes(8, "little") + b"{}",
        "planted.h5": pickle.dumps(Plant(evil)), "planted.keras": zipped([("config.json", evil.encode())]),
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_bytes(content)


CHECKS = [["check", "spec.arch"], ["check", "net.arch"]]
TABLES = [["import", name] for name in ("page.html", "paper.tex", "notes.md", "cells.csv")]
TORCH = [
    ["import", "planted.pt2", "--input", "16x12", "-o", "made.arch"], ["import", "sized.pt2", "--input", "16x12"],
    ["import", "pickle.pt2"], ["import", "planted.pth"],
    *(["weights", "import", "--from", "theirs", name, "net.arch", "-o", "made.safetensors"]
      for name in ("planted.pth", "pickle.pth", "good.pth", "long.safetensors")),
]  # fmt: skip
ONNX = [["import", name, "-o", "made.arch"] for name in ("good.onnx", "outside.onnx", "damaged.onnx")]
KERAS = [
    ["weights", "import", "--from", "theirs", name, "net.arch", "-o", "made.safetensors"]
    for name in ("planted.h5", "planted.keras")
]
TEXTS = "specs and tables"
COMMANDS: dict[str, list[list[str]]] = {
    TEXTS: CHECKS + TABLES, "torch": TORCH, "onnx": ONNX, "keras": KERAS,
}  # fmt: skip
MADE = {"made.arch", "made.safetensors"}
"""What the commands name to be written."""


def named(commands: list[list[str]], folder: Path) -> set[str]:
    """The files of a folder that commands name to be read."""
    return {str(folder / word) for command in commands for word in command if "." in word and word not in MADE}
