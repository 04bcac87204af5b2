"""What a command may do to the machine while it reads a file of somebody else's, besides what the command names.

docs/security.md has the same lists.
"""

import os
import site
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/usr/share/locale",
    "/etc/localtime", "/usr/share/zoneinfo", "/dev/null", "/dev/urandom", "/proc/self", "/proc/cpuinfo",
    "/proc/meminfo", "/proc/sys/vm/overcommit_memory", "/sys/devices/system", "/sys/fs/cgroup",
)  # fmt: skip
"""What libraries read of a system: themselves, its language and clock, its processors and memory."""
WRITTEN = ("/dev/null",)
STARTED = (("uname", "-p"),)
"""Programs that libraries start when they are imported: h5py asks for the processor, by Python's `platform`."""


def packages() -> tuple[str, ...]:
    """Where the interpreter and the installed packages are, and archspec's own files in a checkout."""
    places = [sys.prefix, sys.base_prefix, sys.exec_prefix, *site.getsitepackages(), *map(str, own())]
    places += [path for path in sys.path if path.endswith("site-packages")]
    return tuple({place for path in places for place in (path, os.path.realpath(path))})


def own() -> Iterable[Path]:
    return ROOT / "archspec", ROOT / "backends", ROOT / "specs"


def beneath(path: str, places: Iterable[str]) -> bool:
    """Whether a path is one of some places, or is in one."""
    return any(path == place or path.startswith(f"{place.rstrip('/')}/") for place in places)
