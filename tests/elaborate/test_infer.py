"""`infer`: strides that a paper does not print."""

import archspec
from archspec.ops import Conv

TABLE = """arch 1
{blocks}
network N(r = 32) {{
  input r x r x 3
  infer s
  table {{
    | Input | Operator | c |
    | 32²   | conv     | 4 |
    | 16²   | conv     | 8 |
    | 16²   | conv     | 8 |
    | 8²    | pool     | - |
  }}
  read "conv" = {rule}
       "pool" = global_avgpool
}}
"""


def strides(text: str, **values: int) -> list[object]:
    return [node.op.stride for node in archspec.parse(text).elaborate(**values).nodes if isinstance(node.op, Conv)]


def test_the_input_of_the_next_row_decides_where_no_output_is_printed() -> None:
    assert strides(TABLE.format(blocks="", rule="conv(3, c, s)")) == [2, 1, 2]


def test_another_image_has_the_same_strides() -> None:
    """At 33 pixels no cell holds any more."""
    assert strides(TABLE.format(blocks="", rule="conv(3, c, s)"), r=33) == [2, 1, 2]


def test_a_value_that_a_block_refuses_is_passed_over() -> None:
    text = """arch 1
    block half(c, s) : h x w x k -> h//2 x w//2 x c = conv(3, c, s)
    network N {
      infer s
      table {
        | Input  | Operator | c |
        | 32²×3  | half     | 4 |
        | 16²×4  | conv     | 8 |
        | 16²×8  | pool     | - |
      }
      read "half" = half(c, s)
           "conv" = conv(3, c, s)
           "pool" = global_avgpool
    }
    """
    assert strides(text) == [2, 1]


def test_every_bundled_network_takes_other_images() -> None:
    """Strides that were solved at the paper's size hold at others, and nothing is claimed of them."""
    for name, sides in {"resnet50": (97, 131), "efficientnet_b0": (97, 131), "densenet121": (75, 75)}.items():
        graph = archspec.load(name).elaborate(sides)
        assert graph.input.shape == (*sides, 3)
        assert graph.stats().params == archspec.load(name).elaborate().stats().params
