"""What stands under the cursor: a row with what it comes to, a step with its shapes, a name with what it means."""

import inspect
from collections.abc import Iterator

from archspec.elaborate.calls import signature
from archspec.elaborate.catalogue import comment_above, head
from archspec.elaborate.rules import SIDES
from archspec.elaborate.uses import Target, Use
from archspec.lsp.instances import Instance, Network
from archspec.lsp.session import Analysis
from archspec.ops import OPERATORS
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tensor import Shape, shape_text


def hover(found: Analysis, offset: int) -> tuple[str, Span] | None:
    """Markdown, and the characters that it is about."""
    row = row_text(found, offset)
    if row is not None:
        return row
    use = name_at(found, offset)
    if use is None:
        return None
    parts = [described(use.target), *instances_text(found, use.span)]
    return "\n\n".join(part for part in parts if part), use.span


def name_at(found: Analysis, offset: int) -> Use | None:
    """The name at a place."""
    here = [use for use in found.names.uses if touches(use.span, offset)] if found.names else []
    return min(here, key=lambda use: use.span.end - use.span.start, default=None)


def touches(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end


# ---- rows ----


def row_text(found: Analysis, offset: int) -> tuple[str, Span] | None:
    """What the row of a table at a place comes to."""
    for network in found.networks:
        for _, row in network.rows():
            if row.row.span.source == found.source and touches(row.row.span, offset):
                instance = network.row(row)
                if instance is None:
                    return f"row {row.number}: it cannot be built, or is left out", row.row.span
                lines = [f"**row {row.number}** {shapes(instance.inputs)} → {shapes(instance.outputs)}"]
                ruled = network.rule(row, instance.inputs[0])
                if ruled is not None:
                    lines.append(fenced(ruled.rule.rule.span.text))
                lines.append(counted(network, instance))
                return "\n\n".join(lines), row.row.span
    return None


def counted(network: Network, instance: Instance) -> str:
    """The counts of a part of a network, with its share of them."""
    here, every = network.counts[instance.path], network.counts[""]
    return (
        f"{here.params:,} params{share(here.params, every.params)} · "
        f"{here.macs:,} MACs{share(here.macs, every.macs)} · {here.nodes} nodes"
    )


def share(part: int, whole: int) -> str:
    return f" ({part / whole:.1%})" if whole else ""


def shapes(found: tuple[Shape, ...]) -> str:
    return ", ".join(map(shape_text, found))


# ---- names ----


def described(target: Target) -> str:
    """What a name stands for."""
    if target.kind == "operator":
        op = OPERATORS[target.name]
        return f"{fenced(f'{target.name}({signature(op)})')}\n\n{inspect.getdoc(op) or ''}"
    if target.kind == "file":
        return f"the file `{target.name}`"
    if target.kind == "side" and target.name in SIDES:
        return f"`{target.name}`: {SIDES[target.name]}"
    if target.kind == "column" and target.span is None:
        return f"`{target.name}`: a column of the tables that `{target.owner}` reads"
    if target.span is None:
        return f"`{target.name}`: a {target.kind} of the language"
    about = comment_above(target.span)
    return "\n\n".join(part for part in (fenced(declared(target)), about) if part)


def declared(target: Target) -> str:
    """The text that declares a name."""
    node = target.node
    if isinstance(node, t.Definition):
        return node.span.text
    if isinstance(node, t.Block | t.Network | t.Reading | t.Variant):
        return head(node)
    return node.span.text.split("\n")[0] if isinstance(node, t.Parameter | t.Step) else target.name


def instances_text(found: Analysis, span: Span) -> Iterator[str]:
    """The shapes of a step, at the first of its places."""
    for network in found.networks:
        for step, instances in network.steps.items():
            if step.source == span.source and step.start == span.start and instances:
                first, more = instances[0], len(instances) - 1
                again = f"; and in {more} more places" if more else ""
                yield f"{shapes(first.inputs)} → {shapes(first.outputs)} in `{first.path}`{again}"
                yield counted(network, first)
                return


def fenced(text: str) -> str:
    fence = "````" if "```" in text else "```"
    return f"{fence}arch\n{text}\n{fence}"
