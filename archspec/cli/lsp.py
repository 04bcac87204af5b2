"""`archspec lsp`: the language server, on standard input and output."""

import importlib.metadata
import sys

import click

from archspec.optional import needing

SWITCH = 0.001
"""Seconds after which the thread that thinks lets the other one read what was typed."""


@click.command()
def lsp() -> None:
    """Serve an editor: diagnostics as you type, hover, completion, definitions, formatting, shapes in the margin.

    The editor starts it and speaks the Language Server Protocol with it on standard input and output; docs/editors.md
    says how to set up VS Code, Neovim, Emacs and Helix.
    """
    with needing("the language server"):
        from archspec.lsp.server import server
    sys.setswitchinterval(SWITCH)
    server(importlib.metadata.version("archspec-compiler")).start_io()
