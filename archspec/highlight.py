"""The colours of a spec: a lexer for Pygments (Sphinx, MkDocs, Jupyter, LaTeX's minted), known to it as `arch`.

Its words are those of the grammar and of the operators; editors/generate.py makes the grammar for editors of the same.
"""

import re
from functools import cache
from importlib import resources
from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, default, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text, Whitespace

from archspec.elaborate.functions import FUNCTIONS
from archspec.initializer import INITIALIZERS
from archspec.ops import OPERATORS, WORDS

KEYWORD = re.compile(r"^_?[A-Z]+\.2: /([a-z]+)\(\?!", re.MULTILINE)
DECLARING = ("network", "block", "variant", "reading", "def")
EXPRESSION = ("x", "and", "or", "not", "if", "else", "as", "in", "training", "of", "then", "when", "because")
CLAUSE_END = r"\b(?!\s*[=(])"
"""A parameter may have the name of a clause."""
BLANKS = r"[ \t\f]+|[\r\n]+|\s"
"""Line ends by themselves: what begins a line is told by where it stands."""
CONSTANTS = ("true", "false", "none")


@cache
def keywords() -> tuple[str, ...]:
    """The words of the grammar."""
    grammar = resources.files("archspec.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")
    return tuple(KEYWORD.findall(grammar))


def clauses() -> tuple[str, ...]:
    """The words that begin a clause; a table is told by what opens it."""
    return tuple(word for word in keywords() if word not in {"table", *DECLARING, *EXPRESSION, *CONSTANTS})


def functions() -> tuple[str, ...]:
    """The names that the language has for operators, initializers and functions."""
    return tuple(sorted({*OPERATORS, *INITIALIZERS, *FUNCTIONS, "id"}))


class ArchLexer(RegexLexer):
    """Specs of archspec: `.arch` files."""

    name = "archspec"
    aliases: ClassVar = ["arch", "archspec"]
    filenames: ClassVar = ["*.arch"]
    mimetypes: ClassVar = ["text/x-archspec"]
    tokens: ClassVar = {
        "root": [
            (r"#[^\r\n]*", Comment.Single),
            (words(clauses(), prefix=r"(?:(?<=\{)|^)([ \t]*)", suffix=CLAUSE_END), bygroups(Whitespace, Keyword)),
            (BLANKS, Whitespace),
            (r"(table)(\s+)(\{)(?=[^\r\n}]*[\r\n])", bygroups(Keyword, Whitespace, Punctuation), "table"),
            (
                r"""(table)(\s+)("[^"\r\n]*"|'[^'\r\n]*')(\s*)(\{)(?=[^\r\n}]*[\r\n])""",
                bygroups(Keyword, Whitespace, String, Whitespace, Punctuation),
                "table",
            ),
            (
                rf"({'|'.join(DECLARING)})(\s+)([A-Za-z_][A-Za-z0-9_]*)",
                bygroups(Keyword.Declaration, Whitespace, Name.Class),
            ),
            (r"""["']""", String, "string"),
            (words(CONSTANTS, prefix=r"\b", suffix=r"\b"), Keyword.Constant),
            (words(EXPRESSION, prefix=r"\b", suffix=r"\b"), Operator.Word),
            (words(("arch", "use", "check"), prefix=r"\b", suffix=r"\b"), Keyword),
            (words(functions(), prefix=r"\b", suffix=r"\b"), Name.Builtin),
            (words(tuple(sorted(WORDS)), prefix=r"\b", suffix=r"\b"), Name.Constant),
            (r"(@)([A-Za-z_][A-Za-z0-9_]*)", bygroups(Operator, Name.Label)),
            (r"(?<=[0-9])x(?=[0-9])", Operator.Word),
            (r"[A-Za-z_][A-Za-z0-9_]*", Name),
            (r"([0-9][0-9_]*(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?[KkMGBT]?", Number),
            (r"->|\*\*|//|==|!=|<=|>=|[-+*/%<>=|±×^⁰¹²³⁴⁵⁶⁷⁸⁹]", Operator),
            (r"[(){},:]", Punctuation),
            (r".", Text),
        ],
        "string": [
            (r"(?<=\")[^\"{\r\n]*\"|(?<=')[^'{\r\n]*'", String, "#pop"),
            (r"\{[^{}\"'\r\n]*\}", String.Interpol),
            (r"[^\"'{\r\n]+", String),
            (r"[\"']", String, "#pop"),
            (r"\{", String),
            default("#pop"),
        ],
        "table": [
            (r"^([ \t]*)(\})", bygroups(Whitespace, Punctuation), "#pop"),
            (BLANKS, Whitespace),
            (r"\|?(\s*:?-{2,}:?\s*\|)+", Punctuation),
            (r"[|&\t]", Punctuation),
            (r"[0-9]+(\.[0-9]+)?", Number),
            (r"[×²³*/→]", Operator),
            (r"[^\W\d_]+", Name.Entity),
            (r".", Text),
        ],
    }
