"""The command line. A command parses its arguments, calls one function and prints; `run` alone turns errors into text
and exit codes: 0 fine; 1 the spec or a claim is wrong; 2 the command line is wrong; 3 a file or the environment;
4 a declared limit; 130 interrupted.
"""

import gc
import sys
from typing import NoReturn


def main() -> NoReturn:
    """The entry point: run the command line of this process."""
    # a short run leaves little to collect, and looking for it while modules load costs a tenth of the run
    gc.disable()
    from archspec.cli.commands import run

    code = run()
    # nor is it worth a last look when the process ends
    gc.freeze()
    sys.exit(code)
