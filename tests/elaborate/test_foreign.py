"""Names of other programs and papers: what a message says to write instead is right, and no spelling is proposed."""

import re

import pytest

import archspec
from archspec import foreign, library
from archspec.diagnostics import nearest
from archspec.elaborate.calls import attributes
from archspec.elaborate.errors import UnknownArgument, UnknownFunction, UnknownName, UnknownOperator
from archspec.elaborate.functions import FUNCTIONS
from archspec.foreign import Entry, Kind, folded
from archspec.initializer import INITIALIZERS
from archspec.lsp.fixes import fixes
from archspec.ops import OPERATORS, WORDS
from archspec.source import Source, Span

NUMBERS = {
    "kernel": 3, "channels": 16, "stride": 1, "size": 4, "groups": 4, "dilation": 2, "rate": 0.1, "scale": 2,
    "slope": 0.2, "parts": 2, "start": 0, "stop": 8, "h": 8, "w": 8, "t": 6, "m": 4, "std": 0.1, "bound": 0.1,
}  # fmt: skip
"""What the names stand for that advice leaves to the reader."""
HERE = Span(Source("<text>", ""), 0, 0)


def written(kind: Kind) -> list[Entry]:
    return [entry for entry in foreign.entries()[kind] if entry.write is not None]


def elaborated(body: str, entry: Entry | None = None, clauses: str = "") -> archspec.Graph:
    use = f'use "{entry.use}"\n' if entry and entry.use else ""
    values = ", ".join(f"{name} = {value}" for name, value in NUMBERS.items())
    return archspec.parse(f"arch 1\n{use}network N({values}) {{ input 8 x 8 x 16 body {body} {clauses} }}").elaborate()


def names(kind: Kind) -> list[str]:
    return [name for entry in foreign.entries()[kind] for name in entry.names]


def test_the_table_knows_the_layers_of_the_frameworks() -> None:
    assert len({folded(name) for name in names("step")}) >= 500


@pytest.mark.parametrize("kind", ["step", "argument", "value", "function", "distribution", "file"])
def test_every_entry_says_one_thing(kind: Kind) -> None:
    for entry in foreign.entries()[kind]:
        assert (entry.write is None) != (entry.absent is None), entry
        assert entry.advice
        assert not entry.advice.endswith(".")


@pytest.mark.parametrize("kind", ["step", "value", "function", "distribution", "file"])
def test_a_name_has_one_meaning(kind: Kind) -> None:
    found = [folded(name) for entry in foreign.entries()[kind] for name in {folded(n): n for n in entry.names}.values()]
    assert sorted(found) == sorted(set(found))


@pytest.mark.parametrize("entry", written("step"), ids=lambda entry: entry.names[0])
def test_what_is_said_to_write_is_a_network(entry: Entry) -> None:
    body = (entry.write or "").replace("…", "relu")
    assert len(elaborated(f"relu -> {body}", entry).nodes) >= 2 + (entry.write != "id")


@pytest.mark.parametrize("entry", written("function"), ids=lambda entry: entry.names[0])
def test_what_is_said_to_compute_is_a_number(entry: Entry) -> None:
    parameters = "a = 6.5, b = 2, v = 3"
    spec = archspec.parse(
        f"arch 1\ndef f({parameters}) = {entry.write}\nnetwork N {{ input 8 x 8 x 3 body relu if f() > 0 }}"
    )
    assert len(spec.elaborate().nodes) == 2


@pytest.mark.parametrize("entry", written("distribution"), ids=lambda entry: entry.names[0])
def test_what_is_said_to_begin_with_is_a_distribution(entry: Entry) -> None:
    assert elaborated("conv(3, 8)", clauses=f"init conv = {entry.write}").init["conv"].kind == entry.name


def test_what_is_said_to_give_is_an_argument_of_an_operator_that_lacks_the_foreign_one() -> None:
    for entry in written("argument"):
        having = [op for op in OPERATORS.values() if entry.write in attributes(op)]
        assert having, entry
        for name in entry.names:
            assert any(name not in attributes(op) for op in having), (name, entry.write)


def test_what_is_said_to_be_a_value_is_a_word_of_an_attribute() -> None:
    assert {entry.write for entry in written("value")} <= WORDS


OPERATORS_AND_BLOCKS = (*OPERATORS, "id")


@pytest.mark.parametrize("name", names("step"))
def test_no_spelling_is_proposed_for_a_name_of_the_table(name: str) -> None:
    """Except the operator's own name in other letters: `Add`, `ReLU_6`."""
    entry = foreign.meaning("step", name)
    near = nearest(name, OPERATORS_AND_BLOCKS)
    said = UnknownOperator(HERE, name, OPERATORS_AND_BLOCKS).help or ""
    assert entry is not None
    proposed = re.match("did you mean `(.*)`", said)
    assert entry.advice in said or (proposed and folded(proposed[1]) == folded(name)), said
    assert near is None or near == entry.name or entry.advice in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sparsemax", "not in the language"), ("deconv", "transposed"), ("lstm", "recurrent"),
        ("global_maxpool", "`maxpool(h x w, pad = valid)`"), ("swish", "here it is `silu`"),
        ("nn.SiLU", "`silu`"), ("tf.keras.layers.Conv2D", "`conv(kernel, channels, stride)`"),
        ("F.hardswish", "`hardswish`"), ("layers.Dense", "`linear(channels)`"),
        ("BatchNormalization", "momentum in Keras is 1 minus"), ("squeeze_excite", '`use "blocks/squeeze_excite"`'),
        ("SELayer", '`use "blocks/squeeze_excite"`'), ("Botleneck", "did you mean `bottleneck`?"),
        ("dense", "`linear(channels)`"), ("dense", '`use "blocks/densenet"`'), ("Dense", "to get one vector"),
        ("rellu", "did you mean `relu`?"),
        ("convv", "did you mean `conv`?"), ("dwcnov", "did you mean `dwconv`?"), ("ReLU6", "`relu6`"),
    ],
)  # fmt: skip
def test_an_unknown_operator_is_answered(name: str, said: str) -> None:
    assert said in (UnknownOperator(HERE, name, OPERATORS_AND_BLOCKS).help or "")


@pytest.mark.parametrize("name", ["relu7", "bm", "conv9", "inception_d", "pixel_norm", "gobbledygook", "global_minpol"])
def test_another_function_is_not_proposed_as_a_spelling(name: str) -> None:
    known = (*OPERATORS_AND_BLOCKS, "inception_a", "inception_b")
    assert "did you mean" not in (UnknownOperator(HERE, name, known).help or "")


def test_a_name_of_the_file_itself_goes_before_one_of_another_program() -> None:
    assert UnknownOperator(HERE, "Swish", (*OPERATORS_AND_BLOCKS, "swish")).help == "did you mean `swish`?"


@pytest.mark.parametrize(
    ("operator", "name", "said"),
    [
        ("conv", "filters", "here it is `channels`"), ("conv", "kernel_size", "here it is `kernel`"),
        ("conv", "strides", "here it is `stride`"), ("conv", "padding", '"same" is `pad = same_upper`'),
        ("conv", "in_channels", "leave this argument out"), ("linear", "out_features", "here it is `channels`"),
        ("linear", "units", "here it is `channels`"), ("conv", "use_bias", "here it is `bias`"),
        ("leaky_relu", "negative_slope", "here it is `slope`"), ("leaky_relu", "alpha", "here it is `slope`"),
        ("bn", "epsilon", "here it is `eps`"), ("bn", "decay", "1 minus it"), ("dropout", "p", "here it is `rate`"),
        ("conv", "rate", "here it is `dilation`"), ("dropout", "keep_prob", "1 minus the probability of survival"),
        ("dwconv", "groups", "takes no groups"), ("maxpool", "pool_size", "here it is `kernel`"),
        ("upsample", "size", "not the size of the output"), ("conv", "kernal", "did you mean `kernel`?"),
    ],
)  # fmt: skip
def test_an_unknown_argument_of_an_operator_is_answered(operator: str, name: str, said: str) -> None:
    assert said in (UnknownArgument(HERE, operator, name, attributes(OPERATORS[operator])).help or "")


def test_the_arguments_of_a_block_are_its_own() -> None:
    assert UnknownArgument(HERE, "block", "act", ("c", "s")).help == "known here: `c`, `s`"


@pytest.mark.parametrize(
    ("name", "said"),
    [("sqrt", "`a ** 0.5`"), ("int", "`floor(a)`"), ("abs", "`max(a, -a)`"), ("log", "the functions are"),
     ("rond", "did you mean `round`?"), ("width", '`use "blocks/inverted_residual"`')],
)  # fmt: skip
def test_an_unknown_function_is_answered(name: str, said: str) -> None:
    assert said in (UnknownFunction(HERE, name, tuple(FUNCTIONS)).help or "")


@pytest.mark.parametrize("name", names("function"))
def test_no_function_is_proposed_as_the_spelling_of_another(name: str) -> None:
    proposed = re.match("did you mean `(.*)`", UnknownFunction(HERE, name, tuple(FUNCTIONS)).help or "")
    assert proposed is None or proposed[1] == "make_divisible"  # `_make_divisible`


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('conv(3, 8, pad = "SAME")', "here it is `same_upper`"), ("conv(3, 8, pad = SAME)", "here it is `same_upper`"),
        ("conv(3, 8, pad = VALID)", "here it is `valid`"), ('conv(3, 8, pad = "reflect")', "always zeros"),
        ("upsample(2, mode = bilinar)", "did you mean `bilinear`?"), ("upsample(2, mode = bicubic)", "the modes are"),
        ("upsample(2, mode = relu)", None), ("conv(3, 8 if A else 4)", 'a text needs quotes: "A"; known here: `h`'),
        ("conv(3, cin)", "the channels of a step's input have a name in a block"),
        ("nn.ReLU6()", "here it is `relu6`"), ("conv(3, math.sqrt(64))", "here it is `a ** 0.5`"),
        ("mine.own(3)", "names have no dots: `own`"),
    ],
)  # fmt: skip
def test_a_value_of_another_program_is_answered(body: str, said: str | None) -> None:
    with pytest.raises(archspec.SpecError) as error:
        archspec.parse(f"arch 1\nnetwork N(h = 8) {{ input 8 x 8 x 3 body {body} }}").elaborate()
    (found,) = error.value.diagnostics
    assert (found.help or "") == "" if said is None else said in (found.help or "")


def test_a_cell_that_stands_for_an_operator_is_answered_too() -> None:
    text = """arch 1
block apply(what) = what
network N {
  input 8 x 8 x 3
  table {
    | Operator | NL    |
    | conv     | swish |
  }
  read "conv" = apply(NL)
}"""
    with pytest.raises(archspec.SpecError) as error:
        archspec.parse(text).elaborate()
    assert [(d.code, d.help) for d in error.value.diagnostics] == [("unknown-operator", "here it is `silu`")]


@pytest.mark.parametrize(
    ("clause", "said"),
    [("init conv = he_normal", "`kaiming_normal(fan_in)`"), ("init conv = orthogonal", "not in the language"),
     ("init dense = normal(1)", "`linear(channels)`"), ("default BatchNorm2d(eps = 1)", "here it is `bn`"),
     ("read as mobilenet_v2", '`use "readings/mobilenet_v2"` declares it'), ("read as mobilenet_v9", "list readings")],
)  # fmt: skip
def test_a_clause_that_names_what_another_program_has_is_answered(clause: str, said: str) -> None:
    with pytest.raises(archspec.SpecError) as error:
        archspec.parse(f"arch 1\nnetwork N {{ input 8 x 8 x 3 body relu {clause} }}").elaborate()
    (found,) = error.value.diagnostics
    assert said in (found.help or "")


def test_an_unknown_name_among_distributions_is_a_distribution() -> None:
    assert UnknownName(HERE, "xavier", tuple(INITIALIZERS)).help == "here it is `xavier_uniform`"


@pytest.mark.parametrize(
    ("body", "titles"),
    [("swish", ["Change to `silu`"]), ("Swish(1)", []), ("PReLU", []), ("rellu", ["Change to `relu`"]),
     ("conv(3, filters = 8)", ["Change to `channels`"]), ("dropout(keep_prob = 0.5)", []),
     ("fire(1, 2, 3)", ['Use "blocks/fire"']), ("nn.ReLU6", []), ('conv(3, 8, pad = "VALID")', ["Change to `valid`"])],
)  # fmt: skip
def test_an_editor_offers_a_name_only_where_it_means_the_same(body: str, titles: list[str]) -> None:
    with pytest.raises(archspec.SpecError) as error:
        archspec.parse(f"arch 1\nnetwork N {{ input 8 x 8 x 3 body {body} }}").elaborate()
    assert [fix.title for found in error.value.diagnostics for fix in fixes(found)][: len(titles) + 1] == titles


def test_what_comes_with_archspec_is_found_in_its_text() -> None:
    assert library.declarations()["cbr"] == ("blocks/inverted_residual",)
    assert library.declarations()["mobilenet_v2"] == ("readings/mobilenet_v2",)
