"""Whatever a text holds, archspec answers with diagnostics that point into it: soon, and in little memory.

`☞` marks where the first diagnostic must stand and is no part of the input. Cases run in a child of their own, by
this file as a script, under a limit on memory; the bombs have one each.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import archspec

SECONDS = 2.0
MEGABYTES = 300
MARK = "☞"
ARCH = "arch 1\n"


@dataclass(frozen=True)
class Case:
    """An input, and the codes of its diagnostics."""

    name: str
    text: str | Callable[[], str] | bytes
    codes: str
    exit_code: int = 1
    files: dict[str, str | bytes] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def net(body: str, entry: str = "8 x 8 x 4", before: str = "") -> str:
    return f"{ARCH}{before}network N(k = 10) {{ input {entry}\nbody {body} }}\n"


def table(*rows: str, clauses: str = 'read "conv" = conv(1, c)') -> str:
    lines = "\n".join(f"| {row} |" for row in rows)
    return f"{ARCH}network N(k = 10) {{ input 8 x 8 x 4\ntable {{\n{lines}\n}}\n{clauses}\n}}\n"


def chained(word: str, first: str, body: str, count: int) -> str:
    return f"{word} f0{first}\n" + "".join(f"{word} f{i}{body.format(i - 1)}\n" for i in range(1, count))


GOOD = net("relu")
ROWS = "Input | Operator | c"

ENCODINGS = [
    Case("invalid UTF-8", b"arch 1\n# \xff\nnetwork", "not-utf8"),
    Case("a cut UTF-8 sequence", ARCH.encode() + b"# \xe2\x82", "not-utf8"),
    Case("an overlong UTF-8 sequence", ARCH.encode() + b"# \xc0\xaf", "not-utf8"),
    Case("a surrogate in UTF-8", ARCH.encode() + b"# \xed\xa0\x80", "not-utf8"),
    Case("UTF-16, little end first", b"\xff\xfe" + GOOD.encode("utf-16-le"), "not-utf8"),
    Case("UTF-16, big end first", b"\xfe\xff" + GOOD.encode("utf-16-be"), "not-utf8"),
    Case("UTF-16 without a mark", GOOD.encode("utf-16-le"), "not-utf8"),
    Case("UTF-32", GOOD.encode("utf-32"), "not-utf8"),
    Case("a NUL", b"arch 1\n\x00", "unknown-character"),
    Case("a mistake after a byte-order mark", "\ufeffarch 1\nnetwork N { ☞boddy }".encode(), "unexpected-text"),
    Case("a mistake after CRLF", b"arch 1\r\n\r\nnetwork N {\r\n  \xe2\x98\x9eboddy relu }", "unexpected-text"),
    Case("a mistake after lone CR", b"arch 1\r\rnetwork N {\r  \xe2\x98\x9eboddy relu }", "unexpected-text"),
    Case("a line separator is no blank", "arch 1\nnetwork N {☞\u2028input 4 body relu }", "unknown-character"),
    Case("a no-break space", "arch 1\nnetwork☞\u00a0N { input 4 body relu }", "unknown-character"),
    Case("a second byte-order mark", "\ufeff☞\ufeffarch 1".encode(), "unknown-edition"),
    Case("a zero-width space", net("re☞\u200blu"), "unknown-character"),
    Case("nothing", "", "unknown-edition"),
]

NUMBERS = [
    Case("a number beyond 2^63", net("conv(1, ☞99999999999999999999)"), "number-too-large"),
    Case("a float beyond all floats", net("conv(1, ☞1e400)"), "number-too-large"),
    Case("a float below all floats", net("dropout(☞1e-400)"), "number-too-large"),
    Case("five thousand digits", net("conv(1, ☞" + "9" * 5000 + ")"), "number-too-large"),
    Case("a claim of five thousand digits", net(f"relu check params = ☞{'9' * 5000}"), "number-too-large"),
    Case("a claim times ten to the 9999th", net("relu check params = ☞3 ×10^9999"), "number-too-large"),
    Case("digits of another script", net("conv(1, ☞٣٢)"), "unknown-character"),
    Case("a superscript as a number", net("conv(1, ☞²)"), "unknown-character"),
    Case("two numbers side by side", net("conv(1, 3 ☞4)"), "unexpected-text"),
    Case("a hexadecimal number", net("conv(1, ☞0x10)"), "bad-argument"),
    Case("no channels", net("conv(1, ☞0)"), "bad-argument"),
    Case("fewer channels than none", net("conv(1, ☞-4)"), "bad-argument"),
    Case("half a channel", net("conv(1, ☞4 / 8)"), "bad-argument"),
    Case("nan is a name", net("conv(1, ☞nan)"), "unknown-name"),
    Case("inf is a name", net("dropout(☞inf)"), "unknown-name"),
    Case("a rate above one", net("dropout(☞1.5)"), "bad-argument"),
    Case("a division by zero", net("conv(1, 4 / ☞0)"), "bad-arithmetic"),
    Case("a whole division by zero", net("conv(1, 4 // (☞k - k))"), "bad-arithmetic"),
    Case("a remainder of zero", net("conv(1, 4 % ☞0)"), "bad-arithmetic"),
    Case("a product beyond 2^63", net("conv(1, ☞9000000000 * 9000000000)"), "bad-arithmetic"),
    Case("a divisor of zero", net("conv(1, make_divisible(k, ☞0))"), "bad-arithmetic"),
    Case("text where a number is needed", net("conv(1, ☞'a' + 1)"), "bad-arithmetic"),
    Case("a condition that is a number", net("relu if ☞1"), "bad-arithmetic"),
    Case("half a pass", net("relu * ☞2.5"), "bad-arithmetic"),
    Case("a repeat of a word", net("relu * ☞same"), "bad-arithmetic"),
    Case("a parameter that is not a number", GOOD, "bad-parameter", values={"k": float("nan")}),
    Case("a parameter that is text", GOOD, "bad-parameter", values={"k": "10"}),
    Case("a parameter that is true", GOOD, "bad-parameter", values={"k": True}),
    Case("a parameter that nobody has", GOOD, "unknown-argument", values={"__class__": 1}),
]

SHAPES = [
    Case("an input without height", net("relu", entry="☞0 x 4 x 4"), "bad-arithmetic"),
    Case("an input with a negative side", net("relu", entry="☞-1 x 4 x 4"), "bad-arithmetic"),
    Case("an input with half a pixel", net("relu", entry="☞0.5 x 4 x 4"), "bad-arithmetic"),
    Case("an input beyond 2^20", net("relu").replace("input 8 ", "☞input 1048577 "), "limit", exit_code=4),
    Case("a flat input", net("relu").replace("input 8 x 8 x 4", "☞input 8 x 4"), "clause"),
    Case("an input of four sides", net("relu").replace("input 8", "☞input 1 x 8"), "clause"),
    Case("a map that grows beyond 2^20", net("☞upsample(131073)"), "limit", exit_code=4),
    Case("channels beyond 2^20", net("☞conv(1, 1048577)"), "limit", exit_code=4),
    Case("padding beyond 2^20", net("☞pad(1048576)"), "limit", exit_code=4),
    Case("a sum of different shapes", net("(id | conv(1, 5)) -> ☞add"), "shape-mismatch"),
    Case("a sum of different sizes", net("(id | maxpool(2)) -> ☞add"), "shape-mismatch"),
    Case("a join of different sizes", net("(id | maxpool(2)) -> ☞concat"), "shape-mismatch"),
    Case("a product of different channels", net("(id | conv(1, 5)) -> ☞mul"), "shape-mismatch"),
    Case("a product of a map and a vector", net("(id | flatten) -> ☞mul"), "shape-mismatch"),
    Case("a window larger than its map", net("☞conv(9, 4, pad = valid)"), "shape-mismatch"),
    Case("a padding wider than its window", net("☞maxpool(2, pad = 2)"), "shape-mismatch"),
    Case("groups that do not divide", net("☞conv(1, 4, groups = 3)"), "shape-mismatch"),
    Case("groups that do not divide the filters", net("☞conv(1, 6, groups = 4)"), "shape-mismatch"),
    Case("a shuffle that does not divide", net("☞shuffle(3)"), "shape-mismatch"),
    Case("a split that does not divide", net("☞split(3) -> (id | id | id) -> concat"), "shape-mismatch"),
    Case("a slice of nothing", net("☞slice(2, 2)"), "shape-mismatch"),
    Case("a convolution of a vector", net("flatten -> ☞conv(1, 4)"), "shape-mismatch"),
    Case("more branches than parts", net("split(2) -> ☞(id | id | id) -> concat"), "wrong-branches"),
    Case("a fork that nobody joins", net("(relu | id) -> ☞relu"), "unjoined-fork"),
    Case("a fork without branches", net("☞(relu if false | tanh if false) -> add"), "unjoined-fork"),
    Case("a step that leads nowhere", net("relu as a -> ☞tanh -> @a"), "dead-step"),
    Case(
        "a signature that does not hold",
        net("b", before="block ☞b : h x w x c -> h x w x 2*c = relu\n"),
        "signature-mismatch",
    ),
    Case(
        "a signature of a map for a vector",
        net("flatten -> b", before="block ☞b : h x w x c -> c = relu\n"),
        "signature-mismatch",
    ),
    Case("three sides for two", net("conv(☞1x2x3, 4)"), "bad-argument"),
]

NAMES = [
    Case("an unknown operator", net("☞foo"), "unknown-operator"),
    Case("a misspelt operator", net("☞reluu"), "unknown-operator"),
    Case("an unknown name", net("conv(1, ☞q)"), "unknown-name"),
    Case("an unknown function", net("conv(1, ☞sqrt(4))"), "unknown-function"),
    Case("an unknown tensor", net("(@☞a | id) -> add"), "unknown-name"),
    Case("a tensor of another pass", net("(relu as a) * 2 -> (@☞a | id) -> add"), "unknown-name"),
    Case("an unknown argument", net("conv(1, 4, ☞colour = 3)"), "unknown-argument"),
    Case("an argument too many", net("conv(1, 4, 1, ☞1)"), "unknown-argument"),
    Case("an argument twice", net("conv(1, 4, ☞kernel = 1)"), "repeated-argument"),
    Case("an argument that is missing", net("☞conv(1)"), "missing-argument"),
    Case("a place after a name", net("conv(kernel = 1, ☞4)"), "positional-after-named"),
    Case("a block twice", net("b", before="block b = relu\nblock ☞b = tanh\n"), "duplicate-name"),
    Case("a block and a def of one name", net("b", before="block b = relu\ndef ☞b(a) = a\n"), "duplicate-name"),
    Case("a parameter twice", net("relu", before="block b(c, ☞c) = relu\n"), "duplicate-name"),
    Case("a tensor's name twice", net("relu as a -> tanh as ☞a"), "duplicate-name"),
    Case("the name of an operator", net("relu", before="block ☞conv = relu\n"), "reserved-name"),
    Case("the name of a function", net("relu", before="def ☞max(a) = a\n"), "reserved-name"),
    Case("a word of expressions as a name", net("relu", before="block ☞and = relu\n"), "unexpected-text"),
    Case("the separator as a name", net("relu", before="block ☞x = relu\n"), "unexpected-text"),
    Case("a name beyond ASCII", net("relu", before="block ☞über = relu\n"), "unknown-character"),
    Case("a Cyrillic letter that looks Latin", net("☞соnv(1, 4)"), "unknown-character"),
    Case("a name of ten thousand letters", net("☞" + "q" * 10_000), "unknown-operator"),
    Case(
        "a name from another block", net("b(3)", before="block a(c) = relu\nblock b(d) = conv(1, ☞c)\n"), "unknown-name"
    ),
    Case("a def as a step", net("☞f(1)", before="def f(a) = a\n"), "unknown-operator"),
    Case("a member that nobody declares", net("relu") + "variant V = ☞M", "unknown-member"),
    Case("several networks and none chosen", GOOD + "network M { input 4 body relu }", "unknown-member"),
    Case("no network", ARCH + "block b = relu", "unknown-member"),
    Case("a dunder", net("☞__import__('os')"), "unknown-operator"),
    Case("a call of Python", net("conv(1, ☞__import__('os'))"), "unknown-function"),
    Case("an attribute of Python", net("conv(1, k☞.__class__)"), "unexpected-text"),
    Case(
        "several mistakes at once",
        net("foo -> conv(1)", before="block b = conv(1, ☞q)\n"),
        "missing-argument unknown-name unknown-operator",
    ),
]

RECURSION = [
    Case("a block that asks for itself", net("b", before="block b = ☞b\n"), "recursion"),
    Case("a def that asks for itself", net("relu", before="def f(a) = ☞f(a - 1) if a > 0 else 0\n"), "recursion"),
    Case("blocks that ask for each other", net("a", before="block a = b\nblock b = a\n"), "recursion"),
    Case("a word that asks for itself", net("a(a)", before="block a(b) = b(b)\n"), "limit", exit_code=4),
    Case(
        "a word that asks for another",
        net("a(a, b)", before="block a(p, q) = q(p, q)\nblock b(p, q) = p(p, q)\n"),
        "limit",
        exit_code=4,
    ),
    Case(
        "files that ask for each other",
        ARCH + 'use "./b"\nblock p = q\nnetwork N { input 4 body p }',
        "recursion",
        files={"b.arch": ARCH + 'use "./main"\nblock q = p\n'},
    ),
    Case(
        "five thousand chained defs",
        net("conv(1, f1999(1))", before=chained("def", "(a) = a", "(a) = f{}(a)", 2000)),
        "limit",
        exit_code=4,
    ),
    Case(
        "two thousand chained blocks",
        net("f1999", before=chained("block", " = relu", " = f{}", 2000)),
        "limit",
        exit_code=4,
    ),
]

FILES = [
    Case("a file that is missing", ARCH + 'use ☞"./b"\nnetwork N { input 4 body relu }', "unknown-file"),
    Case("a bundled file that is missing", ARCH + 'use ☞"blocks/b"\nnetwork N { input 4 body relu }', "unknown-file"),
    Case("an absolute path", ARCH + 'use ☞"/etc/passwd"\nnetwork N { input 4 body relu }', "unknown-file"),
    Case("a way out of the library", ARCH + 'use ☞"blocks/../../x"\nnetwork N { input 4 body relu }', "unknown-file"),
    Case("an empty path", ARCH + 'use ☞""\nnetwork N { input 4 body relu }', "unknown-file"),
    Case("a NUL in a path", ARCH + 'use ☞"./a\0b"\nnetwork N { input 4 body relu }', "unknown-file"),
    Case(
        "a path of five thousand letters",
        ARCH + f'use ☞"./{"q" * 5000}"\nnetwork N {{ input 4 body relu }}',
        "unknown-file",
    ),
    Case("a folder", ARCH + 'use ☞"./folder"\nnetwork N { input 4 body relu }', "unknown-file"),
    Case("a FIFO", ARCH + 'use ☞"./fifo"\nnetwork N { input 4 body relu }', "unknown-file"),
    Case(
        "a used file that is no text",
        ARCH + 'use "./b"\nnetwork N { input 4 body relu }',
        "not-utf8",
        files={"b.arch": b"\xff"},
    ),
    Case(
        "a used file with a mistake",
        ARCH + 'use "./b"\nnetwork N { input 4 body relu }',
        "unexpected-text",
        files={"b.arch": "arch 1 }"},
    ),
    Case(
        "a name of two files",
        ARCH + 'use "./a"\nuse "./b"\nnetwork N { input 4 body ☞q }',
        "ambiguous-name",
        files={"a.arch": ARCH + "block q = relu", "b.arch": ARCH + "block q = tanh"},
    ),
]

TABLES = [
    Case("a row that is too short", table(ROWS, "8x8x4 | conv").replace("| 8x8x4", "☞| 8x8x4"), "ragged-row"),
    Case("a row that is too long", table(ROWS, "8x8x4 | conv | 4 | 4").replace("| 8x8x4", "☞| 8x8x4"), "ragged-row"),
    Case("an empty table", ARCH + "network N { input 4 x 4 x 4 ☞table {\n} }", "unreadable-table"),
    Case("headers without rows", table("Operator | c").replace("table", "☞table"), "unreadable-table"),
    Case(
        "a table without pipes",
        table("Operator | c", "conv | 4").replace("|", "~").replace("table", "☞table"),
        "unreadable-table",
    ),
    Case("a table that nobody closes", ARCH + "network N { table ☞{\n| Operator |\n| conv |\n", "unclosed-table"),
    Case("a table on one line", ARCH + "network N { table ☞{ | Operator | } }", "unclosed-table"),
    Case("no operators", table("☞Input | c", "8x8x4 | 4"), "clause"),
    Case(
        "a header that nobody printed",
        table(ROWS, "8x8x4 | conv | 4", clauses='columns ☞"width": c read "conv" = conv(1, 4)'),
        "unknown-column",
    ),
    Case("an operator that no rule reads", table(ROWS, "8x8x4 | ☞pool | 4"), "unread-operator"),
    Case(
        "two rules for one operator",
        table(ROWS, "8x8x4 | ☞conv | 4", clauses='read "{a}" = relu "{b}" = tanh'),
        "ambiguous-operator",
    ),
    Case("a shape that is none", table(ROWS, "☞8 by 8 | conv | 4"), "bad-cell"),
    Case("a shape of four sides", table(ROWS, "☞1x8x8x4 | conv | 4"), "bad-cell"),
    Case("a shape without width", table(ROWS, "8x☞0x4 | conv | 4"), "bad-arithmetic"),
    Case("a shape in another script", table(ROWS, "☞٨x8x4 | conv | 4"), "bad-cell"),
    Case("a claim that is no number", table("Operator | c | params", "conv | 4 | ☞many"), "bad-cell"),
    Case("a shape that does not hold", table(ROWS, "8x8x4 | conv | ☞5", "8x8x4 | conv | 4"), "shape-claim"),
    Case("a number that does not hold", table("Operator | c | params", "conv | 4 | ☞17"), "number-claim"),
    Case("a check that does not hold", net("relu check params = ☞17"), "number-claim"),
    Case("a check of something else", net("relu check ☞layers = 1"), "unknown-argument"),
    Case("a cell that divides by zero", table(ROWS, "8x8x4 | conv | k/☞0"), "bad-arithmetic"),
    Case("channels in another script", table(ROWS, "8x8x4 | conv | ☞٤"), "bad-argument"),
    Case("channels that are missing", table(ROWS, "8x8x4 | conv | ☞-"), "bad-argument"),
    Case("channels that call Python", table(ROWS, "8x8x4 | conv | ☞__import__('os')"), "unknown-function"),
    Case(
        "a row of 10⁹ passes",
        table("Operator | n", "relu | ☞1000000000", clauses='repeat n read "relu" = relu').replace("☞", ""),
        "limit",
        exit_code=4,
    ),
    Case(
        "a stride that nothing solves",
        table("Operator | output", "conv | ☞7x7x4", clauses='infer s read "conv" = conv(1, 4, s)'),
        "shape-claim",
    ),
    Case(
        "an erratum of no row",
        table(
            "Operator | params",
            "conv | 16",
            clauses='read "conv" = conv(1, 4) erratum ☞"row 9, params" = "16" because "x"',
        ),
        "unknown-place",
    ),
    Case(
        "an erratum of no column",
        table(
            "Operator | params",
            "conv | 16",
            clauses='read "conv" = conv(1, 4) erratum ☞"row 1, macs" = "16" because "x"',
        ),
        "unknown-place",
    ),
    Case(
        "an erratum that is itself wrong",
        table(
            "Operator | params",
            "conv | 17",
            clauses='read "conv" = conv(1, 4) erratum "row 1, params" = "☞18" because "x"',
        ),
        "number-claim",
    ),
    Case(
        "an erratum that mends nothing",
        table(
            "Operator | params",
            "conv | 16",
            clauses='read "conv" = conv(1, 4) ☞erratum "row 1, params" = "16" because "x"',
        ),
        "stale-erratum",
    ),
    Case(
        "a reading that nobody declares",
        table(ROWS, "8x8x4 | conv | 4", clauses="read as ☞mobilenet"),
        "unknown-name",
    ),
]

CLAUSES = [
    Case("a network without layers", ARCH + "network ☞N { input 4 x 4 x 4 }", "clause"),
    Case("a network without an input", ARCH + "network ☞N { body relu }", "clause"),
    Case("two inputs", ARCH + "network N { input 4 x 4 x 4 ☞input 4 x 4 x 4 body relu }", "clause"),
    Case("two outputs of one name", net("relu as a -> tanh output o = @a output ☞o = @a"), "clause"),
    Case("an init of a path that no node has", net("conv(1, 4) init ☞'conv_9' = normal(0.1)"), "clause"),
    Case("an init with too many holes", net("conv(1, 4) init ☞'{a}{b}{c}{d}' = normal(0.1)"), "clause"),
    Case("weights without a rule", net("conv(1, 4) weights theirs ☞read"), "unexpected-text"),
    Case("weights without a name", net("conv(1, 4) weights ☞'conv' = 'a'"), "unexpected-text"),
    Case("an edition to come", GOOD.replace("1", "☞2", 1), "later-edition"),
    Case("an edition that is none", GOOD.replace("1", "☞0", 1), "unknown-edition"),
    Case("no edition", "☞network N { input 4 body relu }", "unknown-edition"),
    Case("a clause that is none", ARCH + "network N { ☞boddy relu }", "unexpected-text"),
    Case("a network that nobody closes", ARCH + "network N { input 4 body relu", "unexpected-text"),
    Case("an arrow of another language", net("relu ☞> tanh"), "unexpected-text"),
    Case("a semicolon", net("relu☞; tanh"), "unexpected-text"),
    Case("a string that nobody closes", ARCH + 'network N { title ☞"a\nbody relu }', "unclosed-text"),
    Case("a backslash escapes no quote", ARCH + 'network N { title "a\\" ☞b" body relu }', "unexpected-text"),
    Case("a terminal's escape in a string", net("relu", before='use ☞"\x1b[31m"\n'), "unknown-file"),
    Case("markup in a string", net("relu", before='use ☞"</script><script>alert(1)</script>"\n'), "unknown-file"),
    Case("markup in a cell", table(ROWS, "8x8x4 | ☞</script> | 4"), "unread-operator"),
    Case("a terminal's escape in a cell", table(ROWS, "8x8x4 | ☞\x1b]0;title\x07 | 4"), "unread-operator"),
    Case("a terminal's escape in the text", net("☞\x1b[31mrelu"), "unknown-character"),
]

BOMBS = [
    Case("10⁹ passes", net("relu * ☞1000000000"), "limit", exit_code=4),
    Case("1000 × 1000 × 1000 passes", net("((relu * 1000) * ☞1000) * 1000"), "limit", exit_code=4),
    Case(
        "41 doubling blocks",
        net("f41", before=chained("block", " = relu", " = f{0} -> f{0}", 42)),
        "limit",
        exit_code=4,
    ),
    Case(
        "41 doubling blocks with arguments",
        net("f41(1)", before=chained("block", "(c) = dropout(c / 99)", "(c) = f{0}(c) -> f{0}(c + 1)", 42)),
        "limit",
        exit_code=4,
    ),
    Case(
        "41 doubling defs",
        net("conv(1, f41(1))", before=chained("def", "(c) = c", "(c) = f{0}(c) + f{0}(c)", 42)),
        "bad-argument",
    ),
    Case(
        "41 doubling defs with arguments of their own",
        net("conv(1, f41(1))", before=chained("def", "(c) = c", "(c) = f{0}(2 * c) + f{0}(2 * c + 1)", 42)),
        "limit",
        exit_code=4,
    ),
    Case("5 000 nested parentheses", lambda: net("(" * 5_000 + "relu" + ")" * 5_000), "limit", exit_code=4),
    Case(
        "5 000 nested sums", lambda: net("conv(1, " + "(1 + " * 5_000 + "1" + ")" * 5_000 + ")"), "limit", exit_code=4
    ),
    Case("2 500 nested forks", lambda: net("(id | " * 2_500 + "relu" + ")" * 2_500), "limit", exit_code=4),
    Case("100 000 opened parentheses", lambda: net("(" * 100_000), "limit", exit_code=4),
    Case("50 000 opened parentheses", lambda: net("(" * 50_000), "unexpected-text"),
    Case("5 000 negations", lambda: net("relu if " + "not " * 5_000 + "true"), "limit", exit_code=4),
    Case("5 000 signs", lambda: net("conv(1, " + "-" * 5_000 + "4)"), "limit", exit_code=4),
    Case(
        "a chain of 5 000 operands", lambda: net("conv(1, " + " + ".join(["999"] * 5_000) + ")"), "limit", exit_code=4
    ),
    Case(
        "a chain of 5 000 steps",
        lambda: net(" -> ".join(["relu"] * 5_000) + " -> ☞conv(9, 1, pad = valid)"),
        "shape-mismatch",
    ),
    Case(
        "a row of 100 000 cells",
        lambda: table("Operator", "☞| " + " c |" * 100_000).replace("| ☞|", "☞|"),
        "ragged-row",
    ),
    Case(
        "holes that match in a million ways",
        lambda: net(
            "a" + "_" * 5_000 + " init ☞'{a}_{b}_{c}!' = normal(0.1)", before=f"block a{'_' * 5_000} = conv(1, 4)\n"
        ),
        "clause",
    ),
    Case("a file of 20 MB", lambda: ARCH + "#" + "a" * 20_000_000, "limit", exit_code=4),
    Case(
        "a mistake behind a million blank lines",
        lambda: ARCH + "\n" * 10**6 + "network N { ☞boddy relu }",
        "unexpected-text",
    ),
    Case(
        "a mistake behind a million blanks",
        lambda: ARCH + " " * 10**6 + "network N { ☞boddy relu }",
        "unexpected-text",
    ),
    Case("a million braces", lambda: ARCH + "{" * 10**6, "limit", exit_code=4),
    Case("a million rows that open tables", lambda: ARCH + "| {\n" * 10**6, "limit", exit_code=4),
    Case("a long notebook", lambda: '{"cells": [' + '"a",' * 10**6 + '""], "nbformat": 4}', "another-kind"),
    Case("a file of 40 MB", b"#" * 40_000_000, "limit", exit_code=4),
    Case("20 000 tables that nobody closes", lambda: ARCH + "network N { " + "table {\n" * 20_000, "unclosed-table"),
    Case("2 000 blocks of one name", lambda: net("b", before="block b = relu\n" * 2000), "duplicate-name"),
    Case(
        "200 unknown operators",
        lambda: net("b0", before="".join(f"block b{i} = q{i}\n" for i in range(200))),
        "unknown-operator",
    ),
]

TOGETHER = [*ENCODINGS, *NUMBERS, *SHAPES, *NAMES, *RECURSION, *FILES, *TABLES, *CLAUSES]
CASES = {case.name: case for case in [*TOGETHER, *BOMBS]}


# ---- in the child ----


def run(case: Case, folder: Path) -> dict[str, Any]:
    """What became of a case, as JSON can say it."""
    text = case.text() if callable(case.text) else case.text
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    at = data.find(MARK.encode())
    data = data.replace(MARK.encode(), b"")
    for name, content in {"main.arch": data, **case.files}.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    wanted = None if at < 0 else len(data[:at].decode("utf-8").removeprefix("\ufeff"))
    began = time.process_time()
    try:
        spec = archspec.load(folder / "main.arch")
        spec.elaborate(**case.values)
        found, exit_code = tuple(spec.check()), 1
    except archspec.SpecError as error:
        found, exit_code = error.diagnostics, error.exit_code
    except BaseException as error:  # the test is that there is none
        return {"crash": f"{type(error).__name__}: {error}"[:500]}
    seconds = time.process_time() - began
    spans = [
        span
        for d in found
        for span in (d.primary, d.site, *(label.span for label in d.labels), *(e.span for e in d.edits))
    ]
    return {
        "codes": sorted({d.code for d in found}),
        "exit_code": exit_code,
        "first": found[0].primary.start if found else None,
        "where": str(found[0].primary) if found else None,
        "wanted": wanted,
        "outside": [str(s) for s in spans if not 0 <= s.start <= s.end <= len(s.source.text)],
        "texts": all(d.message and (d.help is None or d.help) for d in found),
        "seconds": seconds,
    }


def limit_memory() -> None:
    """No more than MEGABYTES above what the process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + MEGABYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def work(names: list[str]) -> None:
    """Run the cases of these names and print a line for each."""
    archspec.parse(GOOD).elaborate()
    if sys.platform == "linux":
        limit_memory()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "folder.arch").mkdir()
            os.mkfifo(Path(folder) / "fifo.arch")
            result = run(CASES[name], Path(folder))
        result["kilobytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(json.dumps({"name": name, **result}), flush=True)


# ---- in the parent ----


def child(names: list[str], seconds: int) -> dict[str, dict[str, Any]]:
    """The results of cases that ran in one child, which may take so many seconds of the processor."""
    root = Path(archspec.__file__).parent.parent
    try:
        done = subprocess.run(
            [sys.executable, __file__, *names],
            capture_output=True, text=True, timeout=30 * seconds, start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)),
            env={**os.environ, "PYTHONPATH": str(root)},
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        output = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        return {(result := json.loads(line))["name"]: result for line in output.splitlines()}
    return {(result := json.loads(line))["name"]: result for line in done.stdout.splitlines()}


@cache
def all_together() -> dict[str, dict[str, Any]]:
    return child([case.name for case in TOGETHER], 60)


def result_of(case: Case) -> dict[str, Any]:
    results = child([case.name], 20) if case in BOMBS else all_together()
    assert case.name in results, "the child died or hung here"
    return results[case.name]


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_a_bad_input_is_answered_with_diagnostics_that_point_into_it(case: Case) -> None:
    result = result_of(case)
    assert "crash" not in result, result["crash"]
    assert result["codes"] == sorted(case.codes.split())
    assert result["exit_code"] == case.exit_code
    assert result["wanted"] in {None, result["first"]}, f"it stands at {result['where']}"
    assert result["outside"] == []
    assert result["texts"]
    assert result["seconds"] < SECONDS
    assert result["kilobytes"] < MEGABYTES * 1024


if __name__ == "__main__":
    work(sys.argv[1:])
