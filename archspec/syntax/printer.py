"""Syntax tree -> canonical text: the formatter.

One blank line between clauses is kept where it stands. Tables are copied byte for byte, their line ends too, since they
are one token of the tree; every other line ends with LF.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence

from archspec.syntax import phrases
from archspec.syntax import tree as t
from archspec.syntax.comments import BLANK_LINE, Space, comments, weave
from archspec.syntax.page import WIDTH, Member, Page, assign, assign_beside, lay, listed
from archspec.syntax.phrases import expression, network, quoted

HEAD = 60
"""longer heads of rules and checks do not push the others' `=` away"""
INDENT = 2
IGNORED = r"(?:[ \t\f\r\n]|#[^\r\n]*)*"
EDITION = re.compile(rf"{IGNORED}(arch{IGNORED}1)")

Short = t.Definition | t.Block | t.Variant


def print_tree(file: t.SpecFile) -> str:
    """The canonical text of a syntax tree, with the comments of its source."""
    page = Page(file.source)
    edition = EDITION.match(file.source.text)
    assert edition
    page.line(0, Space.KEEP)
    page.write("arch 1", edition.start(1), edition.end(1))
    for declaration, space, width in plan(page, file.declarations):
        page.line(0, space)
        declare(page, declaration, width)
    clauses = (c for d in file.declarations if isinstance(d, t.Network) for c in d.clauses)
    tables = [clause.body_span for clause in clauses if isinstance(clause, t.TableClause)]
    return weave(file.source, page.lines, comments(file.source, tables))


# ---- declarations ----


def plan(page: Page, declarations: tuple[t.Declaration, ...]) -> Iterator[tuple[t.Declaration, Space, int]]:
    """Each declaration with the space before it and the width of its head; neighbours have their `=` aligned."""
    spaces = [Space.KEEP] + [
        Space.KEEP if is_line(page, above) and is_line(page, below) else Space.ALWAYS
        for above, below in itertools.pairwise(declarations)
    ]
    run: list[tuple[t.Declaration, Space]] = []
    for declaration, space in zip(declarations, spaces, strict=False):
        if run and not neighbours(page, run[-1][0], declaration, space):
            yield from run_of(run)
            run = []
        run.append((declaration, space))
    yield from run_of(run)


def run_of(run: list[tuple[t.Declaration, Space]]) -> Iterator[tuple[t.Declaration, Space, int]]:
    heads = [(len(head(d)), len(body(d))) for d, _ in run if isinstance(d, Short)]
    width = max((first for first, _ in heads), default=0)
    fits = all(width + len(" = ") + second <= WIDTH for _, second in heads)
    for declaration, space in run:
        yield declaration, space, width if fits else 0


def neighbours(page: Page, above: t.Declaration, below: t.Declaration, space: Space) -> bool:
    """Whether two declarations of one kind stand on lines that follow each other."""
    gap = above.span.end, below.span.start
    return type(above) is type(below) and space is Space.KEEP and not BLANK_LINE.search(page.source.text, *gap)


def is_line(page: Page, declaration: t.Declaration) -> bool:
    """Whether a declaration stands on one line."""
    match declaration:
        case t.Use():
            return True
        case t.Definition() | t.Block() | t.Variant():
            parameters = declaration.parameters if not isinstance(declaration, t.Variant) else ()
            kept = any(itertools.starmap(page.parted, itertools.pairwise(parameters)))
            kept = kept or (isinstance(declaration, t.Block) and page.broken(declaration.body))
            return not kept and len(head(declaration)) + len(" = ") + len(body(declaration)) <= WIDTH
        case _:
            return False


def head(declaration: Short) -> str:
    """What stands before `=`."""
    match declaration:
        case t.Definition(name=name, parameters=parameters):
            return f"def {name.id}{phrases.parameters(parameters)}"
        case t.Variant():
            return f"variant {declaration.name.id}"
        case t.Block(name=name, parameters=parameters, signature=signature):
            return f"block {name.id}{phrases.parameters(parameters) if parameters else ''}{sides(signature)}"


def sides(signature: t.Signature | None) -> str:
    if signature is None:
        return ""
    return f" : {phrases.dimensions(signature.input)} -> {phrases.dimensions(signature.output)}"


def body(declaration: Short) -> str:
    """What stands after `=`."""
    match declaration:
        case t.Definition():
            return expression(declaration.body)
        case t.Variant():
            return network(declaration.network)
        case t.Block():
            return network(declaration.body)


def declare(page: Page, declaration: t.Declaration, width: int) -> None:
    start, end = declaration.span.start, declaration.span.end
    match declaration:
        case t.Use():
            page.write(f"use {quoted(declaration.path)}", start, end)
        case t.Network() | t.Reading():
            braces(page, declaration)
        case _ if is_line(page, declaration):
            page.write(f"{head(declaration).ljust(width)} = {body(declaration)}", start, end)
        case t.Variant():
            page.write(f"{head(declaration)} = {body(declaration)}", start, end)
        case t.Definition():
            opening(page, "def", declaration)
            page.write(" =", page.lines[-1].end, page.lines[-1].end)
            page.line(INDENT)
            page.write(body(declaration), declaration.body.span.start, end)
        case t.Block():
            opening(page, "block", declaration)
            text, signature = sides(declaration.signature), declaration.signature
            if signature and not page.fits(len(text) + len(" =")):
                page.line(2 * INDENT)
                text = text.lstrip()
            if signature:
                page.write(text, signature.span.start, signature.span.end)
            assign(page, declaration.body, INDENT)


def opening(page: Page, keyword: str, declaration: t.Definition | t.Block | t.Network | t.Reading) -> None:
    """The keyword, the name and the parameters."""
    end = declaration.name.span.end
    page.write(f"{keyword} {declaration.name.id}", declaration.span.start, end)
    if declaration.parameters or isinstance(declaration, t.Definition):
        page.write("(", end, end)
        listed(page, declaration.parameters, phrases.parameter_pieces, tail=3)
        end = page.lines[-1].end
        page.write(")", end, end)


def braces(page: Page, declaration: t.Network | t.Reading) -> None:
    """A network or reading with its clauses."""
    opening(page, "network" if isinstance(declaration, t.Network) else "reading", declaration)
    end = page.lines[-1].end
    page.write(" {", end, end)
    page.lines[-1].opens = True
    width = max((len(at) for c in declaration.clauses if len(at := condition(c)) <= HEAD), default=0)
    for clause in declaration.clauses:
        page.line(INDENT, Space.KEEP)
        state(page, clause, width)
    page.line(0)
    page.lines[-1].margin = INDENT
    page.write("}", declaration.span.end - 1, declaration.span.end)


# ---- clauses ----


def state(page: Page, clause: t.Clause, width: int) -> None:
    """A clause; `width` is that of the conditions of checks."""
    start = clause.span.start
    match clause:
        case t.Body():
            page.write("body ", start, clause.net.span.start)
            lay(page, clause.net, 2 * INDENT, 0)
        case t.Output():
            page.write(f"output {clause.name.id}", start, clause.name.span.end)
            mark = " in training" if clause.training else ""
            assign_beside(page, clause.net, 2 * INDENT, len(mark))
            page.write(mark, clause.net.span.end, clause.span.end)
        case t.Read():
            rules(page, clause)
        case t.Erratum():
            erratum(page, clause)
        case t.Weights():
            weight_keys(page, clause)
        case t.Check():
            arguments = f"{condition(clause).ljust(width)} " if clause.arguments else ""
            enumerate_clause(page, f"check {arguments}", clause, clause.claims, phrases.claim)
        case t.Columns():
            enumerate_clause(page, "columns ", clause, clause.columns, phrases.column)
        case t.Default():
            enumerate_clause(page, "default ", clause, clause.operators, phrases.network)
        case t.Init():
            enumerate_clause(page, "init ", clause, clause.initials, phrases.initial)
        case t.RepeatClause():
            count = f"repeat {expression(clause.count, least=phrases.PRIMARY)}"
            enumerate_clause(page, f"{count} then " if clause.then else count, clause, clause.then, phrases.assignment)
        case _:
            page.write(short(clause), start, clause.span.end)


def short(clause: t.Title | t.Cite | t.InputClause | t.TableClause | t.Numbering | t.Infer | t.ReadAs) -> str:
    """A clause that is never broken."""
    match clause:
        case t.Title():
            return f"title {quoted(clause.text)}"
        case t.Cite():
            return f"cite  {quoted(clause.text)}"
        case t.InputClause():
            return f"input {phrases.dimensions(clause.sides)}"
        case t.TableClause():
            return f"table {quoted(clause.name)} {clause.body}" if clause.name else f"table {clause.body}"
        case t.Numbering():
            return f"number {clause.position.id}" + (f" of {clause.total.id}" if clause.total else "")
        case t.Infer():
            usual = ", ".join(map(expression, clause.usual))
            return f"infer {clause.name.id}" + (f" in {{{usual}}}" if usual else "")
        case t.ReadAs():
            return f"read as {network(clause.reading)}"


def condition(clause: t.Clause) -> str:
    """The parameters that a check is about."""
    return phrases.arguments(clause.arguments) if isinstance(clause, t.Check) and clause.arguments else ""


def enumerate_clause(
    page: Page, words: str, clause: t.Clause, members: Sequence[Member], text: Callable[[Member], str]
) -> None:
    start = clause.span.start
    page.write(words, start, members[0].span.start if members else clause.span.end)
    listed(page, members, lambda member: [(text(member), member.span)], tail=0)


def erratum(page: Page, clause: t.Erratum) -> None:
    first = f"erratum {quoted(clause.place)} = {quoted(clause.correction)}"
    reason = f"because {quoted(clause.reason)}"
    page.write(first, clause.span.start, clause.correction.span.end)
    if page.parted(clause.correction, clause.reason):
        page.line(2 * INDENT)
        page.write(reason, clause.reason.span.start, clause.span.end)
    else:
        page.write(f" {reason}", clause.correction.span.end, clause.span.end)


def weight_keys(page: Page, clause: t.Weights) -> None:
    """The rules below each other, their `=` aligned."""
    page.write(f"weights {clause.origin.id}", clause.span.start, clause.origin.span.end)
    paths = padded([quoted(rule.path) for rule in clause.rules])
    for rule, path in zip(clause.rules, paths, strict=True):
        page.line(2 * INDENT, Space.KEEP)
        page.write(f"{path} = ", rule.span.start, rule.keys[0].span.start)
        indent = page.column
        for key in rule.keys:
            word = "" if key is rule.keys[0] else "or "
            if word and not page.fits(len(f" {word}{quoted(key)}")):
                page.line(indent)
            elif word:
                word = f" {word}"
            page.write(word + quoted(key), key.span.start, key.span.end)


def rules(page: Page, clause: t.Read) -> None:
    """The rules below each other, their `=` aligned."""
    indent = page.column + len("read ")
    ways = aligned(clause), abreast(clause), loose(clause)
    heads = min(ways, key=lambda heads: too_long(page, clause, heads, indent))
    for rule, words in zip(clause.rules, heads, strict=True):
        start = rule.span.start
        if rule is clause.rules[0]:
            page.write("read ", clause.span.start, start)
        else:
            page.line(indent, Space.KEEP)
        page.write(words, start, (rule.check or rule.when or rule.pattern).span.end)
        assign_beside(page, rule.net, indent + INDENT)


def aligned(clause: t.Read) -> list[str]:
    """What stands before the rules' `=`: patterns, guards and `=` below each other."""
    guarded = padded([quoted(rule.pattern) if guards(rule) else "" for rule in clause.rules])
    return padded([rule_head(rule, pattern) for rule, pattern in zip(clause.rules, guarded, strict=True)])


def abreast(clause: t.Read) -> list[str]:
    """The same with the guards where they come."""
    return padded([rule_head(rule, quoted(rule.pattern)) for rule in clause.rules])


def loose(clause: t.Read) -> list[str]:
    """The same with nothing but the `=` of rules without guards below each other."""
    plain = padded(["" if guards(rule) else quoted(rule.pattern) for rule in clause.rules])
    return [
        rule_head(rule, quoted(rule.pattern)) if guards(rule) else words
        for rule, words in zip(clause.rules, plain, strict=True)
    ]


def rule_head(rule: t.Rule, pattern: str) -> str:
    return f"{pattern} {guards(rule)}" if guards(rule) else quoted(rule.pattern)


def padded(texts: list[str]) -> list[str]:
    width = max((len(text) for text in texts if len(text) <= HEAD), default=0)
    return [text.ljust(width) for text in texts]


def too_long(page: Page, clause: t.Read, heads: list[str], indent: int) -> int:
    """How many rules would not stand on one line, not counting those that the source breaks."""
    lines = (
        indent + len(f"{words} = {network(rule.net)}")
        for rule, words in zip(clause.rules, heads, strict=True)
        if not page.broken(rule.net)
    )
    return sum(length > WIDTH for length in lines)


def guards(rule: t.Rule) -> str:
    when = f"when {expression(rule.when, least=phrases.ANY)}" if rule.when is not None else ""
    check = f"check {expression(rule.check, least=phrases.ANY)}" if rule.check is not None else ""
    return f"{when} {check}".strip()
