"""Text -> Lark's tree -> our tree; Lark's exceptions -> our diagnostics.

Lark's LALR parser keeps its own stack, so depth is bounded before archspec's own code recurses. The parser's tables are
kept in the user's cache folder: computing them costs more than everything else of a small run.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import lark
from lark.grammar import Rule
from lark.parse_tree_builder import PropagatePositions
from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, SpecError
from archspec.limits import DEFAULT_LIMITS, Limits
from archspec.source import Source, Span
from archspec.syntax import tree as t
from archspec.syntax.build import Builder
from archspec.syntax.cache import cache_folder
from archspec.syntax.errors import (
    LaterEdition,
    LimitReached,
    UnclosedTable,
    UnclosedText,
    UnexpectedText,
    UnknownCharacter,
    UnknownEdition,
)
from archspec.syntax.mending import another_kind, in_ascii

EDITION = re.compile(
    r"[ \t\f\r\n]*(?:#[^\r\n]*[\r\n][ \t\f\r\n]*)*arch[ \t\f\r\n]+([0-9][0-9_]*(?:\.[0-9]+)?)(?![A-Za-z0-9_.])"
)
GRAMMAR = Path(__file__).with_name("grammar.lark")
Tokens = tuple[tuple[str, str, int, int], ...]
"""Of each its kind, text, start and end."""
CELL_RULES = ("shape_cell", "number_cell", "value_cell", "operator_cell", "pattern")
TABLE_OPENED = re.compile(r"""\btable\s*(?:"[^"\r\n]*"\s*)?\{""")
CLAUSE_LINE = re.compile(r"[\r\n][ \t]*(?:read|repeat|check|columns|number|infer|init|body)\b")
FIRST_WORD = re.compile(r"[A-Za-z0-9_]+")
NESTING = frozenset(
    {"fork", "group", "call", "reference", "conditional", "signed", "unary", "negation", "power"}
    | {"chain", "comparison", "any_of", "all_of"}
)
WORDS = {
    "NAME": "a name", "NUMBER": "a number", "STRING": "a string", "$END": "the end of the file", "TABLE_BODY": "`{`",
    "SIGN": "`+`", "FACTOR": "`/`", "COMPARE": "`==`", "LPAR": "`(`", "RPAR": "`)`", "LBRACE": "`{`", "RBRACE": "`}`",
    "COMMA": "`,`", "COLON": "`:`", "EQUAL": "`=`", "VBAR": "`|`", "AT": "`@`", "TIMES": "`*`", "PERCENT": "`%`",
    "LSQB": "`[`", "RSQB": "`]`", "_X": "`x`",
    "UNIT": "a unit (K, M, G, B, T)", "TEN": "`×10^`", "SQUARED": "`²`", "_TIMES": "`×`",
}  # fmt: skip


ONLY_CHILD = itemgetter(0)


class Placing:
    """What builds a node and notes where it stands, as Lark's `PropagatePositions` does, but for offsets alone.

    A third of the time went there: an expression of one name is handed through a dozen rules of the grammar.
    """

    __slots__ = ("build",)

    def __init__(self, build: Callable[[list[Any]], Any]) -> None:
        self.build = build

    def __call__(self, children: list[Any]) -> Any:
        made = self.build(children)
        if type(made) is not lark.Tree or (len(children) == 1 and made is children[0]):
            return made
        meta: Any = made.meta
        first, last = placed(children), placed(reversed(children))
        if first is None:
            return made
        start = getattr(first, "container_start_pos", first.start_pos)
        end = getattr(last, "container_end_pos", last.end_pos)
        if meta.empty:
            meta.start_pos, meta.end_pos, meta.empty = start, end, False
        meta.container_start_pos, meta.container_end_pos = start, end
        return made


def placed(children: Iterable[Any]) -> Any:
    """The place of the first child that has one."""
    for child in children:
        if type(child) is not lark.Tree:
            return child
        if not child.meta.empty:
            return child.meta
    return None


@cache
def lark_parser() -> lark.Lark:
    folder = cache_folder()
    parser = lark.Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        start=["start", *CELL_RULES],
        propagate_positions=True,
        maybe_placeholders=True,
        cache=str(folder / "grammar.cache") if folder else False,
    )
    callbacks: dict[Rule, Any] = getattr(parser, "_callbacks", {})
    for rule, callback in callbacks.items():
        if type(callback) is PropagatePositions:
            callbacks[rule] = ONLY_CHILD if hands_through(rule) else Placing(callback.node_builder)
    return parser


def hands_through(rule: Rule) -> bool:
    """Whether a rule of the grammar is one of precedence alone: `?sum: product`."""
    symbols = [symbol for symbol in rule.expansion if not symbol.is_term and not symbol.name.startswith("_")]
    return rule.options.expand1 and not rule.alias and len(symbols) == len(rule.expansion) == 1


def parsed_file(source: Source, limits: Limits) -> t.SpecFile:
    """The syntax tree of a file; raises `SpecError`."""
    check_edition(source)
    try:
        tree = lark_parser().parse(source.text, start="start")
    except lark.exceptions.UnexpectedInput as error:
        raise SpecError([diagnostic(error, source, 0, len(source.text), "start")]) from None
    check_depth(tree, source, 0, limits)
    declarations = tuple(Builder(source, 0).build(child) for child in tree.children[1:])
    return t.SpecFile(source, declarations)


def check_edition(source: Source) -> None:
    """Raise `SpecError` where a file says that it is of another edition; its text may then mean anything."""
    match = EDITION.match(source.text)
    if match is None or match[1] == "1":
        return
    span = Span(source, *match.span(1))
    later = float(match[1]) > 1
    raise SpecError([LaterEdition(span, match[1][:40]) if later else UnknownEdition(span, f"`arch {match[1][:40]}`")])


def cell(rule: str, source: Source, start: int, text: str) -> Any:
    """A cell by the start rule of its column's role; raises `SpecError`."""
    try:
        tree = cell_tree(rule, text)
    except lark.exceptions.UnexpectedInput as error:
        raise SpecError([diagnostic(error, source, start, start + len(text), rule)]) from None
    check_depth(tree, source, start, DEFAULT_LIMITS)
    return Builder(source, start).build(tree)


def cell_if_any(rule: str, source: Source, start: int, text: str) -> Any | None:
    """The same; None where the cell is something else, which costs less than the diagnostic that says so."""
    tree = cell_tree_if_any(rule, text)
    if tree is None:
        return None
    try:
        check_depth(tree, source, start, DEFAULT_LIMITS)
        return Builder(source, start).build(tree)
    except SpecError:
        return None


@lru_cache(maxsize=4096)
def cell_tree_if_any(rule: str, text: str) -> "lark.Tree[lark.Token] | None":
    try:
        return cell_tree(rule, text)
    except lark.exceptions.UnexpectedInput:
        return None


@lru_cache(maxsize=4096)
def cell_tree(rule: str, text: str) -> "lark.Tree[lark.Token]":
    """The tables of a paper say the same things again and again: each is parsed once."""
    return lark_parser().parse(text, start=rule)


def tokens(rule: str, text: str) -> Tokens:
    """The tokens of an operator cell or a pattern; raises `UnexpectedInput`."""
    tokens = cell_tree(rule, text).children
    return tuple(
        (tok.type, str(tok), tok.start_pos or 0, tok.end_pos or 0) for tok in tokens if isinstance(tok, lark.Token)
    )


def check_depth(tree: "lark.Tree[lark.Token]", source: Source, offset: int, limits: Limits) -> None:
    """Raise `SpecError` where parentheses, calls and signs are nested too deep."""
    pending = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        depth += node.data in NESTING
        if depth > limits.nesting:
            span = Span(source, node.meta.start_pos + offset, node.meta.end_pos + offset)
            raise SpecError([LimitReached(span, "nested too deep", f"{depth} levels", limits.nesting, "--max-nesting")])
        for child in node.children:
            if type(child) is lark.Tree:
                pending.append((child, depth))


def token_span(source: Source, token: lark.Token, offset: int = 0) -> Span:
    return Span(source, (token.start_pos or 0) + offset, (token.end_pos or 0) + offset)


def diagnostic(error: lark.exceptions.UnexpectedInput, source: Source, offset: int, end: int, rule: str) -> Diagnostic:
    """Lark's complaint about the text from `offset` to `end`, read by a rule, as a diagnostic."""
    if isinstance(error, lark.exceptions.UnexpectedToken):
        start = end if error.token.type == "$END" else offset + (error.token.start_pos or 0)
        allowed = error.accepts or error.expected
    else:
        assert isinstance(error, lark.exceptions.UnexpectedCharacters)
        start, allowed = offset + (error.pos_in_stream or 0), error.allowed
    if set(allowed) == {"_ARCH"}:
        found = first_word(source.text[start : start + 100])
        kind = another_kind(source, start) if found else None
        return kind or UnknownEdition(Span(source, start, start), f"`{found}`" if found else "nothing")
    word = first_word(source.text[start : min(end, start + 100)])
    span = Span(source, start, start + len(word))
    if word[:1] in {'"', "'"} and "STRING" in allowed:
        return UnclosedText(span)
    if word[:1] == "{" and "TABLE_BODY" in allowed:
        return UnclosedTable(span)
    if word and not (word.isascii() and word.isprintable()):
        return replace(
            UnknownCharacter(span, word), suggestions=in_ascii(span, offset, end, lambda text: stops(rule, text))
        )
    table = swallowing_table(source.text[:start]) if not word else None
    if table is not None:
        return UnclosedTable(Span(source, table, table + 1))
    return UnexpectedText(span, f"`{word}`" if word else "the end of the text", expected_words(allowed))


def stops(rule: str, text: str) -> int | None:
    """Where a text cannot be read on; None where it can be read whole."""
    try:
        lark_parser().parse(text, start=rule)
    except lark.exceptions.UnexpectedToken as error:
        return len(text) if error.token.type == "$END" else error.token.start_pos or 0
    except lark.exceptions.UnexpectedCharacters as error:
        return error.pos_in_stream or 0
    return None


def swallowing_table(text: str) -> int | None:
    """Where the last table opens, if clauses of the network stand in it as if they were its rows."""
    opened = [match.end() - 1 for match in TABLE_OPENED.finditer(text)]
    return opened[-1] if opened and CLAUSE_LINE.search(text, opened[-1]) else None


def first_word(text: str) -> str:
    """A name or number, or else one character."""
    match = FIRST_WORD.match(text)
    return match[0][:40] if match else text[:1]


def expected_words(terminals: Iterable[str]) -> tuple[str, ...]:
    """Terminals as a reader knows them: `_NETWORK` is the keyword `network`."""
    names = {WORDS.get(name) or f"`{spelled(name)}`" for name in terminals}
    return tuple(sorted(names, key=lambda name: (name.startswith("`"), name))) or ("something else",)


def spelled(terminal: str) -> str:
    """A keyword by its name, a mark that has none (`->`) as it is written."""
    if terminal.startswith("__"):
        return str(lark_parser().get_terminal(terminal).pattern.value)
    return terminal.strip("_").lower()
