"""What networks, blocks, expressions and files mean: one fact for each test, in a text that a user might write."""

from pathlib import Path
from typing import Any

import pytest
from elaborate.texts import ARCH, codes, files, graph, kinds, net, params, paths, shape, table, wrong

import archspec
from archspec import SpecError

# ---- the five forms ----


def test_a_sequence_hands_each_step_what_the_one_before_gave() -> None:
    assert shape(net("conv(3, 8, 2) -> conv(1, 5)")) == (4, 4, 5)


def test_every_branch_of_a_fork_is_given_the_same() -> None:
    first, second, join = graph(net("(relu | tanh) -> add")).nodes[1:]
    assert first.inputs == second.inputs == ("input",)
    assert join.inputs == ("relu", "tanh")


def test_a_false_branch_of_a_fork_is_absent() -> None:
    assert shape(net("(relu | tanh if false | silu) -> concat")) == (8, 8, 8)


def test_a_join_of_one_branch_is_that_branch() -> None:
    assert kinds(net("(relu | id if false) -> add")) == ["relu"]


def test_id_as_a_branch_is_the_input_itself() -> None:
    assert graph(net("(relu | id) -> add")).output.inputs == ("relu", "input")


@pytest.mark.parametrize("join", ["add", "concat", "mul"])
def test_a_join_without_a_fork_is_refused(join: str) -> None:
    with pytest.raises(archspec.SpecError, match="nothing-to-join"):
        archspec.parse(net(f"relu -> {join}")).elaborate()


def test_a_false_if_in_a_sequence_is_the_identity() -> None:
    assert kinds(net("relu -> conv(1, 3) if false -> tanh")) == ["relu", "tanh"]


def test_a_false_if_takes_its_else() -> None:
    assert kinds(net("relu if k > 10 else tanh")) == ["tanh"]


def test_what_stands_after_else_is_not_repeated() -> None:
    assert kinds(net("relu * 3 if false else tanh")) == ["tanh"]


def test_none_counts_as_false() -> None:
    assert kinds(net("b -> tanh", before="block b(act = none) = relu if act")) == ["tanh"]


def test_a_repeat_grows_as_its_passes_do() -> None:
    grow = "block grow : h x w x c -> h x w x c + 3 = (id | conv(1, 3)) -> concat"
    assert shape(net("grow * 5", before=grow)) == (8, 8, 19)


def test_a_repeat_of_strides_shrinks_the_map() -> None:
    assert shape(net("conv(3, 4, 2) * 3")) == (1, 1, 4)


def test_a_repeat_of_none_is_the_identity() -> None:
    assert kinds(net("relu * 0 -> tanh")) == ["tanh"]


def test_a_whole_number_may_have_come_from_a_division() -> None:
    assert kinds(net("relu * (4 / 2)")) == ["relu", "relu"]


def test_an_identity_repeated_a_milliard_times_is_nothing() -> None:
    assert kinds(net("id * 1_000_000_000 -> relu")) == ["relu"]


def test_a_named_tensor_is_taken_up_again() -> None:
    nodes = graph(net("conv(1, 3) as early -> relu -> (id | @early) -> concat"))
    assert nodes.output.inputs == ("relu", "early")


def test_a_tensor_named_in_a_row_is_seen_in_the_rows_after_it() -> None:
    text = table("Operator | c", "stem | 4", "join | -", clauses='read "stem" = conv(1, c) as m -> relu\n'
                 '"join" = (id | @m) -> add')  # fmt: skip
    assert graph(text).output.inputs == ("row_1/relu", "row_1/m")


def test_a_tensor_named_in_a_block_is_not_seen_outside() -> None:
    assert codes(net("b -> (@m | id) -> add", before="block b = relu as m -> tanh")) == ["unknown-name"]


def test_a_tensor_named_outside_is_not_seen_in_a_block() -> None:
    assert codes(net("relu as m -> b", before="block b = (@m | id) -> add")) == ["unknown-name"]


def test_a_tensor_named_in_a_pass_is_seen_in_that_pass() -> None:
    assert len(kinds(net("(relu as m -> tanh -> (id | @m) -> add) * 2"))) == 6


def test_a_step_that_leads_to_no_output_is_an_error() -> None:
    assert codes(net("relu as a -> tanh -> @a")) == ["dead-step"]


def test_a_named_step_that_an_output_takes_up_is_not_dead() -> None:
    assert codes(net("relu as a -> tanh as b -> @a output more = @b")) == []


# ---- split, shuffle, fork ----


def test_a_split_gives_each_branch_its_own_part() -> None:
    nodes = graph(net("split(2) -> (relu | id) -> concat"))
    assert nodes.output.inputs == ("relu", "split_2")
    assert nodes.by_path["split_2"].op.index == 1


def test_a_split_joined_at_once_is_put_together_again() -> None:
    assert shape(net("split(4) -> concat")) == (8, 8, 4)


def test_the_parts_of_a_split_may_be_split_again() -> None:
    assert shape(net("split(2) -> (split(2) -> (relu | tanh) -> add | id) -> concat")) == (8, 8, 3)


def test_a_block_may_begin_with_the_join_of_the_fork_before_it() -> None:
    assert kinds(net("(relu | tanh) -> joined", before="block joined = add -> silu")) == ["relu", "tanh", "add", "silu"]


def test_a_block_may_end_with_a_fork() -> None:
    assert kinds(net("b -> add", before="block b = (relu | tanh)")) == ["relu", "tanh", "add"]


def test_a_fork_with_an_absent_branch_does_not_fit_a_split() -> None:
    assert codes(net("split(2) -> (relu if false | id) -> concat")) == ["wrong-branches"]


def test_a_shuffle_keeps_the_shape() -> None:
    assert shape(net("shuffle(2)")) == (8, 8, 4)


def test_squeeze_and_excitation_is_spread_over_the_map() -> None:
    se = "block se(r) : h x w x c -> h x w x c = (id | global_avgpool -> conv(1, c // r) -> conv(1, c)) -> mul"
    assert params(net("se(2)", before=se)) == 4 * 2 + 2 * 4


# ---- names and paths ----


@pytest.mark.parametrize(("t", "first"), [(1, "b/conv_2"), (6, "b/conv_1")])
def test_conv_2_stays_conv_2_when_a_condition_leaves_conv_1_out(t: int, first: str) -> None:
    block = "block b(t) = conv(1, 4 * t) if t != 1 -> conv(1, 4)"
    assert paths(net(f"b({t})", before=block))[0] == first
    assert paths(net(f"b({t})", before=block))[-1] == "b/conv_2"


def test_a_step_that_stands_alone_has_no_number() -> None:
    assert paths(net("conv(1, 4) -> relu")) == ["conv", "relu"]


def test_as_names_a_step() -> None:
    assert paths(net("conv(1, 4) as stem -> conv(1, 4)")) == ["stem", "conv"]


def test_as_around_a_group_is_a_scope() -> None:
    assert paths(net("(conv(1, 4) -> relu) as stem")) == ["stem/conv", "stem/relu"]


def test_rows_are_scopes_and_a_row_of_nothing_has_none() -> None:
    text = table("Operator", "a", "nothing", "a", clauses='read "a" = relu "nothing" = id')
    assert paths(text) == ["row_1/relu", "row_3/relu"]


def test_rows_are_numbered_through_all_tables() -> None:
    one = "table {\n| Operator |\n| a |\n}\n"
    text = f'{ARCH}network N {{ input 4 {one} {one} read "a" = relu }}'
    assert paths(text) == ["row_1/relu", "row_2/relu"]


def test_the_passes_of_a_block_are_numbered() -> None:
    assert paths(net("b * 2", before="block b = relu")) == ["b_1/relu", "b_2/relu"]


def test_the_passes_of_a_group_are_scopes() -> None:
    assert paths(net("(relu -> tanh) * 2")) == ["repeat_1/relu", "repeat_1/tanh", "repeat_2/relu", "repeat_2/tanh"]


def test_a_single_pass_has_its_number_too() -> None:
    block = "block b = relu"
    assert paths(net("b * k", before=block), k=1) == paths(net("b * k", before=block), k=2)[:1]


def test_a_step_that_a_parameter_names_is_called_as_the_parameter() -> None:
    assert paths(net("b(relu)", before="block b(act) = act")) == ["b/act"]


def test_an_output_is_a_scope_of_its_name() -> None:
    found = graph(net("relu as a -> tanh output aux = @a -> silu"))
    assert found.outputs == {"output": "tanh", "aux": "aux/silu"}


# ---- auxiliary outputs ----

HEADS = net(
    "conv(3, 8) as early -> relu output aux = (@early -> flatten -> linear(k)) if heads",
    parameters="k = 10, heads = true",
)


def test_an_auxiliary_output_counts() -> None:
    assert params(HEADS) == 9 * 4 * 8 + 8 * 8 * 8 * 10 + 10


def test_an_auxiliary_output_whose_condition_is_false_is_absent() -> None:
    assert graph(HEADS, heads=False).outputs == {"output": "relu"}


def test_an_auxiliary_output_begins_with_the_networks_own() -> None:
    assert graph(net("relu output more = tanh")).by_path["more/tanh"].inputs == ("relu",)


def test_an_output_of_training_is_marked_and_counts_as_others_do() -> None:
    text = HEADS.replace("if heads", "if heads in training")
    assert graph(text).training == ("aux",)
    assert params(text) == params(HEADS)
    assert graph(HEADS).training == graph(text, heads=False).training == ()


def test_training_and_in_are_names_like_others() -> None:
    text = net(
        "training -> in output training = in output in = training in training",
        before="block in = relu block training = tanh",
    )
    found = graph(text)
    assert found.outputs == {"output": "in/relu", "training": "training_/in/relu", "in": "in_/training/tanh"}
    assert found.training == ("in",)


# ---- words as parameters ----


def test_a_parameter_may_name_an_operator() -> None:
    assert kinds(net("b(hardswish)", before="block b(act) = act")) == ["hardswish"]


def test_a_parameter_may_name_a_block() -> None:
    assert kinds(net("b(twice)", before="block b(act) = act\nblock twice = relu -> relu")) == ["relu", "relu"]


def test_id_as_a_word_is_no_step_at_all() -> None:
    assert kinds(net("relu -> b(id)", before="block b(act) = act")) == ["relu"]


def test_a_word_is_given_its_arguments_where_it_is_a_step() -> None:
    assert shape(net("b(maxpool) -> b(avgpool)", before="block b(pool) = pool(2)")) == (2, 2, 4)


def test_a_word_may_be_a_join() -> None:
    assert kinds(net("b(mul)", before="block b(join) = (relu | tanh) -> join"))[-1] == "mul"


def test_a_word_equals_the_text_of_its_letters() -> None:
    assert kinds(net("b(relu)", before='block b(act) = act if act == "relu"')) == ["relu"]


def test_a_word_passes_from_block_to_block() -> None:
    assert kinds(net("outer(silu)", before="block inner(act) = act\nblock outer(f) = inner(f)")) == ["silu"]


def test_a_parameter_of_a_network_names_an_operator_from_the_outside() -> None:
    assert kinds(net("act", parameters="act = relu"), act="gelu") == ["gelu"]


def test_an_unknown_operator_from_the_outside_is_an_error() -> None:
    assert codes(net("act", parameters="act = relu"), act="gelo") == ["unknown-operator"]


def test_an_activation_may_stand_in_a_column() -> None:
    text = table("Operator | NL", "act | hardswish", "act | relu", clauses='read "act" = apply(NL)')
    assert kinds(text + "block apply(f) = f") == ["hardswish", "relu"]


@pytest.mark.parametrize("order", ["one -> two", "two -> one"])
def test_blocks_of_one_name_in_two_files_stay_two_when_a_third_applies_them(tmp_path: Path, order: str) -> None:
    folder = files(
        tmp_path,
        shared="block apply(f) = f",
        a='use "./shared"\nblock act = relu\nblock one = apply(act)',
        b='use "./shared"\nblock act = sigmoid\nblock two = apply(act)',
        main=f'use "./a"\nuse "./b"\nnetwork N {{ input 4 body {order} }}',
    )
    found = [node.op.kind for node in archspec.load(folder / "main.arch").elaborate().nodes[1:]]
    assert found == (["relu", "sigmoid"] if order == "one -> two" else ["sigmoid", "relu"])


# ---- expressions ----


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a**2", 9), ("2**a", 8), ("2 ** 3 ** 2", 512), ("-a ** 2 + 10", 1), ("a ** -1 * 6", 2),
        ("7 // 2", 3), ("-7 // 2 + 5", 1), ("-7 % 3", 2), ("7 / 2 * 2", 7), ("2 + 3 * 4", 14), ("(2 + 3) * 4", 20),
        ("round(2.5)", 2), ("round(7 / 2)", 4), ("ceil(2.1)", 3), ("floor(2.9)", 2), ("min(3, 4, 5)", 3),
        ("max(a, 4)", 4), ("make_divisible(12, 8)", 16), ("make_divisible(11, 8)", 16), ("make_divisible(3, 8)", 8),
        ("make_divisible(3, 8, 4)", 4), ("0.5 * 64", 32), ("1_000 // 100", 10), (".5 * 4", 2), ("1e1", 10),
        ("a if a > 2 else 1", 3), ("1 if not a == 3 or false else 5", 5), ("1 if a != 3 and true else 6", 6),
    ],
)  # fmt: skip
def test_an_expression_has_its_value(expression: str, value: int) -> None:
    assert shape(net("conv(1, f(3))", before=f"def f(a) = {expression}")) == (8, 8, value)


def test_only_the_side_of_a_condition_that_is_asked_for_is_computed() -> None:
    assert shape(net("conv(1, f(0))", before="def f(a) = 1 / a if a != 0 else 7")) == (8, 8, 7)


def test_a_default_may_use_the_parameters_before_it() -> None:
    assert shape(net("b(3)", before="block b(c, d = 2 * c) = conv(1, d)")) == (8, 8, 6)


def test_an_extent_is_height_by_width() -> None:
    assert shape(net("conv(1x3, 4, 2x1, pad = valid)")) == (4, 6, 4)


# ---- parameters ----

REQUIRED = (
    f"{ARCH}network G(k) {{ input 4 body linear(k) check params = 15 }}\nvariant three = G(k = 3)\nvariant four = G(4)"
)


def test_a_parameter_without_a_default_must_be_given() -> None:
    assert codes(REQUIRED, member="G") == ["missing-argument"]


def test_a_parameter_without_a_default_may_be_given() -> None:
    assert shape(REQUIRED, member="G", k=3) == (3,)


def test_a_network_that_cannot_stand_alone_claims_nothing() -> None:
    assert archspec.parse(REQUIRED, member="G").check() == []


def test_a_variant_of_it_is_checked() -> None:
    assert archspec.parse(REQUIRED, member="three").check() == []
    assert codes(REQUIRED, member="four") == ["number-claim"]


@pytest.mark.parametrize("value", [2.5, "3", True, None, 10**400, float("nan")])
def test_a_parameter_has_the_type_of_its_default(value: Any) -> None:
    assert codes(net("conv(1, k)"), k=value) == ["bad-parameter"]


def test_a_whole_float_is_a_whole_number() -> None:
    assert shape(net("conv(1, k)"), k=7.0) == (8, 8, 7)


def test_a_choice_has_its_first_as_default() -> None:
    assert shape(net("conv(1, d)", parameters="d in {6, 5}")) == (8, 8, 6)


def test_a_choice_may_have_another_default() -> None:
    assert shape(net("conv(1, d)", parameters="d in {6, 5} = 5")) == (8, 8, 5)


def test_a_choice_takes_nothing_else() -> None:
    assert codes(net("conv(1, d)", parameters="d in {6, 5}"), d=7) == ["bad-parameter"]


def test_the_input_may_depend_on_a_parameter() -> None:
    assert shape(net("conv(3, 4, 2)", entry="r x r x 3", parameters="r = 224"), r=33) == (17, 17, 4)


def test_keywords_go_before_the_arguments_of_a_variant() -> None:
    text = net("conv(1, k)") + "variant v = N(k = 3)"
    assert graph(text, member="v").output.shape[-1] == 3
    assert graph(text, member="v", k=4).output.shape[-1] == 4


def test_a_variants_graph_has_the_variants_name() -> None:
    assert graph(net("conv(1, k)") + "variant v = N(k = 3)", member="v").name == "v"


# ---- whom an error blames ----


def test_a_number_computed_from_one_cell_is_blamed_on_that_cell() -> None:
    block = "block b(t) : h x w x k -> h x w x t*k = conv(1, t*k)"
    (found,) = wrong(table("Operator | t", "b | 0", clauses='read "b" = b(t)') + block)
    assert (found.code, found.primary.text) == ("bad-argument", "0")


def test_a_cell_is_blamed_through_blocks_and_defs() -> None:
    blocks = "def half(c) = c / 2\nblock inner(c) = conv(1, c)\nblock outer(c) = inner(half(c))"
    (found,) = wrong(table("Operator | c", "b | 7", clauses='read "b" = outer(c)') + blocks)
    assert (found.code, found.primary.text) == ("bad-argument", "7")


def test_the_stack_says_through_what_an_operator_was_asked_for() -> None:
    blocks = "block inner(c) = conv(9, c, pad = valid)\nblock outer(c) = relu -> inner(2 * c)"
    (found,) = wrong(table("Operator | c", "b | 7", clauses='read "b" = outer(c) * 2') + blocks)
    assert [frame.label for frame in found.stack] == ["row 1", "pass 1 of 2", "outer(7)", "inner(14)"]


def test_an_error_in_a_bundled_block_stands_where_the_reader_can_mend_it() -> None:
    (found,) = wrong(net("relu -> bottleneck(1, 4, 1) -> flatten -> bottleneck(1, 4, 1)",
                         before='use "blocks/inverted_residual"'))  # fmt: skip
    assert found.primary.source.bundled
    assert (found.site.source.name, found.site.text) == ("<text>", "bottleneck(1, 4, 1)")


def test_an_argument_handed_to_a_bundled_block_is_blamed_itself() -> None:
    (found,) = wrong(net("bottleneck(6, 0, 1)", before='use "blocks/inverted_residual"'))
    assert (found.code, found.site.text) == ("bad-argument", "0")


def test_a_row_that_fails_does_not_hide_the_mistakes_after_it() -> None:
    rows = ("Input | Operator | c", "8x8x4 | cnv | 4", "8x8x4 | conv | 5", "8x8x5 | cov | 5")
    assert codes(table(*rows)) == ["unread-operator", "unread-operator"]


def test_mistakes_of_names_are_all_found_in_branches_not_taken_too() -> None:
    assert codes(net("foo if false -> conv(1, q) if false -> conv(1)")) == [
        "unknown-operator", "unknown-name", "missing-argument",
    ]  # fmt: skip


# ---- signatures ----


def test_a_signature_names_the_sides_of_the_input() -> None:
    block = "block turned : h x w x c -> w x h x c = global_avgpool -> upsample(w x h)"
    assert shape(net("turned", "6 x 8 x 4", before=block)) == (8, 6, 4)


def test_a_side_that_a_signature_computes_must_hold() -> None:
    block = "block b(r) : h x w x 2*r -> h x w x r = conv(1, r)"
    assert shape(net("b(2)", before=block)) == (8, 8, 2)
    assert codes(net("b(3)", before=block)) == ["signature-mismatch"]


def test_a_parameter_in_a_signature_must_be_that_side() -> None:
    block = "block square(h) : h x h x c -> h x h x c = relu"
    assert codes(net("square(8)", before=block)) == []
    assert codes(net("square(7)", before=block)) == ["signature-mismatch"]


def test_one_name_twice_in_a_signature_is_one_size() -> None:
    block = "block square : n x n x c -> n x n x c = relu"
    assert codes(net("square", "4 x 5 x 3", before=block)) == ["signature-mismatch"]


def test_a_signature_of_one_side_is_that_of_a_vector() -> None:
    assert shape(net("b -> b", "6", before="block b : n -> 2*n = linear(2*n)")) == (24,)


def test_the_output_of_a_signature_is_checked() -> None:
    block = "block down(c) : h x w x k -> h//2 x w//2 x c = conv(3, c, 2)"
    assert shape(net("down(3)", before=block)) == (4, 4, 3)
    (found,) = wrong(net("down(3)", "7 x 7 x 3", before=block))
    assert found.message == "the output of `down` is 4×4×3, and its signature says 3×3×3"


# ---- paddings ----

# sizes worked out by hand: (input, kernel, stride, dilation) and the padding in the language
SIZES = [
    (8, "3, 4, 1, pad = same", 8),
    (8, "3, 4, 2, pad = same", 4),
    (7, "3, 4, 2, pad = same", 4),
    (7, "2, 4, 1, pad = same", 6),
    (8, "4, 4, 2, pad = same", 4),
    (7, "4, 4, 2, pad = same", 3),
    (8, "3, 4, 1, pad = same, dilation = 2", 8),
    (8, "3, 4, 3, pad = same_upper", 3),
    (7, "2, 4, 1, pad = same_upper", 7),
    (7, "4, 4, 2, pad = same_upper", 4),
    (7, "1, 4, 2, pad = same_upper", 4),
    (8, "3, 4, 1, pad = valid", 6),
    (8, "3, 4, 2, pad = valid", 3),
    (9, "3, 4, 2, pad = valid", 4),
    (8, "3, 4, 1, pad = valid, dilation = 3", 2),
    (8, "3, 4, 1, pad = 0", 6),
    (8, "3, 4, 1, pad = 2", 10),
    (8, "3, 4, 2, pad = 2", 5),
]


@pytest.mark.parametrize(("size", "arguments", "out"), SIZES)
def test_a_padding_gives_the_size_worked_out_by_hand(size: int, arguments: str, out: int) -> None:
    assert shape(net(f"conv({arguments})", f"{size} x {size} x 3")) == (out, out, 4)


@pytest.mark.parametrize(
    ("pad", "out"), [("1x2", (8, 10)), ("0x1x0x1", (7, 7)), ("1x0x2x0", (7, 8)), ("0", (6, 6)), ("3", (12, 12))]
)
def test_a_padding_in_numbers_is_vertical_by_horizontal_or_top_bottom_left_right(
    pad: str, out: tuple[int, int]
) -> None:
    assert shape(net(f"conv(3, 4, pad = {pad})")) == (*out, 4)


@pytest.mark.parametrize(
    ("pad", "sides"), [("same", (1, 1, 1, 1)), ("same_upper", (0, 1, 0, 1)), ("2x1", (2, 2, 1, 1))]
)
def test_the_odd_pixel_of_same_upper_is_at_the_bottom_and_right(pad: str, sides: tuple[int, ...]) -> None:
    op = graph(net(f"conv(3, 4, 2, pad = {pad})")).output.op
    found = op.padding(8, 8)
    assert (found.top, found.bottom, found.left, found.right) == sides


@pytest.mark.parametrize(
    ("size", "arguments", "floor", "ceil"),
    [
        (112, "3, 2, pad = 0", 55, 56),
        (111, "3, 2, pad = 0", 55, 55),
        (54, "3, 2, pad = 0", 26, 27),
        (7, "2, 2, pad = 0", 3, 4),
        (5, "2, 2, pad = 1", 3, 3),  # a fourth window would begin in the padding at the end
        (6, "3, 2, pad = 1", 3, 4),
        (6, "2, 3, pad = 0", 2, 2),
        (5, "1, 3, pad = 0", 2, 2),
    ],
)
def test_a_pooling_rounds_down_or_with_ceil_up(size: int, arguments: str, floor: int, ceil: int) -> None:
    entry = f"{size} x {size} x 3"
    assert shape(net(f"maxpool({arguments})", entry)) == (floor, floor, 3)
    assert shape(net(f"maxpool({arguments}, ceil = true)", entry)) == (ceil, ceil, 3)


def test_a_poolings_stride_is_its_kernel() -> None:
    assert shape(net("maxpool(2) -> avgpool(4)")) == (1, 1, 4)


def test_a_kernel_of_two_sizes_is_height_by_width() -> None:
    assert shape(net("conv(1x7, 4, pad = valid) -> conv(7x1, 5, pad = valid)")) == (2, 2, 5)


# ---- files and members ----


def test_a_file_sees_what_the_files_that_it_uses_declare(tmp_path: Path) -> None:
    folder = files(tmp_path, mine="block act = relu", main='use "./mine"\nnetwork N { input 4 body act }')
    assert archspec.load(folder / "main.arch").elaborate().output.op.kind == "relu"


def test_a_file_is_looked_up_beside_the_one_that_uses_it(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    files(tmp_path / "deep", inner="block act = tanh", outer='use "./inner"\nblock more = act')
    folder = files(tmp_path, main='use "./deep/outer.arch"\nnetwork N { input 4 body more }')
    assert archspec.load(folder / "main.arch").elaborate().output.op.kind == "tanh"


def test_a_file_above_is_found(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    files(tmp_path, mine="block act = relu")
    files(tmp_path / "deep", main='use "../mine"\nnetwork N { input 4 body act }')
    assert archspec.load(tmp_path / "deep" / "main.arch").elaborate().output.op.kind == "relu"


def test_use_makes_visible_what_a_file_declares_and_not_what_it_uses(tmp_path: Path) -> None:
    folder = files(tmp_path, a="block act = relu", b='use "./a"', main='use "./b"\nnetwork N { input 4 body act }')
    with pytest.raises(SpecError) as caught:
        archspec.load(folder / "main.arch")
    assert [d.code for d in caught.value.diagnostics] == ["unknown-operator"]


def test_a_files_own_name_goes_before_one_that_it_uses(tmp_path: Path) -> None:
    folder = files(tmp_path, a="block act = relu", main='use "./a"\nblock act = tanh\nnetwork N { input 4 body act }')
    assert archspec.load(folder / "main.arch").elaborate().output.op.kind == "tanh"


def test_a_block_sees_the_names_of_its_own_file(tmp_path: Path) -> None:
    folder = files(tmp_path, a="block act = relu\nblock b = act",
                   main='use "./a"\nblock act = tanh\nnetwork N { input 4 body b }')  # fmt: skip
    assert archspec.load(folder / "main.arch").elaborate().output.op.kind == "relu"


def test_a_file_used_twice_is_one_file(tmp_path: Path) -> None:
    folder = files(tmp_path, a="block act = relu",
                   main='use "./a"\nuse "./a"\nuse "./a.arch"\nnetwork N { input 4 body act }')  # fmt: skip
    assert archspec.load(folder / "main.arch").elaborate().output.op.kind == "relu"


def test_files_may_use_each_other(tmp_path: Path) -> None:
    folder = files(
        tmp_path, a='use "./main"\nblock q = tanh', main='use "./a"\nblock p = q\nnetwork N { input 4 body p }'
    )
    assert archspec.load(folder / "main.arch").elaborate().output.op.kind == "tanh"


TWO = """arch 1
network A { input 4 body relu check params = 1 }
network B { input 4 body tanh check params = 2 }
variant C = B
"""


def test_a_file_of_several_networks_wants_a_choice() -> None:
    assert codes(TWO) == ["unknown-member"]


def test_a_member_is_chosen_after_a_colon(tmp_path: Path) -> None:
    (tmp_path / "two.arch").write_text(TWO.replace("= 1", "= 0").replace("= 2", "= 0"), encoding="utf-8")
    assert archspec.load(f"{tmp_path / 'two.arch'}:B").elaborate().output.op.kind == "tanh"
    assert archspec.load(f"{tmp_path / 'two.arch'}:C").elaborate().name == "C"


def test_check_all_checks_every_network_and_says_each_mistake_once() -> None:
    found = archspec.parse(TWO).check_all()
    assert [(d.code, d.primary.text) for d in found] == [("number-claim", "1"), ("number-claim", "2")]


def test_the_members_are_the_networks_and_variants_of_the_file() -> None:
    assert archspec.parse(TWO).members == ("A", "B", "C")


FEATURE_PYRAMID = """arch 1
network Pyramid {
  input 32 x 32 x 3
  body conv(3, 8, 2) as c3 -> conv(3, 16, 2) as c4 -> global_avgpool
  output p4 = @c4 -> conv(1, 8) as lateral
  output p3 = (@c3 -> conv(1, 8) | @lateral -> upsample(2)) -> add
}"""


def test_a_tensor_that_an_output_names_is_seen_by_the_outputs_after_it() -> None:
    made = archspec.parse(FEATURE_PYRAMID).elaborate()
    assert made.by_path["p3/upsample"].inputs == ("p4/lateral",)
    assert made.outputs["p3"] == "p3/add"


def test_a_tensor_that_an_output_names_is_not_seen_by_the_outputs_before_it() -> None:
    lines = FEATURE_PYRAMID.splitlines()
    lines[4], lines[5] = lines[5], lines[4]
    with pytest.raises(archspec.SpecError, match="nothing here is called `@lateral`"):
        archspec.parse("\n".join(lines)).elaborate()
