"""Text -> syntax tree, and back."""

from archspec.syntax.parser import cell_tokens, parse, parse_cell

__all__ = ["cell_tokens", "parse", "parse_cell"]
