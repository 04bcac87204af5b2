"""What the numbers were measured on: enough to judge them, nothing that names a machine or its user."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

LIBRARIES = (
    "archspec-compiler",
    "click",
    "lark",
    "pydantic",
    "torch",
    "torchvision",
    "torchinfo",
    "fvcore",
    "ptflops",
    "keras",
    "tensorflow-cpu",
    "onnxruntime",
)


def processor() -> str:
    """The processor's model as Linux tells it, or else what Python knows."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def description() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{processor()}, {os.cpu_count()} cores, {platform.system()}; load average when it began: "
        f"{os.getloadavg()[0]:.1f}. {platform.python_implementation()} {platform.python_version()}; {libraries}."
    )
