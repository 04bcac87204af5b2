"""A network and its arguments -> its plan and warnings, or all that is wrong with it and what would mend that."""

from collections.abc import Mapping

from msgspec.structs import replace

from archspec.diagnostics import Diagnostic, Edit, Frame, SpecError, is_error
from archspec.elaborate import parameters
from archspec.elaborate.evaluate import Binding, same
from archspec.elaborate.instantiate import Instantiator, identity
from archspec.elaborate.modules import Module
from archspec.elaborate.network import Elaboration, call_of
from archspec.elaborate.others import Others
from archspec.elaborate.plan import NetworkPlan
from archspec.elaborate.table_errors import ChannelsFirst
from archspec.elaborate.table_rows import overridden
from archspec.source import Span
from archspec.syntax import tree as t
from archspec.tables.table import Cell
from archspec.tensor import Shape, channels_last, shape_text

CHARACTERS = 16
"""So many characters are parsed in the time of one of `Instantiator.steps`."""


def run(one: Elaboration) -> tuple[NetworkPlan | None, list[Diagnostic]]:
    """The plan of an elaboration, and everything that is wrong; no plan where something is an error."""
    known = None if one.mended or one.totals else one.make.audited.get(one.same)
    if known is not None and not one.compared(known[0].counts):
        return replace(known[0], parameters=one.bindings), [*known[1]]
    fold, plan = one.fold(one.corrections)
    warnings = [found for found in fold.diagnostics if not is_error(found)]
    errors = [with_channels_last(one, error) for error in fold.errors]
    searched = one.claims or one.totals or one.checks
    if not errors or not (searched and one.advise and one.make.advise):
        return (None if errors else plan), [*errors, *warnings]
    from archspec.elaborate.suggest import Bench, suggested  # not needed where nothing is wrong

    rows = [row for table in one.tables.values() for row in overridden(table, one.corrections)]
    look = lambda first, last, changes: one.look(rows, first, last, changes, fold)  # noqa: E731
    bench = Bench(one.make, one.trial, look, Others(one).trial, lambda edit: edited(one, edit), bool(one.how.infer))
    return None, [*suggested(errors, rows, bench), *warnings]


def with_channels_last(one: Elaboration, error: Diagnostic) -> Diagnostic:
    """An error of channels that come first, and whether all is well when every cell has them last: it is tried."""
    if not isinstance(error, ChannelsFirst):
        return error
    turned: dict[Span, Cell] = {}
    try:
        for row in (row for table in one.tables.values() for row in overridden(table, one.corrections)):
            for claim in (one.reader.shape_claim(row, "input"), one.reader.shape_claim(row, "output")):
                if claim is not None and len(claim[0]) == 3:
                    turned[claim[1]] = Cell(claim[1], shape_text(channels_last(claim[0])))
    except SpecError:
        return error  # a cell is not a shape, which is reported when the first one is mended
    return replace(error, holds=not one.trial(turned))


def edited(one: Elaboration, edit: Edit) -> list[Diagnostic] | None:
    """What is wrong with a network where its file has another text, and with the other members of the file.

    None where the text is that of another file, which others may use.
    """
    source = one.network.span.source
    if edit.span.source != source or one.mended:
        return None
    text = source.text[: edit.span.start] + edit.text + source.text[edit.span.end :]
    make = one.make.anew()
    make.advise = False
    try:
        module = one.module.edited(text, make.limits)
        other = elsewhere(one, module, make)
        wrong = [*other.fold(other.corrections)[0].errors, *Others(other).trial({})]
        if not wrong and not one.network.span.start <= edit.span.start < one.network.span.end:
            for network, given in parameters.members(module, make.budget):
                elaborate(module, network, make, given)
        return wrong
    except SpecError as error:
        return [*error.diagnostics]
    finally:
        one.make.searched += make.steps + len(text) // CHARACTERS


def elsewhere(one: Elaboration, module: Module, make: Instantiator) -> Elaboration:
    """The same network of another text, with what it was given; raises `SpecError`."""
    network = module.own[one.network.name.id]
    assert isinstance(network, t.Network)
    defaults = {parameter.name.id: parameter.span for parameter in one.network.parameters}
    given = {name: binding for name, binding in one.bindings.items() if binding.span != defaults[name]}
    bindings = parameters.bound(module, network, given, make.budget)
    return Elaboration(module, network, make, bindings, one.claims, one.totals, one.image, one.checks)


def elaborate(
    module: Module, network: t.Network, make: Instantiator, given: Mapping[str, Binding], image: Shape | None = None
) -> tuple[NetworkPlan, list[Diagnostic]]:
    """The plan of a network and its warnings; raises `SpecError` with every error found.

    Claims are compared at the defaults even where other arguments, or another `image` than the text states, are given.
    """
    bindings = parameters.bound(module, network, given, make.budget)
    free = parameters.picks_column(module, network) | parameters.required(network)
    picked = {name: binding for name, binding in given.items() if name in free}
    defaults = parameters.bound(module, network, picked, make.budget)
    changed = {name: one for name, one in bindings.items() if not same(one.value, defaults[name].value)}
    at_defaults = image is None and not changed
    same_claims = ("claims", id(network), *((name, identity(binding.value)) for name, binding in picked.items()))
    if same_claims in make.refused:
        raise SpecError(make.refused[same_claims])
    if not at_defaults and same_claims not in make.settled:
        elaborate(module, network, make, picked)
        make.settled.add(same_claims)
    needed = {name: binding for name, binding in given.items() if name in parameters.required(network)}
    first = parameters.bound(module, network, needed, make.budget)
    totals = at_defaults and all(same(bindings[name].value, first[name].value) for name in bindings)
    plan, diagnostics = run(Elaboration(module, network, make, bindings, at_defaults, totals, image))
    if plan is None:
        if at_defaults:
            make.refused[same_claims] = tuple(diagnostics)
        given_too = changed if image is None else {**changed, "input": parameters.given_image(image)}
        raise SpecError(with_given(diagnostics, network, given_too))
    return replace(plan, changed=tuple(changed)), diagnostics


def with_given(found: list[Diagnostic], network: t.Network, changed: Mapping[str, Binding]) -> list[Diagnostic]:
    """Mistakes with the parameters that they follow from: without them there are none."""
    if not changed:
        return found
    frame = Frame(call_of(network, changed), next(iter(changed.values())).span, asks=False)
    return [
        one if one.primary.source.name == parameters.GIVEN else replace(one, stack=(frame, *one.stack)) for one in found
    ]
