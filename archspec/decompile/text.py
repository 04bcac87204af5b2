"""Templates and networks -> the text of the language; runs of the same become repeats."""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from archspec.decompile.solve import PLACED, Expr, Solver, Usual
from archspec.decompile.steps import Call
from archspec.decompile.templates import ACT, Slot, Template, present
from archspec.ops import AnyOp, AvgPool, Dropout, MaxPool

POOLS = frozenset({"maxpool", "avgpool"})
ENDS = POOLS | {"bn", "layernorm", "groupnorm", "lrn"}
"""What layers end with rather than begin, as activations are."""
LONGEST = 16
"""No more steps than this are repeated as a group."""


class Item(Struct, frozen=True):
    """A step as it is written, or several that belong together."""

    text: str
    single: bool = True
    """whether it is one step, which a postfix may follow"""
    named: bool = False
    """whether a name stands in it, so that it cannot be repeated"""
    narrows: bool = False
    """whether it makes the map smaller"""
    pools: bool = False
    """whether it does nothing else"""
    ends: bool = False
    """whether it is what layers end with rather than begin"""


def items(template: Template, context: set[int], solver: Solver) -> list[Item]:
    """The steps of a template; what only some instances have is conditional."""
    made: list[Item] = []
    for group in groups(template, context):
        inner = runs(stated(group, solver))
        there = present(group[0], context)
        if there == context:
            made += inner
        else:
            condition = solver.condition(there, context, False, f"with_{name_of(group)}")
            made.append(Item(f"{joined(inner, True)} if {condition.holds}", False, named(inner)))
    return made


def groups(template: Template, context: set[int]) -> list[Template]:
    """Steps that the same instances have, together; a fork and its join always."""
    made: list[Template] = []
    for position, slot in enumerate(template):
        joins = position > 0 and bool(template[position - 1].branches)
        if made and (joins or present(made[-1][-1], context) == present(slot, context)):
            made[-1].append(slot)
        else:
            made.append([slot])
    return made


def name_of(group: Template) -> str:
    """What steps are called in the name of a flag."""
    return group[0].key[1] if len(group[0].key) == 2 else "branch"


def stated(group: Template, solver: Solver) -> list[Item]:
    """The steps of a group, a fork and its join as one."""
    made: list[Item] = []
    forked: Item | None = None
    for slot in group:
        text = step(slot, solver) if not slot.branches else ""
        named = bool(slot.alias) or slot.key[0] in {"Tap", "Here"}
        if slot.branches:
            forked = fork(slot, solver)
        elif forked is not None:
            made.append(Item(f"{forked.text} -> {text}", False, forked.named or named, slot.narrows))
            forked = None
        else:
            ends = slot.key == (ACT,) or slot.key[-1] in ENDS
            made.append(Item(text, True, named, slot.narrows, slot.key[-1] in POOLS, ends))
    return made


def fork(slot: Slot, solver: Solver) -> Item:
    """A fork without its join."""
    context = set(slot.at)
    branches = [
        branch_item(branch, there, context, slot.key[2] == "add", solver)
        for branch, there in zip(slot.branches, slot.there, strict=True)
    ]
    before = f"split({len(branches)}) -> " if slot.key[1] else ""
    text = " | ".join(branch.text for branch in branches)
    return Item(f"{before}({text})", False, any(branch.named for branch in branches))


def branch_item(branch: Template, there: set[int], context: set[int], adds: bool, solver: Solver) -> Item:
    """A branch, as one step where a condition follows."""
    parts = groups(branch, there)
    if len(parts) == 1 and present(parts[0][0], there) != there:
        # as a whole branch a false `if` would make the branch absent
        inner = runs(stated(parts[0], solver))
        condition = solver.condition(there - present(parts[0][0], there), there, adds, f"no_{name_of(parts[0])}")
        found = [Item(f"id if {condition.holds} else {joined(inner, True)}", False, named(inner))]
    else:
        found = runs(items(branch, there, solver)) if branch else [Item("id")]
    if there == context:
        return Item(joined(found, False), False, named(found))
    condition = solver.condition(
        there, context, adds and not branch, f"with_{name_of(branch)}" if branch else "shortcut"
    )
    return Item(f"{joined(found, True)} if {condition.holds}", False, named(found))


def named(parts: Sequence[Item]) -> bool:
    return any(item.named for item in parts)


def joined(parts: Sequence[Item], atom: bool) -> str:
    """Steps one after the other; in parentheses where they must be one atom and are none."""
    text = " -> ".join(item.text for item in parts)
    return f"({text})" if atom and (len(parts) > 1 or not parts[0].single) else text


def residuals(template: Template, solver: Solver) -> None:
    """Find the conditions of shortcuts, before others take them over."""
    for slot in template:
        context = set(slot.at)
        for branch, there in zip(slot.branches, slot.there, strict=True):
            parts = groups(branch, there)
            own = present(parts[0][0], there) if len(parts) == 1 else there
            if slot.key[2] == "add" and own != there:
                solver.condition(there - own, there, True, f"no_{name_of(parts[0])}")
            if slot.key[2] == "add" and there != context and not branch:
                solver.condition(there, context, True, "shortcut")
            residuals(branch, solver)


def step(slot: Slot, solver: Solver) -> str:
    """One step with its name."""
    match slot.key:
        case ("Tap", alias):
            return f"@{alias}"
        case ("Here", alias):
            return f"id as {alias}"
    name = f" as {slot.alias}" if slot.alias else ""
    if slot.key == (ACT,):
        return f"{solver.exprs[id(slot), ACT]}{name}"
    payload = next(iter(slot.at.values()))

    def expr(attribute: str) -> Expr:
        return solver.exprs[id(slot), attribute]

    assert payload is not None
    text = call(payload, expr) if isinstance(payload, Call) else operator(payload, expr, solver.usual)
    return f"{text}{name}"


def operator(op: AnyOp, expr: Callable[[str], Expr], usual: Usual) -> str:
    """An operator with the attributes that are not its defaults, here or in the language."""
    fields, own = type(op).model_fields, usual.get(op.kind, {})
    names = [*op.positional, *(name for name in fields if name not in {"kind", "index", *op.positional})]
    given: list[str] = []
    placed = True
    for name in names:
        value, field = expr(name), fields[name]
        plain = value.literal and not field.is_required() and next(iter(value.values.values())) == field.default
        if name == "stride" and isinstance(op, (MaxPool, AvgPool)):
            plain = str(value) == str(expr("kernel"))
        if name in own or (plain and not (isinstance(op, Dropout) and name == "rate")):
            placed = False
            continue
        placed = placed and name in op.positional
        given.append(str(value) if placed else f"{name} = {value}")
    return f"{op.kind}({', '.join(given)})" if given else op.kind


def call(one: Call, expr: Callable[[str], Expr]) -> str:
    """An instance of a block with the arguments that are not its defaults."""
    given: list[str] = []
    placed = True
    for parameter in one.block.parameters:
        value = expr(parameter.name)
        if parameter.has_default and value.literal and next(iter(value.values.values())) == parameter.default:
            placed = False
            continue
        placed = placed and parameter.base in PLACED and not (parameter.has_default and parameter.default is None)
        given.append(str(value) if placed else f"{parameter.name} = {value}")
    return f"{one.block.name}({', '.join(given)})" if given else one.block.name


# ---- repeats ----


def runs(steps: Sequence[Item]) -> list[Item]:
    """Steps with what stands several times in a row as a repeat, the shortest periods first."""
    left = list(steps)
    for size in range(1, LONGEST + 1):
        while (best := max(repeated(left, size), default=None)) is not None:
            *_, start, count = best
            start = -start
            part = left[start : start + size]
            made = Item(f"{joined(part, True)} * {count}", False, False, any(i.narrows for i in part), part[-1].pools)
            left[start : start + size * count] = [made]
    return left


def repeated(steps: Sequence[Item], size: int) -> Iterator[tuple[int, bool, int, int]]:
    """Runs of a period: how often, whether it begins as a layer does, where (less is more), and how often again."""
    alike = 0  # so many steps from here on are what stands a period later
    for start in range(len(steps) - size - 1, -1, -1):
        alike = alike + 1 if steps[start].text == steps[start + size].text else 0
        count = alike // size + 1
        if count > 1 and not named(steps[start : start + size]):
            yield count, not steps[start].ends, -start, count
