"""Names of steps: every operator and block of a body gets the name that its node or scope will have.

They follow from the text of the body alone, not from what a condition leaves out: the second `conv` of a block is
`conv_2` in every instance, so that weights keep their names when a parameter changes.
"""

from collections import Counter
from collections.abc import Iterator

from archspec.elaborate.evaluate import Value
from archspec.syntax import tree as t

Names = dict[int, str]
"""The identity of an atom to its name."""


def step_names(body: t.Net) -> Names:
    """A name for every reference and every named or repeated group, unique in its scope."""
    names: Names = {}
    scopes = [body]
    while scopes:
        atoms = list(atoms_of(scopes.pop()))
        often = Counter(name for _, name, alias in atoms if not alias)
        taken = {name for _, name, alias in atoms if alias}
        seen: Counter[str] = Counter()
        for atom, name, alias in atoms:
            if not alias:
                seen[name] += 1
                name = f"{name}_{seen[name]}" if often[name] > 1 else name
                while name in taken:
                    name += "_"
                taken.add(name)
            names[id(atom)] = name
            if isinstance(atom, (t.Group, t.Fork)):
                scopes += [atom.body] if isinstance(atom, t.Group) else [t.Sequence(atom.span, atom.branches)]
    return names


def atoms_of(net: t.Net, alias: t.Name | None = None, repeated: bool = False) -> Iterator[tuple[t.Net, str, bool]]:
    """Every atom of a scope that makes a node or a scope of its own, in the order of the text, with its plain name."""
    match net:
        case t.Reference():
            yield net, alias.id if alias else net.name.id, alias is not None
        case t.Step():
            yield from atoms_of(net.atom, net.alias, net.count is not None)
            if net.otherwise is not None:
                yield from atoms_of(net.otherwise, net.alias)
        case t.Group() | t.Fork():
            if alias or repeated:
                yield net, alias.id if alias else "repeat", alias is not None
                return
            for part in (net.body,) if isinstance(net, t.Group) else net.branches:
                yield from atoms_of(part)
        case t.Sequence():
            for step in net.steps:
                yield from atoms_of(step)


def call_text(name: str, values: tuple[Value, ...]) -> str:
    """`bottleneck(6, 24, 2)`."""
    texts = ("-" if v is None else f'"{v}"' if type(v) is str else str(v).lower() if isinstance(v, bool) else
             "x".join(map(str, v)) if isinstance(v, tuple) else f"{v:g}" if isinstance(v, float) else str(v)
             for v in values)  # fmt: skip
    return f"{name}({', '.join(texts)})" if values else name
