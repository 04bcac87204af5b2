"""`default`: arguments for all operators of a kind, of one network."""

import pytest

import archspec
from archspec.ops import AnyOp

FILE = """arch 1
block unit(c) = conv(3, c) -> bn -> relu
reading r(eps = 0.25) { default bn(eps = eps, momentum = 0.5) read "unit" = unit(4) }
network A(eps = 0.5) { input 8 x 8 x 3 default bn(eps = eps) body unit(4) -> bn(eps = 0.125) }
network B { input 8 x 8 x 3 default conv(bias = true), bn(scale = false) body unit(4) }
network C { input 8 x 8 x 3 body unit(4) }
network D {
  input 8 x 8 x 3
  table {
    | Operator | n |
    |----------|---|
    | unit     | 1 |
  }
  read as r(eps = 0.75)
  default bn(momentum = 0.375)
}
variant a = A(eps = 0.0625)
"""


def ops(member: str, kind: str) -> list[AnyOp]:
    return [node.op for node in archspec.parse(FILE).member(member).elaborate().nodes if node.op.kind == kind]


def test_operators_within_blocks_take_it_and_what_they_say_themselves_goes_before() -> None:
    assert [op.eps for op in ops("A", "bn")] == [0.5, 0.125]
    assert [op.eps for op in ops("a", "bn")] == [0.0625, 0.125]


def test_networks_of_one_file_have_their_own() -> None:
    spec = archspec.parse(FILE)
    graphs = [spec.member(name).elaborate() for name in ("A", "B", "C", "A")]
    found = [[(op.eps, op.scale) for node in graph.nodes if (op := node.op).kind == "bn"] for graph in graphs]
    assert found == [[(0.5, True), (0.125, True)], [(1e-5, False)], [(1e-5, True)], [(0.5, True), (0.125, True)]]
    assert [op.bias for name in "BC" for op in ops(name, "conv")] == [True, False]


def test_a_network_goes_before_its_reading() -> None:
    (op,) = ops("D", "bn")
    assert (op.eps, op.momentum) == (0.75, 0.375)


@pytest.mark.parametrize(
    ("clause", "code"),
    [
        ("default conv(8)", "unknown-argument"),
        ("default conv(channels = 8)", "unknown-argument"),
        ("default batchnorm(eps = 1)", "unknown-operator"),
        ("default bn(eps = 1, eps = 2)", "repeated-argument"),
        ("default bn(eps = 1) default bn(eps = 2)", "repeated-argument"),
        ("default bn(momentum = 3)", "bad-argument"),
        ("default bn(eps = nothing)", "unknown-name"),
    ],
)
def test_mistakes(clause: str, code: str) -> None:
    found = archspec.parse(f"arch 1 network N {{ input 8 x 8 x 3 {clause} body conv(3, 4) -> bn }}").check()
    assert code in {diagnostic.code for diagnostic in found}


def test_it_is_printed_as_it_is_read() -> None:
    text = "arch 1\nnetwork N {\n  input 8 x 8 x 3\n  default bn(eps = 1e-3), conv(pad = same_upper)\n  body bn\n}\n"
    assert archspec.format(text) == text
