"""The TextMate grammar of the VS Code extension, whose words are those of archspec.highlight.

`python docs/generate.py` writes it.
"""

import json
from pathlib import Path
from typing import Any

from archspec.highlight import CONSTANTS, DECLARING, EXPRESSION, clauses, functions
from archspec.ops import WORDS

FILE = Path(__file__).parent / "vscode" / "syntaxes" / "arch.tmLanguage.json"
NAME = "[A-Za-z_][A-Za-z0-9_]*"


def any_of(words: Any) -> str:
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


def match(pattern: str, scope: str) -> dict[str, Any]:
    return {"match": pattern, "name": f"{scope}.arch"}


def captured(pattern: str, *scopes: str) -> dict[str, Any]:
    return {"match": pattern, "captures": {str(n): {"name": f"{s}.arch"} for n, s in enumerate(scopes, 1) if s}}


def grammar() -> dict[str, Any]:
    """The whole grammar, as JSON has it."""
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "archspec",
        "scopeName": "source.arch",
        "fileTypes": ["arch"],
        "patterns": [{"include": f"#{part}"} for part in ("comment", "table", "string", "words", "marks")],
        "repository": {
            "comment": match("#.*$", "comment.line.number-sign"),
            "string": {"patterns": [text(quote) for quote in "\"'"]},
            "table": table(),
            "words": {"patterns": words()},
            "marks": {"patterns": marks()},
        },
    }


def text(quote: str) -> dict[str, Any]:
    return {
        "begin": quote,
        "end": f"{quote}|$",
        "name": "string.quoted.arch",
        "patterns": [match(r"\{[^{}\"']*\}", "constant.other.placeholder")],
    }


def table() -> dict[str, Any]:
    """A table, from the brace that ends a line to the one that begins one."""
    return {
        "begin": r"\b(table)\b\s*(\"[^\"]*\"|'[^']*')?\s*(\{)(?=[^}]*$)",
        "beginCaptures": {
            "1": {"name": "keyword.other.arch"},
            "2": {"name": "string.quoted.arch"},
            "3": {"name": "punctuation.section.table.begin.arch"},
        },
        "end": r"^\s*(\})",
        "endCaptures": {"1": {"name": "punctuation.section.table.end.arch"}},
        "contentName": "meta.table.arch",
        "patterns": [
            match(r"\|?(\s*:?-{2,}:?\s*\|)+", "punctuation.separator.table"),
            match(r"[|&]", "punctuation.separator.table"),
            match(r"[0-9]+(\.[0-9]+)?", "constant.numeric"),
            match(r"[×²³*/→]", "keyword.operator"),
            match(r"[A-Za-zα-ωΑ-Ω]+", "entity.name.tag"),
        ],
    }


def words() -> list[dict[str, Any]]:
    return [
        captured(rf"\b({any_of(DECLARING)})\s+({NAME})", "storage.type", "entity.name.type"),
        captured(rf"(?:^|(?<=\{{))\s*({any_of(clauses())})\b(?!\s*[=(])", "keyword.other"),
        match(r"\b(arch|use|check)\b", "keyword.other"),
        match(rf"\b({any_of(CONSTANTS)})\b", "constant.language"),
        match(rf"\b({any_of(EXPRESSION)})\b|(?<=[0-9])x(?=[0-9])", "keyword.operator.word"),
        match(rf"\b({any_of(functions())})\b", "support.function"),
        match(rf"\b({any_of(WORDS)})\b", "support.constant"),
        captured(rf"(@)({NAME})", "keyword.operator", "variable.other.label"),
        captured(rf"\b({NAME})\s*(?=\()", "entity.name.function"),
        captured(rf"\b({NAME})\s*(?==(?!=))", "variable.parameter"),
        match(rf"\b{NAME}\b", "variable.other"),
    ]


def marks() -> list[dict[str, Any]]:
    return [
        match(r"([0-9][0-9_]*(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?[KkMGBT]?", "constant.numeric"),
        match(r"->|\*\*|//|==|!=|<=|>=|[-+*/%<>=|±×]", "keyword.operator"),
        match(r"[(){},:]", "punctuation"),
    ]


def written() -> str:
    return json.dumps(grammar(), indent=2, ensure_ascii=False) + "\n"
