"""The command line. A command parses its arguments, calls one function and prints; `run` alone turns errors into text
and exit codes: 0 fine; 1 the spec or a claim is wrong; 2 the command line is wrong; 3 a file or the environment;
4 a declared limit; 130 interrupted; 143 ended by a signal.
"""

import gc
import os
import signal
import sys
from threading import Thread
from time import sleep
from types import FrameType
from typing import NoReturn

from archspec.ending import INTERRUPTED, Ended, unwrapped

SOON = 0.01


def main() -> NoReturn:
    """The entry point: run the command line of this process."""
    code: int | str | None
    open_streams()
    try:
        try:
            # nothing is left behind then: no half of a file, no worker
            signal.signal(signal.SIGTERM, end)
            if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            sys.unraisablehook = unraisable
            # processes that this one starts take no module from the folder that it is called in
            os.environ.setdefault("PYTHONSAFEPATH", "1")
            # a short run leaves little to collect, and looking for it while modules load costs a tenth of the run
            gc.disable()
            with unwrapped():
                from archspec.cli.commands import run

                code = run()
        finally:
            wind_up()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as ending:
        code = ending.code
    let_go()
    # nor is it worth a last look when the process ends
    gc.freeze()
    sys.exit(code)


def open_streams() -> None:
    """Streams in the place of those that are closed, so that no file comes to lie there.

    What is printed is an error then, and what is said is not.
    """
    for place, (name, mode) in enumerate((("stdin", os.O_WRONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, mode)
            if opened != place:
                os.dup2(opened, place)
                os.close(opened)
            setattr(sys, name, os.fdopen(place, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))


def let_go() -> None:
    """Forget what could not be written: that has been told, and Python would tell it again while it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if not stream.closed:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def end(number: int, frame: FrameType | None) -> NoReturn:
    raise Ended


def wind_up() -> None:
    """Let no signal raise anything from here on: what is left is what Python does at its end, and workers need that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, wait)


def wait(number: int, frame: FrameType | None) -> None:
    """Who asks a second time does not want to wait for that."""
    signal.signal(number, leave)


def leave(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


def unraisable(lost: "sys.UnraisableHookArgs") -> None:
    """An interruption that came where Python can raise none, and would print and forget it, comes again."""
    if isinstance(lost.exc_value, KeyboardInterrupt):
        Thread(target=again, args=(signal.SIGINT,), daemon=True).start()
    elif isinstance(lost.exc_value, Ended):
        Thread(target=again, args=(signal.SIGTERM,), daemon=True).start()
    else:
        sys.__unraisablehook__(lost)


def again(number: int) -> None:
    sleep(SOON)
    os.kill(os.getpid(), number)
