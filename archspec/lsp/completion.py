"""What may be written at a place: told from the words before it, since a text that is being written seldom parses."""

import inspect
import re
from collections.abc import Iterator
from typing import Literal, get_args, get_origin

from msgspec import Struct

from archspec import library
from archspec.diagnostics import Edit
from archspec.elaborate.calls import attributes, default_text, signature
from archspec.elaborate.catalogue import head
from archspec.elaborate.functions import FUNCTIONS
from archspec.elaborate.layout import ROLES
from archspec.elaborate.modules import Module, parameters_of
from archspec.initializer import INITIALIZERS
from archspec.lsp.fixes import use_edit
from archspec.ops import OPERATORS, WORDS
from archspec.source import Source, Span
from archspec.syntax import tree as t

Kind = Literal["operator", "block", "parameter", "attribute", "keyword", "word", "file", "tensor", "function"]
KEYWORDS = {
    "file": ("network", "block", "variant", "reading", "def", "use"),
    "network": (
        "title", "cite", "input", "table", "columns", "repeat", "number", "infer", "read", "default", "body", "output",
        "check", "erratum", "init", "weights",
    ),
}  # fmt: skip
USE = re.compile(r"""^\s*use\s+["']([^"']*)$""")
TAP = re.compile(r"@([A-Za-z0-9_]*)$")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$")
CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*\($")
GIVEN = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*[A-Za-z0-9_]*$")
IN = re.compile(r"^\s*output\b.*\bin\s+[a-z]*$")
CLAUSE = re.compile(r"^\s*[a-z]*$")
ALIAS = re.compile(r"\bas\s+([A-Za-z_][A-Za-z0-9_]*)")


class Choice(Struct, frozen=True):
    """Something that may be written."""

    label: str
    kind: Kind
    detail: str = ""
    about: str = ""
    insert: str = ""
    """the text, where it is not the label"""
    further: tuple[Edit, ...] = ()
    """what has to be written elsewhere"""


def choices(source: Source, module: Module | None, offset: int) -> Iterator[Choice]:
    """What may be written at a place; `module` is the newest text of the file that could be parsed."""
    line, column = source.position(offset)
    before = source.line(line)[: column - 1]
    if USE.match(before):
        yield from (Choice(path, "file") for path in sorted(library.shared_names()))
        return
    if TAP.search(before):
        yield from (Choice(name, "tensor") for name in dict.fromkeys(ALIAS.findall(source.text)))
        return
    text = source.text[:offset]
    call = open_call(text)
    if call is not None:
        yield from of_call(module, *call)
    if CLAUSE.match(before):
        inside = "network" if depth(text) else "file"
        yield from (Choice(word, "keyword") for word in KEYWORDS[inside])
    if IN.match(before):
        yield Choice("training", "keyword")
    if re.match(r"\s*columns\b", before) or (":" in before and before.rstrip().endswith(":")):
        yield from (Choice(role, "word", "the role of a column") for role in ROLES)
    yield from names(source, module, offset)


def depth(text: str) -> int:
    """How many braces are open, those in texts and comments left out."""
    plain = re.sub(r"\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*", "", text)
    return plain.count("{") - plain.count("}")


def open_call(text: str) -> tuple[str, str] | None:
    """The call whose parentheses are open at the end of a text: its name, and what is within them."""
    level = 0
    for place in range(len(text) - 1, max(len(text) - 2000, -1), -1):
        character = text[place]
        if character in "{}\n" and level <= 0 and character != "\n":
            return None
        level += (character == ")") - (character == "(")
        if level < 0:
            match = CALL.search(text[: place + 1])
            return (match[1], text[place + 1 :]) if match else None
    return None


def of_call(module: Module | None, name: str, inside: str) -> Iterator[Choice]:
    """The attributes of an operator or the parameters of a block, and the words that one of them may be."""
    given = GIVEN.search(inside)
    if name in OPERATORS:
        fields = OPERATORS[name].model_fields
        if given and given[1] in fields:
            yield from (Choice(word, "word") for word in words_of(fields[given[1]].annotation))
        for attribute in attributes(OPERATORS[name]):
            default = "" if fields[attribute].is_required() else f" = {default_text(fields[attribute].default)}"
            yield Choice(attribute, "attribute", f"{name}: {attribute}{default}", insert=f"{attribute} = ")
    found = module.seen(name, t.Block, t.Network) if module else None
    for parameter in parameters_of(found[1]) if found else ():
        yield Choice(parameter.name.id, "attribute", f"{name}: {parameter.span.text}", insert=f"{parameter.name.id} = ")


def words_of(annotation: object) -> Iterator[str]:
    """The words that an attribute may be."""
    if get_origin(annotation) is Literal:
        yield from (str(value) for value in get_args(annotation))
    elif annotation is bool:
        yield from ("true", "false")
    else:
        for part in get_args(annotation):
            yield from words_of(part)


def names(source: Source, module: Module | None, offset: int) -> Iterator[Choice]:
    """Operators, blocks, functions and the parameters of the declaration around."""
    for name, op in OPERATORS.items():
        yield Choice(name, "operator", signature(op), (inspect.getdoc(op) or "").split("\n\n")[0])
    known: set[str] = set()
    if module is not None:
        for name in module.names(t.Block):
            found = module.seen(name, t.Block)
            if found is not None:
                known.add(name)
                yield Choice(name, "block", head(found[1]))
        for declaration in module.own.values():
            if declaration.span.start <= offset <= declaration.span.end:
                for parameter in parameters_of(declaration):
                    yield Choice(parameter.name.id, "parameter", parameter.span.text)
    here = Span(source, offset, offset)
    for name, paths in sorted(library.declarations().items()):
        if name not in known and paths[0].startswith("blocks/"):
            edit = use_edit(here, paths[0])
            yield Choice(name, "block", f'use "{paths[0]}"', further=(edit,) if edit else ())
    yield from (Choice(word, "word") for word in sorted(WORDS))
    yield from (Choice(name, "word", "an initializer") for name in INITIALIZERS)
    yield from (Choice(name, "function") for name in sorted(FUNCTIONS))
