"""However a command ends, by Ctrl-C, a signal, streams that are closed or full: no traceback, the right exit code."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest

from archspec.cli.commands import LISTS, cli, run

FULL = Path("/dev/full")
ROOT = Path(__file__).parent.parent
SPEC = "arch 1 network N { input 8 x 8 x 3 body conv(4, 3) -> relu -> global_avgpool -> linear(10) }"
WHILE = """
import atexit, os, sys, threading
def send(times=1):
    for _ in range(times): os.kill(os.getpid(), {number})
class Dying:
    def __del__(self): send()
class Named:
    def __set_name__(self, *told): send()
class Finder:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            {what}
sys.meta_path.insert(0, Finder())
"""
"""Something happens when a module is asked for."""
BOTH = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def python(tmp_path: Path) -> dict[str, str]:
    """An environment whose interpreter runs `sitecustomize` of this folder first."""
    path = os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "backends")))
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def listening() -> None:
    """As in a terminal, although a test may run in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def ended(python: dict[str, str], folder: Path, number: int, module: str, what: str) -> tuple[int, str, bool]:
    """How `stats` ends where something happens: exit code, what it says, whether all was printed."""
    text = WHILE.format(number=int(number), module=module, what=what)
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "archspec", "stats", "mobilenet_v2"],
        env=python, cwd=folder, capture_output=True, text=True, check=False, preexec_fn=listening,
    )  # fmt: skip
    return done.returncode, done.stderr, "3,504,872" in done.stdout


@pytest.mark.parametrize("number", BOTH)
@pytest.mark.parametrize("module", ["archspec.cli.commands", "pydantic", "archspec.stats"])
def test_a_signal_while_modules_load(number: int, module: str, python: dict[str, str], tmp_path: Path) -> None:
    code, said, _ = ended(python, tmp_path, number, module, "send()")
    assert (code, said) == (128 + number, "")


@pytest.mark.parametrize("number", BOTH)
@pytest.mark.parametrize("module", ["archspec.cli", "archspec.ending"])
def test_a_signal_before_the_command_line_is_there(
    number: int, module: str, python: dict[str, str], tmp_path: Path
) -> None:
    assert ended(python, tmp_path, number, module, "send()") == (-number, "", False)


def test_an_interruption_that_is_ignored_stays_so(python: dict[str, str], tmp_path: Path) -> None:
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); send()"
    assert ended(python, tmp_path, signal.SIGINT, "archspec", ignored) == (0, "", True)


def test_little_is_imported_before_an_interruption_is_quiet() -> None:
    said = "import sys; before = {*sys.modules}; import archspec.__main__; print(*{*sys.modules} - before)"
    done = subprocess.run([sys.executable, "-S", "-c", said], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"typing", "re", "pathlib", "archspec.cli"} & set(done.stdout.split())


@pytest.mark.parametrize("number", BOTH)
@pytest.mark.parametrize("module", ["archspec.cli.commands", "archspec.stats"])
def test_a_signal_while_a_class_is_made(number: int, module: str, python: dict[str, str], tmp_path: Path) -> None:
    assert ended(python, tmp_path, number, module, "type('Made', (), {'x': Named()})") == (128 + number, "", False)


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_where_nothing_can_be_raised_comes_again(number: int, python: dict[str, str], tmp_path: Path) -> None:
    code, said, _ = ended(python, tmp_path, number, "archspec.driver", "Dying()")
    assert (code, said) == (128 + number, "")


@pytest.mark.parametrize("number", BOTH)
@pytest.mark.parametrize("phase", ["atexit.register", "threading._register_atexit"])
def test_a_signal_after_the_work_is_done_changes_nothing(
    number: int, phase: str, python: dict[str, str], tmp_path: Path
) -> None:
    assert ended(python, tmp_path, number, "archspec.driver", f"{phase}(send)") == (0, "", True)


def test_a_second_one_does_not_wait(python: dict[str, str], tmp_path: Path) -> None:
    found = ended(python, tmp_path, signal.SIGINT, "archspec.driver", "atexit.register(send, 2)")
    assert found == (130, "", True)


COMMANDS = {
    "stats": ["stats", "mobilenet_v2"],
    "help": ["--help"],
    "source": ["build", "n.arch", "--emit", "source"],
    "torch": ["build", "n.arch"],
    "keras": ["build", "n.arch", "--backend", "keras"],
    "onnx": ["build", "n.arch", "--backend", "onnx"],
    "picture": ["render", "n.arch", "-o", "x.png"],
    "sweep": ["sweep", "mobilenet_v2", "-p", "input=32:3000:1", "-j", "2"],
}
TIMES = 16


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_signals_at_any_moment(name: str, python: dict[str, str], tmp_path: Path) -> None:
    """Of the whole process group, as by Ctrl-C in a terminal; from the moment that Python itself has begun."""
    (tmp_path / "n.arch").write_text(SPEC, encoding="utf-8")
    begun = "import os\nfd = os.environ.pop('BEGUN', None)\nif fd: os.write(int(fd), b'x'); os.close(int(fd))\n"
    (tmp_path / "sitecustomize.py").write_text(begun, encoding="utf-8")

    def run(after: Callable[[int], object]) -> tuple[int, str]:
        read, write = os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-m", "archspec", *COMMANDS[name]],
            env={**python, "BEGUN": str(write)}, cwd=tmp_path, pass_fds=[write], start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=listening,
        )  # fmt: skip
        os.close(write)
        os.read(read, 1)
        os.close(read)
        after(process.pid)
        said = process.communicate(timeout=120)[1]
        return process.returncode, said

    started = time.monotonic()
    assert run(lambda pid: None)[0] == 0
    took = time.monotonic() - started
    draw = random.Random(name)
    for _ in range(TIMES):
        number, delay = draw.choice(BOTH), draw.uniform(0.02, took)

        def send(pid: int, number: int = number, delay: float = delay) -> None:
            time.sleep(delay)
            # what has ended and not been waited for can still be sent one
            os.killpg(pid, number)

        code, said = run(send)
        assert "Traceback" not in said, (number, delay)
        assert "Exception ignored" not in said, (number, delay)
        # negative: the interpreter was ending, or had hardly begun, and dies of it without a word
        assert code in {0, 128 + number, -number}, (number, delay, said)


# ---- streams ----


def streams(python: dict[str, str], arguments: str, redirection: str) -> tuple[int, str, str]:
    command = f"set -o pipefail; {sys.executable} -m archspec {arguments} {redirection}"
    done = subprocess.run(["bash", "-c", command], env=python, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


PRINTING = ["stats mobilenet_v2", "--help", "graph mobilenet_v2 --json", "build mobilenet_v2 --emit source",
            "sweep mobilenet_v2 -p input=32:64:1"]  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [PRINTING[0], *(pytest.param(one, marks=pytest.mark.slow) for one in PRINTING[1:])]
)
@pytest.mark.parametrize("redirection", [">&-", ">/dev/full"])
def test_a_stdout_that_cannot_be_written_is_an_error(arguments: str, redirection: str, python: dict[str, str]) -> None:
    code, _, said = streams(python, arguments, redirection)
    reason = "No space left on device" if "full" in redirection else "Bad file descriptor"
    assert (code, said.splitlines()[-1]) == (3, f"error: stdout: {reason}")
    assert "Traceback" not in said


def commands(group: click.Group) -> Iterator[list[str]]:
    """The words of every command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield [name]
        if isinstance(command, click.Group):
            yield from ([name, *rest] for rest in commands(command))


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is full")
@pytest.mark.parametrize(
    "arguments",
    [*([*words, "--help"] for words in ([], *commands(cli))), ["--version"], ["explain", "shape-claim"],
     *(["list", what] for what in LISTS)],
    ids=" ".join,
)  # fmt: skip
def test_every_text_that_click_or_a_command_prints_names_stdout(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(arguments) == 3
        monkeypatch.undo()
        with suppress(OSError):
            full.close()
    assert capsys.readouterr().err == "error: stdout: No space left on device\n"


@pytest.mark.parametrize(("shell", "what"), [("bash", "source"), ("zsh", "complete")])
def test_what_a_shell_completes_names_stdout(shell: str, what: str, python: dict[str, str]) -> None:
    asked = {"_ARCHSPEC_COMPLETE": f"{shell}_{what}", "COMP_WORDS": "archspec st", "COMP_CWORD": "1"}
    code, _, said = streams({**python, **asked}, "", ">/dev/full")
    assert (code, said) == (3, "error: stdout: No space left on device\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("stats mobilenet_v2", 0), ("stats nothing.arch", 3), ("stats", 2), ("stats mobilenet_v2 -p q=1", 2)],
)
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_where_nothing_can_be_said_the_exit_code_says_it(
    arguments: str, code: int, redirection: str, python: dict[str, str]
) -> None:
    found, printed, _ = streams(python, arguments, redirection)
    assert (found, "3,504,872" in printed) == (code, code == 0)


@pytest.mark.parametrize(("redirection", "code"), [(">&- 2>&-", 3), (">/dev/full 2>/dev/full", 3), ("<&-", 0)])
def test_a_process_may_have_no_streams_at_all(redirection: str, code: int, python: dict[str, str]) -> None:
    assert streams(python, "stats mobilenet_v2", redirection)[::2] == (code, "")


def test_a_closed_stdin_that_is_asked_for_is_an_error(python: dict[str, str]) -> None:
    assert streams(python, "check -", "<&-") == (3, "", "error: Bad file descriptor\n")


def test_no_file_comes_to_lie_in_the_place_of_a_closed_stream(python: dict[str, str], tmp_path: Path) -> None:
    """What a library prints by itself would stand in the first file that is opened."""
    for name, redirection, code in (("closed", ">&- 2>&-", 3), ("open", "", 0)):
        assert streams(python, f"sweep mobilenet_v2 -p input=32:40:1 -o {tmp_path / name}.csv", redirection)[0] == code
    assert (tmp_path / "closed.csv").read_bytes() == (tmp_path / "open.csv").read_bytes()


@pytest.mark.parametrize("arguments", ["--help", "stats --help", "stats mobilenet_v2"])
def test_what_nobody_reads_is_no_error(arguments: str, python: dict[str, str]) -> None:
    assert streams(python, arguments, "| true") == (0, "", "")
