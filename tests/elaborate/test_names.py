"""What a name means in a row, and whose parameters a clause sees."""

import pytest
from elaborate.texts import ARCH, codes, graph, kinds, table, wrong

ROW = "input 16 x 16 x 3 read as r table {\n| Operator | c |\n| conv | 8 |\n}"


def network(reading: str, clauses: str, parameters: str = "d = 3") -> str:
    return f"{ARCH}reading r(d = 1) {{ {reading} }}\nnetwork N({parameters}) {{ {clauses} {ROW} }}\n"


@pytest.mark.parametrize(
    ("reading", "clauses"),
    [
        ('read "conv" = conv(3, c)', "repeat d"),
        ('read "conv" = conv(3, c)', "repeat (d if d == 3 else 0)"),
        ('read "conv" = conv(3, c) repeat d', "repeat 3"),
    ],
)
def test_a_networks_repeat_sees_its_parameters_whoever_reads_the_row(reading: str, clauses: str) -> None:
    assert kinds(network(reading, clauses)) == ["conv"] * 3


def test_what_then_sets_is_computed_with_the_parameters_of_who_wrote_it() -> None:
    text = network('read "conv" = conv(3, c, s)', "repeat 2 then s = d", "d = 2").replace(
        "| Operator | c |", "| Operator | c | s |"
    )
    sizes = [node.shape[0] for node in graph(text.replace("| conv | 8 |", "| conv | 8 | 1 |")).nodes[1:]]
    assert sizes == [16, 8]


def test_a_readings_repeat_sees_what_it_was_handed() -> None:
    text = network('repeat d read "conv" = conv(3, c)', "", "e = 4").replace("read as r", "read as r(d = e)")
    assert kinds(text) == ["conv"] * 4


def test_the_usual_values_of_infer_are_of_who_wrote_it() -> None:
    text = f"""{ARCH}reading r(d = 1) {{ read "conv" = conv(3, 8, s) }}
    network N(d = 4) {{
      input 16 x 16 x 3
      read as r
      infer s in {{1, d}}
      table {{
        | Operator | Output |
        | conv     | 4×4    |
      }}
    }}"""
    assert [node.op.stride for node in graph(text).nodes[1:]] == [4]


def test_a_cell_sees_the_parameters_of_the_network() -> None:
    assert [
        n.op.kernel for n in graph(network('read "conv" = conv(c, 8)', "").replace("| 8 |", "| d |")).nodes[1:]
    ] == [3]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (table("Operator | n", "conv3-64 | 2", clauses='repeat n\nread "conv{f}-{n}" = conv(f, n)'), ["n", "{n}", "n"]),
        (table("Operator | n", "conv3-64 | 2", clauses='read "conv{f}-{n}" = conv(f, 8)'), ["n", "{n}"]),
        (table("Operator | k", "conv | 2", clauses='read "conv" = conv(3, k)'), ["k", "k", "k"]),
        (table("Operator", "conv 2", clauses='read "conv {k}" = conv(3, k)'), ["k", "k", "{k}"]),
        (table("Operator | k | c", "conv | 2 | 2*k", clauses='read "conv" = conv(3, c)'), ["k", "k = 10", "k"]),
        (table("Operator", "conv 2", clauses='read "conv {h}" = conv(3, h)'), ["h", "{h}"]),
        (table("Operator | w", "conv | 2", clauses='read "conv" = conv(3, w)'), ["w", "w"]),
        (table("Operator | a", "conv | 2", clauses='read "conv" when a == 2 = relu', parameters="a = 2"), ["a"] * 3),
        (table("Operator", "conv", clauses='number k\nread "conv" = dropout(k / 20)'), ["k", "k", "k"]),
        (table("Operator", "conv", clauses='infer k\nread "conv" = conv(3, 8, k)'), ["k", "k", "k"]),
        (table("Operator", "conv", clauses='repeat 2 then k = 1\nread "conv" = conv(3, 8, k)'), ["k", "k", "k"]),
        (
            table("Operator | size", "conv | 3x3", clauses='columns "size": "{k}x{k}"\nread "conv" = conv(k, 8)'),
            ["k", "k", "size"],
        ),
    ],
)  # fmt: skip
def test_a_name_that_means_two_things_is_an_error_that_shows_both(text: str, places: list[str]) -> None:
    (found,) = wrong(text)
    assert (found.code, sorted(label.span.text for label in found.labels)) == ("two-meanings", sorted(places))


@pytest.mark.parametrize(
    "text",
    [
        table("Operator | k", "conv | 2", clauses='read "conv" = conv(3, 8)'),  # nothing uses it
        table("Operator | h", "conv | 2", clauses='read "conv" = conv(3, 8)'),
        table("Operator | c | s", "conv | 8 | 2", clauses='repeat 2 then s = 1\nread "conv" = conv(3, c, s)'),
        table("Operator | Output | s", "conv | 4×4 | -", clauses='infer s\nread "conv" = conv(3, 8, s)'),
        table("Operator", "conv 3x3", clauses='read "conv {f}x{f}" = conv(f, channels = 8)', parameters="channels = 1"),
        table(
            "Operator", "conv 8", clauses='read "conv {c}" = conv(3, c) as s -> (@s | id) -> add', parameters="s = 1"
        ),
    ],
)
def test_a_name_that_nothing_else_has_means_one_thing(text: str) -> None:
    assert set(codes(text)) <= {"unread-column"}


def column(columns: str, headers: str, cells: str) -> str:
    return table(f"Operator | {headers}", f"conv | {cells}", clauses=f'columns {columns}\nread "conv" = conv(1, c)')


@pytest.mark.parametrize(
    "text",
    [
        column('"c": "x{a}", "d": c', "c | a | d", "x3 | 5 | 8"),
        column('"f": "{c}x{c}"', "f | c", "3x3 | 8"),
        column('"f": "x{c}", "g": "y{c}"', "f | g", "x3 | y5"),
    ],
)
def test_a_hole_of_a_column_has_a_name_of_its_own(text: str) -> None:
    assert codes(text) == ["duplicate-name"]


@pytest.mark.parametrize("word", ["same", "valid"])
def test_a_word_of_the_language_is_no_other_name_where_it_is_used(word: str) -> None:
    rule = f'read "conv {{{word}}}" = conv(3, 8, pad = {word})'
    assert codes(table("Operator", "conv 2", clauses=rule)) == ["two-meanings"]
    assert codes(table(f"Operator | {word}", "conv | 2", clauses=f'read "conv" = conv(3, 8, pad = {word})')) == [
        "two-meanings"
    ]
    assert codes(f"arch 1 network N({word} = 2) {{ input 8 x 8 x 3 body conv(3, 8, pad = {word}) }}") == [
        "reserved-name"
    ]


@pytest.mark.parametrize(
    "clauses", ["repeat 2 then S = 1", "infer z", "infer s\ninfer z", "infer s\nrepeat 2 then stride = 1"]
)
def test_a_clause_that_sets_what_no_rule_uses_is_an_error(clauses: str) -> None:
    text = table("Operator | Output", "conv | 4x4", clauses=f'{clauses}\nread "conv" = conv(3, 8, s)')
    assert codes(text) == ["clause"]


@pytest.mark.parametrize("clause", ["repeat 3", 'read "x" = relu', 'columns "x": c', "infer s", "number i"])
def test_a_clause_that_reads_tables_wants_one(clause: str) -> None:
    assert codes(f"arch 1 network N {{ input 8 x 8 x 3 body relu {clause} }}") == ["clause"]


READINGS = """arch 1
reading a {{ {one} read "conv" = conv(3, c) }}
reading b {{ {other} read "pool" = maxpool(2) }}
network N {{
  input 8 x 8 x 3
  read as a
  read as b
  {own}
  table {{
    | Operator | c | n | m |
    | conv     | 8 | 2 | 3 |
    | pool     | - | 1 | 1 |
  }}
}}
"""


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ("repeat n", "repeat m", "clause"),
        ("default conv(bias = true)", "default conv(bias = false)", "repeated-argument"),
        ('columns "c": c', 'columns "c": note', "duplicate-name"),
    ],
)
def test_two_readings_do_not_say_one_thing_otherwise(one: str, other: str, code: str) -> None:
    assert codes(READINGS.format(one=one, other=other, own="")) == [code]
    assert set(codes(READINGS.format(one=one, other="", own=""))) <= {"unread-column"}


def test_a_network_decides_between_its_readings() -> None:
    assert kinds(READINGS.format(one="repeat n", other="repeat m", own="repeat 1")) == ["conv", "maxpool"]


def test_two_variables_are_not_inferred_in_one_row() -> None:
    text = table(
        "Operator | Output", "conv | 4x4", clauses='infer s\ninfer d\nread "conv" = conv(3, 8, s, dilation = d)'
    )
    assert codes(text) == ["clause"]


def test_what_a_claim_does_not_decide_is_not_inferred() -> None:
    assert codes(table("Operator | Output", "conv | 8x8", clauses='infer c\nread "conv" = conv(3, c)')) == ["unsolved"]
    assert codes(table("Operator | Output", "conv | 8x8x2", clauses='infer c\nread "conv" = conv(3, c)')) == []


@pytest.mark.parametrize(
    "init", ["conv = xavier_uniform, conv = normal(0.1)", '"{a}" = normal(0.1), "{b}" = normal(0.2)']
)
def test_weights_begin_with_one_thing(init: str) -> None:
    assert codes(f"arch 1 network N {{ input 8 x 8 x 3 body conv(3, 8) init {init} }}") in (
        ["repeated-argument"],
        ["clause"],
    )


def test_two_headers_that_a_clause_means_are_an_error() -> None:
    text = table(
        "Operator | 1x | 1 ×",
        "conv | 8 | 16",
        clauses='columns "{d}x": c\nread "conv" = conv(1, c)',
        parameters="d = 1",
    )
    assert "duplicate-name" in codes(text)
