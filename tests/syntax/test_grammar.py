"""The grammar itself."""

import lark

from archspec.syntax.lalr import CELL_RULES, GRAMMAR


def test_lark_accepts_the_grammar_in_strict_mode() -> None:
    text = GRAMMAR.read_text(encoding="utf-8")
    made = lark.Lark(text, parser="lalr", start=["start", *CELL_RULES], strict=True)
    assert made.parse("arch 1 def f(c) = 2 * c", start="start").data == "start"
