"""The command line. A command parses its arguments, calls one function and prints; `main` alone turns errors into text
and exit codes: 0 fine; 1 the spec or a claim is wrong; 2 the command line is wrong; 3 a file or the environment;
4 a declared limit; 130 interrupted.
"""

from archspec.cli.main import main

__all__ = ["main"]
