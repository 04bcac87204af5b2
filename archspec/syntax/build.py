"""Lark's tree -> our tree: one method for each rule of the grammar that makes a node of its own."""

import itertools
import math
import re
from typing import Any

import lark

from archspec.diagnostics import SpecError
from archspec.source import Source, Span
from archspec.syntax import tree as t
from archspec.syntax.errors import NumberTooLarge, PositionalAfterNamed

LARGEST = 2**63
UNITS = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")

Parsed = lark.Tree[lark.Token]


class Builder:
    """Builds the nodes of one source; `offset` is where the parsed text begins in it."""

    def __init__(self, source: Source, offset: int) -> None:
        self.source = source
        self.offset = offset

    def build(self, node: Any) -> Any:
        """Our node for Lark's; None for a part that was left out."""
        if node is None:
            return None
        if isinstance(node, lark.Token):
            return self.token(node)
        return getattr(self, node.data)(self.span(node), *node.children)

    def all(self, nodes: Any) -> tuple[Any, ...]:
        return tuple(self.build(node) for node in nodes)

    def span(self, node: Parsed) -> Span:
        meta = node.meta
        if meta.empty:
            return Span(self.source, self.offset, self.offset)
        return Span(self.source, self.offset + meta.start_pos, self.offset + meta.end_pos)

    def token_span(self, token: lark.Token) -> Span:
        return Span(self.source, self.offset + (token.start_pos or 0), self.offset + (token.end_pos or 0))

    def token(self, token: lark.Token) -> Any:
        span = self.token_span(token)
        match token.type:
            case "STRING":
                return t.Text(span, token[1:-1])
            case "NAME":
                return t.Name(span, str(token))
            case "NUMBER":
                return self.number(span, token)
            case _:
                return str(token)

    # ---- expressions ----

    def number(self, span: Span, token: lark.Token) -> t.Number:
        text = token.replace("_", "")
        whole = re.fullmatch(r"[0-9]+", text) is not None
        value = float(text) if not whole or len(text) > 19 else int(text)
        if (
            not math.isfinite(value)
            or value > LARGEST
            or (value == 0 and re.search(r"[1-9]", text.lower().split("e")[0]))
        ):
            raise SpecError([NumberTooLarge(span)])
        return t.Number(span, value, str(token))

    def text(self, span: Span, token: lark.Token) -> t.Text:
        return t.Text(span, token[1:-1])

    def constant(self, span: Span, token: lark.Token) -> t.Constant:
        return t.Constant(span, {"true": True, "false": False, "none": None}[token])

    def name(self, span: Span, token: lark.Token) -> t.Name:
        return t.Name(span, str(token))

    def chain(self, span: Span, first: Parsed, *rest: Any) -> t.Chain:
        return t.Chain(
            span, self.build(first), tuple((str(o), self.build(x)) for o, x in zip(rest[::2], rest[1::2], strict=True))
        )

    def signed(self, span: Span, sign: lark.Token, operand: Parsed) -> t.Signed:
        return t.Signed(span, str(sign), self.build(operand))

    unary = signed

    def power(self, span: Span, base: Parsed, exponent: Parsed) -> t.Power:
        return t.Power(span, self.build(base), self.build(exponent))

    def comparison(self, span: Span, left: Parsed, operator: lark.Token, right: Parsed) -> t.Comparison:
        return t.Comparison(span, self.build(left), str(operator), self.build(right))

    def all_of(self, span: Span, *operands: Parsed) -> t.AllOf:
        return t.AllOf(span, self.all(operands))

    def any_of(self, span: Span, *operands: Parsed) -> t.AnyOf:
        return t.AnyOf(span, self.all(operands))

    def negation(self, span: Span, operand: Parsed) -> t.Negation:
        return t.Negation(span, self.build(operand))

    def conditional(self, span: Span, *parts: Parsed) -> t.Conditional:
        return t.Conditional(span, *self.all(parts))

    def extent(self, span: Span, *sides: Parsed) -> t.Extent:
        return t.Extent(span, self.all(sides))

    def call(self, span: Span, function: lark.Token, arguments: Parsed) -> t.Call:
        return t.Call(span, self.token(function), self.build(arguments))

    def arguments(self, span: Span, *arguments: Parsed | None) -> tuple[t.Argument, ...]:
        built: tuple[t.Argument, ...] = self.all(a for a in arguments if a is not None)
        for earlier, later in itertools.pairwise(built):
            if earlier.name and not later.name:
                raise SpecError([PositionalAfterNamed(later.span)])
        return built

    def argument(self, span: Span, name: lark.Token | None, value: Parsed) -> t.Argument:
        return t.Argument(span, self.build(name), self.build(value))

    # ---- networks ----

    def reference(self, span: Span, name: lark.Token, arguments: Parsed | None) -> t.Reference:
        return t.Reference(span, self.token(name), self.build(arguments))

    def tap(self, span: Span, name: lark.Token) -> t.Tap:
        return t.Tap(span, self.token(name))

    def group(self, span: Span, body: Parsed) -> t.Group:
        return t.Group(span, self.build(body))

    def fork(self, span: Span, *branches: Parsed) -> t.Fork:
        return t.Fork(span, self.all(branches))

    def sequence(self, span: Span, *steps: Parsed) -> t.Sequence:
        return t.Sequence(span, self.all(steps))

    def postfix_repeat(self, span: Span, atom: Parsed, _: lark.Token, *parts: Any) -> t.Step:
        return t.Step(span, self.build(atom), *self.all(parts))

    def postfix_if(self, span: Span, atom: Parsed, *parts: Any) -> t.Step:
        return t.Step(span, self.build(atom), None, *self.all(parts))

    def postfix_as(self, span: Span, atom: Parsed, alias: lark.Token) -> t.Step:
        return t.Step(span, self.build(atom), None, None, None, self.token(alias))

    # ---- clauses ----

    def title(self, span: Span, text: lark.Token) -> t.Title:
        return t.Title(span, self.token(text))

    def cite(self, span: Span, text: lark.Token) -> t.Cite:
        return t.Cite(span, self.token(text))

    def input(self, span: Span, dimensions: Parsed) -> t.InputClause:
        return t.InputClause(span, self.all(dimensions.children))

    def table(self, span: Span, name: lark.Token | None, body: lark.Token) -> t.TableClause:
        return t.TableClause(span, self.build(name), str(body), self.token_span(body))

    def body(self, span: Span, net: Parsed) -> t.Body:
        return t.Body(span, self.build(net))

    def output(self, span: Span, name: lark.Token, net: Parsed, training: lark.Token | None) -> t.Output:
        return t.Output(span, self.token(name), self.build(net), training is not None)

    def check(self, span: Span, arguments: Parsed | None, *claims: Parsed) -> t.Check:
        return t.Check(span, self.build(arguments) or (), self.all(claims))

    def claim(self, span: Span, what: lark.Token, quantity: Parsed) -> t.Claim:
        return t.Claim(span, self.token(what), self.build(quantity))

    def quantity(self, span: Span, digits: lark.Token, unit: Any, ten: Any, tolerance: Any) -> t.Quantity:
        power = re.sub(r"^.*?10\^?|[{}]", "", ten).translate(SUPERSCRIPTS) if ten else "0"
        if len(power) > 3 or int(power) > 18:
            raise SpecError([NumberTooLarge(span)])
        scale = UNITS[unit or ""] * 10.0 ** int(power)
        number = self.number(self.token_span(digits), digits)
        mantissa, _, exponent = number.text.replace("_", "").lower().partition("e")
        decimals = len(mantissa.partition(".")[2])
        resolution = 10.0 ** (int(exponent or 0) - decimals) * scale
        percent = self.number(self.token_span(tolerance), tolerance).value if tolerance else None
        return t.Quantity(span, number.value * scale, resolution, percent, span.text)

    def erratum(self, span: Span, place: lark.Token, correction: lark.Token, reason: lark.Token) -> t.Erratum:
        return t.Erratum(span, self.token(place), self.token(correction), self.token(reason))

    def default(self, span: Span, *operators: Parsed) -> t.Default:
        return t.Default(span, self.all(operators))

    def init(self, span: Span, *initials: Parsed) -> t.Init:
        return t.Init(span, self.all(initials))

    def initial(
        self, span: Span, target: lark.Token, distribution: Parsed, condition: Any, otherwise: Any
    ) -> t.Initial:
        return t.Initial(span, self.token(target), *self.all((distribution, condition, otherwise)))

    def weights(self, span: Span, origin: lark.Token, *rules: Parsed) -> t.Weights:
        return t.Weights(span, self.token(origin), self.all(rules))

    def weight_key(self, span: Span, path: lark.Token, *keys: lark.Token) -> t.WeightKey:
        return t.WeightKey(span, self.token(path), self.all(keys))

    def columns(self, span: Span, *columns: Parsed) -> t.Columns:
        return t.Columns(span, self.all(columns))

    def column(self, span: Span, header: lark.Token, *meanings: lark.Token) -> t.Column:
        built = self.all(meanings)
        return t.Column(span, self.token(header), built[0] if isinstance(built[0], t.Name) else built)

    def repeat(self, span: Span, count: Parsed, *then: Parsed | None) -> t.RepeatClause:
        return t.RepeatClause(span, self.build(count), self.all(a for a in then if a is not None))

    def assignment(self, span: Span, name: lark.Token, value: Parsed) -> t.Assignment:
        return t.Assignment(span, self.token(name), self.build(value))

    def numbering(self, span: Span, position: lark.Token, total: lark.Token | None) -> t.Numbering:
        return t.Numbering(span, self.token(position), self.build(total))

    def infer(self, span: Span, name: lark.Token, *usual: Parsed | None) -> t.Infer:
        return t.Infer(span, self.token(name), self.all(value for value in usual if value is not None))

    def read(self, span: Span, *rules: Parsed) -> t.Read | t.ReadAs:
        built = self.all(rules)
        return t.ReadAs(span, built[0]) if isinstance(built[0], t.Reference) else t.Read(span, built)

    def rule(self, span: Span, pattern: lark.Token, when: Any, check: Any, net: Parsed) -> t.Rule:
        return t.Rule(span, self.token(pattern), self.build(when), self.build(check), self.build(net))

    # ---- declarations ----

    def use(self, span: Span, path: lark.Token) -> t.Use:
        return t.Use(span, self.token(path))

    def definition(self, span: Span, name: lark.Token, parameters: Parsed, body: Parsed) -> t.Definition:
        return t.Definition(span, self.token(name), self.build(parameters), self.build(body))

    def block(self, span: Span, name: lark.Token, parameters: Any, signature: Any, net: Parsed) -> t.Block:
        return t.Block(span, self.token(name), self.build(parameters) or (), self.build(signature), self.build(net))

    def signature(self, span: Span, before: Parsed, after: Parsed) -> t.Signature:
        return t.Signature(span, self.all(before.children), self.all(after.children))

    def variant(self, span: Span, name: lark.Token, network: Parsed) -> t.Variant:
        return t.Variant(span, self.token(name), self.build(network))

    def network(self, span: Span, name: lark.Token, parameters: Any, *clauses: Parsed) -> t.Network:
        return t.Network(span, self.token(name), self.build(parameters) or (), self.all(clauses))

    def reading(self, span: Span, name: lark.Token, parameters: Any, *clauses: Parsed) -> t.Reading:
        return t.Reading(span, self.token(name), self.build(parameters) or (), self.all(clauses))

    def parameters(self, span: Span, *parameters: Parsed | None) -> tuple[t.Parameter, ...]:
        return self.all(p for p in parameters if p is not None)

    def parameter(self, span: Span, name: lark.Token, default: Parsed | None) -> t.Parameter:
        return t.Parameter(span, self.token(name), self.build(default), ())

    def choice(self, span: Span, name: lark.Token, *rest: Parsed | None) -> t.Parameter:
        *choices, default = rest
        return t.Parameter(span, self.token(name), self.build(default), self.all(choices))

    # ---- cells ----

    def shape_cell(self, span: Span, *sides: Parsed) -> tuple[t.Expr, ...]:
        """The sides, a squared one standing twice."""
        built: list[t.Expr] = []
        for side in sides:
            length, squared = side.children
            built += [self.build(length)] * (2 if squared else 1)
        return tuple(built)

    def number_cell(self, span: Span, quantity: Parsed) -> t.Quantity:
        built: t.Quantity = self.build(quantity)
        return built

    def value_cell(self, span: Span, value: Parsed) -> t.Expr:
        built: t.Expr = self.build(value)
        return built

    def scaled(self, span: Span, digits: lark.Token, unit: lark.Token) -> t.Number:
        value = self.number(span, digits).value * UNITS[unit]
        return t.Number(span, int(value) if value.is_integer() else value, span.text)
