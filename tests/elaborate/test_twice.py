"""What stands twice, where one of the two could not count: both places are shown.

`☞` marks them, the second first in time of reading: the diagnostic is at the later one.
"""

import pytest

import archspec

MARK = "☞"
TABLE = 'table{name} {{\n| Operator | c | s |\n| conv | 4 | - |\n| conv | 4 | - |\n}}\nread "conv" = conv(1, c, s)\n'


def net(clauses: str, before: str = "", parameters: str = "") -> str:
    return f"arch 1\n{before}network N{parameters} {{\n{clauses}\n}}\n"


def tabled(clauses: str, name: str = "") -> str:
    return net("input 8 x 8 x 4\n" + TABLE.format(name=name) + clauses)


TWICE = {
    "a title": net('input 4\nbody relu\n☞title "a"\n☞title "b"'),
    "an input": net("☞input 4\nbody relu\n☞input 5"),
    "an output": net("input 4\nbody relu\n☞output a = tanh\n☞output a = relu").replace("☞output a", "output ☞a"),
    "a parameter": net("input 4\nbody relu", parameters="(☞k = 1, ☞k = 2)"),
    "a parameter of a block": net("input 4\nbody b(1)", before="block b(☞k, ☞k) = relu\n"),
    "a block": net("input 4\nbody b", before="block ☞b = relu\nblock ☞b = tanh\n"),
    "a function": net("input 4\nbody relu", before="def ☞f(a) = a\ndef ☞f(a) = a\n"),
    "a network": "arch 1\n" + "network ☞N { input 4 body relu }\n" * 2,
    "a variant": net("input 4\nbody relu", before="variant ☞v = N\nvariant ☞v = N\n"),
    "a reading": net("input 4\nbody relu", before='reading ☞r { read "a" = relu }\n' * 2),
    "a named tensor": net("input 4\nbody relu as ☞a -> tanh as ☞a -> (@a | id) -> add"),
    "an argument": net("input 8 x 8 x 4\nbody conv(☞1, 4, ☞kernel = 3)"),
    "an argument of a variant": net("input 4\nbody relu", "variant v = N(☞k = 1, ☞k = 2)\n", "(k = 1)"),
    "a default": net("input 8 x 8 x 4\ndefault conv(bias = ☞true)\ndefault conv(☞bias = false)\nbody conv(1, 4)"),
    "a first weight": net("input 8 x 8 x 4\ninit ☞conv = normal(0.1)\ninit ☞conv = normal(0.2)\nbody conv(1, 4)"),
    "a first weight of a path": net(
        "input 8 x 8 x 4\ninit ☞'conv_{a}' = normal(0.1)\ninit ☞'conv_{b}' = normal(0.1)\nbody conv(1, 4) * 2"
    ),
    "a repeat": tabled("☞repeat 2\n☞repeat 3"),
    "a number": tabled("repeat 2\n☞number i\n☞number j"),
    "a table": tabled('table ☞"a" {\n| Operator | c | s |\n| conv | 4 | 1 |\n}', ' ☞"a"'),
    "a column": tabled('columns ☞"c": c, ☞"c": d'),
    "a header": net('input 8 x 8 x 4\ntable {\n| Operator | ☞c | ☞c |\n| conv | 4 | 1 |\n}\nread "conv" = conv(1, c)'),
    "an inferred variable": tabled("infer ☞s in {1, 2}\ninfer ☞s"),
    "a variable of later passes": tabled("repeat 2 then ☞s = 1, ☞s = 2"),
    "an erratum": tabled('☞erratum "row 1, c" = "5" because "a"\n☞erratum "row 1, c" = "6" because "b"'),
    "a clause of two readings": net(
        'input 8 x 8 x 4\nread as a\nread as b\ntable {\n| Operator |\n| relu |\n}\nread "relu" = relu',
        before="reading a { ☞repeat 1 }\nreading b { ☞repeat 2 }\n",
    ),
}


def marked(text: str) -> tuple[str, list[int]]:
    """A text without its marks, and where they stood."""
    first, *others = text.split(MARK)
    places, made = list[int](), first
    for part in others:
        places.append(len(made))
        made += part
    return made, places


@pytest.mark.parametrize("what", TWICE)
def test_what_stands_twice_is_shown_at_both_places(what: str) -> None:
    text, (first, second) = marked(TWICE[what])
    with pytest.raises(archspec.SpecError) as raised:
        raise archspec.SpecError(archspec.parse(text).check_all())
    found = raised.value.diagnostics[0]
    assert (found.primary.start, [label.span.start for label in found.labels]) == (second, [second, first])
