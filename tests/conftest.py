"""What the tests share: golden files, torchvision beside a CPU torch."""

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

# two OpenMP threads on a busy machine of two cores are slower than one
os.environ.setdefault("OMP_NUM_THREADS", "1")
# no pool of compiling processes, no look-up of this machine's name
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
GOLDEN = Path(__file__).with_name("golden")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what is printed to the golden files")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file of that name."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        expected = path.read_bytes().decode() if path.exists() else None  # bytes: line ends count
        assert text == expected, f"run pytest --update-golden and read {name}"

    return compare


@pytest.fixture(scope="session")
def torchvision() -> ModuleType:
    """torchvision without its compiled operators, which do not load beside a CPU torch; its models need none."""
    import torch

    register_fake = torch.library.register_fake

    def ignoring(name: object, *arguments: object, **options: object) -> object:
        if isinstance(name, str) and name.startswith("torchvision::"):
            return lambda function: function
        return register_fake(name, *arguments, **options)  # type: ignore[arg-type]

    torch.library.register_fake = ignoring  # type: ignore[assignment]
    try:
        importlib.import_module("torchvision")
        return importlib.import_module("torchvision.models")
    finally:
        torch.library.register_fake = register_fake
