"""Text -> syntax tree, and back."""

from archspec.syntax.parser import cell_tokens, parse, parse_cell, parsed_cell
from archspec.syntax.printer import print_tree

__all__ = ["cell_tokens", "parse", "parse_cell", "parsed_cell", "print_tree"]
