"""What Python does while a file of somebody else's is read, by its audit events: nothing in it may run."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

RUNS = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.startfile", "pty.spawn",
    "subprocess.Popen", "socket.", "urllib.Request", "http.client.", "ftplib.", "smtplib.", "webbrowser.open",
    "pickle.find_class", "sys.settrace",
    "sys.setprofile",
)  # fmt: skip
"""How events begin: another program runs, another machine is talked to, objects are made of what a pickle names."""
watching: list[tuple[str, tuple[object, ...]]] | None = None
"""Events since somebody began to watch; None where nobody does."""


def hook(event: str, arguments: tuple[object, ...]) -> None:
    if watching is not None:
        watching.append((event, arguments))


sys.addaudithook(hook)


@contextmanager
def watched() -> Iterator[list[tuple[str, tuple[object, ...]]]]:
    """The events of what is done within."""
    global watching
    found: list[tuple[str, tuple[object, ...]]] = []
    watching = found
    try:
        yield found
    finally:
        watching = None


def runs(event: str) -> bool:
    """Whether an event says that something runs."""
    return event.startswith(RUNS)


@contextmanager
def nothing_runs() -> Iterator[None]:
    """Raise `AssertionError` where something runs within."""
    with watched() as found:
        yield
    wrong = [(event, arguments) for event, arguments in found if runs(event)]
    assert not wrong, f"something runs: {[(event, repr(said)[:200]) for event, said in wrong[:3]]}"
