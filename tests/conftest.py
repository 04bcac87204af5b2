"""What the tests share: golden files, torchvision beside a CPU torch."""

import importlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# two OpenMP threads on a busy machine of two cores are slower than one
os.environ.setdefault("OMP_NUM_THREADS", "1")
# no pool of compiling processes, no look-up of this machine's name
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
# a busy machine is not a fault of what is tested; where CI is set, the same examples are drawn in every run
settings.register_profile(
    "archspec",
    settings.get_profile("ci") if "CI" in os.environ else settings.get_profile("default"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("archspec")
GOLDEN = Path(__file__).with_name("golden")
PATIENCE = 120
"""Seconds by the clock after which something hangs, also on a busy machine."""
REPETITIVE = (
    "backends/test_keras_source.py", "backends/test_source.py", "elaborate/test_papers.py", "pasting/test_import.py",
    "tabling/test_table.py", "test_fuzz.py", "test_mobilenet_corruptions.py", "test_suggestions.py",
)  # fmt: skip
"""Their cases run the same over and over; tracing them for coverage takes two thirds of their time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Trace one case of each test in REPETITIVE."""
    traced: set[str] = set()
    for item in items:
        if item.path.relative_to(Path(__file__).parent).as_posix() in REPETITIVE:
            test = item.nodeid.partition("[")[0]
            if test in traced:
                item.add_marker("no_cover")
            traced.add(test)


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
    from archspec_torch.vision import operators_missing

    with operators_missing():
        importlib.import_module("torchvision")
        return importlib.import_module("torchvision.models")


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """A browser without a window. Without Chromium the tests that look at pages are skipped, but not in CI."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE * 1000)
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        if "CI" in os.environ:
            pytest.fail("Chromium is not installed; `make test` installs it")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()
