"""The command line. A command parses its arguments, calls one function and prints; `run` alone turns errors into text
and exit codes: 0 fine; 1 the spec or a claim is wrong; 2 the command line is wrong; 3 a file or the environment;
4 a declared limit; 130 interrupted; 143 ended by a signal.
"""

import gc
import signal
import sys
from typing import NoReturn

ENDED = 128 + signal.SIGTERM


def main() -> NoReturn:
    """The entry point: run the command line of this process."""
    # nothing is left behind then either: no half of a file, no worker
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))
    # a short run leaves little to collect, and looking for it while modules load costs a tenth of the run
    gc.disable()
    from archspec.cli.commands import run

    code = run()
    # nor is it worth a last look when the process ends
    gc.freeze()
    sys.exit(code)
