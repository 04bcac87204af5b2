"""What the system sees of commands that read hostile files, by `strace`: no program is started, nothing is sent, no
other file is opened, and nothing is written that was not named."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import Struct
from security.allowed import STARTED, SYSTEM, WRITTEN, beneath, packages
from security.hostile import COMMANDS, MADE, TEXTS, named, written

CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)$")
PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
PROGRAMS = {"execve", "execveat"}
"""Processes that fork without one of these are traced like the first."""
SOCKETS = {"socket", "socketpair", "connect", "bind", "listen", "sendto", "sendmsg", "sendmmsg"}
OPENS = {"open", "openat", "openat2", "creat"}
CHANGES = {
    "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
    "symlinkat", "chmod", "fchmodat", "chown", "fchownat", "lchown", "mknod", "mknodat", "truncate", "utimensat",
}  # fmt: skip
TO_WRITE = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
DRIVER = """
import sys, json
from archspec.cli.commands import run
print(json.dumps([run(command) for command in json.loads(sys.argv[1])]), file=sys.stderr)
"""


class Deed(Struct, frozen=True):
    """What a process did: started a program, used a socket, read or wrote a path."""

    kind: str
    what: str


def deeds(trace: str, folder: Path) -> list[Deed]:
    """What stands in the output of strace; what did not succeed is left out, except sockets and programs."""
    found: list[Deed] = []
    for line in trace.splitlines():
        match = CALL.match(line)
        if match is None or " resumed>" in line:
            continue
        call, said = match.groups()
        failed = re.search(r"\) += -1 E", said) is not None
        paths = [str(Path(os.path.normpath(folder / path))) for path in PATH.findall(said)[:2]]
        if call in SOCKETS:
            found.append(Deed("socket", f"{call}({said[:100]}"))
        elif call in PROGRAMS:
            found.append(Deed("program", said[:200]))
        elif failed or not paths:
            continue
        elif call in OPENS:
            found.append(Deed("write" if TO_WRITE.search(said) or call == "creat" else "read", paths[0]))
        elif call in CHANGES:
            found += [Deed("write", path) for path in paths]
    return found


def wrong(found: list[Deed], named: set[str], folder: Path, cache: Path) -> list[Deed]:
    """The deeds that are not allowed to commands in a folder that name these files to be read."""
    readable = (*SYSTEM, *packages(), str(cache))
    outputs = [str(folder / name) for name in MADE]
    files = {*named, str(folder)}
    kept = []
    for number, deed in enumerate(found):
        match deed.kind:
            case "program" if number == 0 or any(program in deed.what for program in map(shown, STARTED)):
                continue  # the command itself, or what a library starts
            case "read" if beneath(deed.what, readable) or deed.what in files:
                continue
            case "write" if deed.what in WRITTEN or beneath(deed.what, [str(cache)]) or deed.what in outputs:
                continue
            case "write" if Path(deed.what).parent == folder and re.fullmatch(
                r"\.[0-9a-f]{16}\.\w+", Path(deed.what).name
            ):
                continue  # what is written beside an output, and then takes its place
        kept.append(deed)
    return kept


def shown(program: tuple[str, ...]) -> str:
    """The arguments of a program as strace shows them."""
    return json.dumps(program)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hostile")
    written(made, made / "marker")
    return made


def traced(commands: list[list[str]], folder: Path, cache: Path) -> tuple[list[int], list[Deed]]:
    """The exit codes of commands, and what the process that ran them did."""
    trace = cache.parent / "trace"
    said = {"XDG_CACHE_HOME": str(cache), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | said
    strace = ["strace", "-f", "-qq", "-s", "4096", "-o", str(trace), "-e", "trace=process,network,file"]
    command = [*strace, sys.executable, "-c", DRIVER, json.dumps(commands)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    codes: list[int] = json.loads(done.stderr.splitlines()[-1])
    return codes, deeds(trace.read_text(errors="replace"), folder)


def works() -> bool:
    """Whether strace is there and may trace."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not works(), reason="strace is not installed, or may not trace here")
@pytest.mark.parametrize(
    "kind", [TEXTS, *(pytest.param(kind, marks=pytest.mark.slow) for kind in COMMANDS if kind != TEXTS)]
)
def test_a_command_on_hostile_files_reads_and_writes_what_was_named_and_starts_nothing(
    kind: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    codes, found = traced(COMMANDS[kind], folder, tmp_path / "cache")
    assert len(codes) == len(COMMANDS[kind])
    assert wrong(found, named(COMMANDS[kind], folder), folder, tmp_path / "cache") == []
    assert not (folder / "marker").exists()
    assert named(COMMANDS[kind], folder) <= {deed.what for deed in found if deed.kind == "read"}


@pytest.mark.skipif(not works(), reason="strace is not installed, or may not trace here")
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import os; os.system('true')", "program"),
        ("import socket; socket.socket()", "socket"),
        ("open('/etc/passwd').close()", "read"),
        ("open('other', 'w').close()", "write"),
        ("import os; os.mkdir('folder')", "write"),
    ],
)
def test_what_is_not_allowed_is_seen(code: str, kind: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-qq", "-s", "4096", "-o", str(trace), "-e", "trace=process,network,file"]
    subprocess.run([*strace, sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, check=True)
    found = wrong(deeds(trace.read_text(), tmp_path), set(), tmp_path / "else", tmp_path / "cache")
    assert kind in {deed.kind for deed in found}
