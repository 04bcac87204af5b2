"""Text -> syntax tree; `printer` has the way back, which few commands go."""

from archspec.syntax.parser import cell_tokens, parse, parse_cell, parse_once, parsed_cell

__all__ = ["cell_tokens", "parse", "parse_cell", "parse_once", "parsed_cell"]
