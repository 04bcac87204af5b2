"""What tables mean, and the rules, readings, errata and claims around them: one fact for each test."""

from typing import Any

import pytest
from elaborate.texts import ARCH, codes, graph, kinds, net, params, paths, shape, table, wrong

import archspec
from archspec import Graph, SpecError

# ---- quantities ----


@pytest.mark.parametrize(
    "claim",
    ["25,557,032", "25_557_032", "25.6M", "25.56M", "2.6×10^7", "2.56x10^{7}", "2.6 × 10⁷", "25557K", "26M ± 2%", "-"],
)
def test_a_cell_says_a_number_as_papers_print_it(claim: str) -> None:
    # 3 inputs and a bias: 4 · 6 389 258 = 25 557 032, the parameters of ResNet-50
    text = table("Operator | params", f"head | {claim}", clauses='read "head" = linear(6_389_258)', entry="3")
    assert codes(text) == []


@pytest.mark.parametrize(
    ("claim", "low", "high"),
    [
        ("1.8×10^3", 1750, 1850), ("1.8×10⁴", 17_500, 18_500), ("1.8*10^{4}", 17_500, 18_500),
        ("1.8 × 10^10", 17_500_000_000, 18_500_000_000), ("2×10^3", 1500, 2500), (".5K", 450, 550), ("3K", 2500, 3500),
        ("1.8G", 1_750_000_000, 1_850_000_000), ("1.8B", 1_750_000_000, 1_850_000_000), ("100 ± 5%", 95, 105),
        ("159K", 158_500, 159_500), ("12", 12, 12),
    ],
)  # fmt: skip
def test_a_claim_stands_for_all_that_round_to_it(claim: str, low: int, high: int) -> None:
    from archspec.elaborate.claims import interval
    from archspec.source import Source
    from archspec.syntax import parse_cell

    quantity = parse_cell("number_cell", Source("x", claim), 0, claim)
    assert interval(quantity) == (low, high)


@pytest.mark.parametrize("claim", ["16", "16.0", "0.016K", "0.02K", "1.6×10^1", "1.6*10¹", "17 ± 10%"])
def test_a_check_says_a_number_as_a_cell_does(claim: str) -> None:
    assert codes(net(f"conv(1, 4) check params = {claim}")) == []


@pytest.mark.parametrize("nothing", ["0", "0M", "0.00B", "0K", "0.0G", "0 ± 50%"])
def test_a_claim_of_nothing_holds_for_nothing_alone(nothing: str) -> None:
    something = table("Operator | params", f"conv | {nothing}", clauses='read "conv" = conv(1, 4)')
    assert [codes(something), codes(something.replace("conv(1, 4)", "relu"))] == [["number-claim"], []]
    check = net(f"conv(1, 4) check params = {nothing}, macs = {nothing}")
    assert codes(check) == ["number-claim", "number-claim"]


@pytest.mark.parametrize(("percent", "found"), [("99", []), ("100", ["vague-claim"]), ("1e9", ["vague-claim"])])
def test_a_claim_that_compares_nothing_is_refused(percent: str, found: list[str]) -> None:
    # 16 parameters, at the defaults and at others
    assert codes(net(f"conv(1, 4) check params = 20 ± {percent}%")) == found
    assert codes(table("Operator | params", f"a | 20 ± {percent}%", clauses='read "a" = conv(1, 4)')) == found
    text = f"{ARCH}network N(k = 1) {{ input 8 x 8 x 4 body conv(1, k) check (k = 4) params = 20 ± {percent}% }}"
    assert codes(text) == found


# ---- columns ----

FAMILY = table(
    "Output | 18-layer | 34-layer", "8x8 | same | same", "4x4 | pool | CELL",
    clauses='columns "{d}-layer": operator\nread "same" = relu "pool" = maxpool(2)', parameters="d in {18, 34}",
)  # fmt: skip


def test_a_parameter_picks_the_column_of_the_operators() -> None:
    text = table("a18 | a34", "relu | tanh", clauses='columns "a{d}": operator\nread "relu" = relu "tanh" = tanh',
                 parameters="d in {18, 34}")  # fmt: skip
    assert (kinds(text), kinds(text, d=34)) == (["relu"], ["tanh"])


def test_an_empty_cell_in_a_picked_column_leaves_the_row_out() -> None:
    text = table("A | B", "relu | relu", " | tanh", "- | silu", clauses='columns "{v}": operator\nread "relu" = relu '
                 '"tanh" = tanh "silu" = silu', parameters='v in {"A", "B"}')  # fmt: skip
    assert (paths(text), len(paths(text, v="B"))) == (["row_1/relu"], 3)


def test_a_wrong_claim_in_a_column_that_the_defaults_do_not_pick_is_found_by_check() -> None:
    assert codes(FAMILY.replace("CELL", "pool")) == []
    (found,) = wrong(FAMILY.replace("CELL", "same"))
    assert (found.code, found.primary.text) == ("shape-claim", "4x4")


def test_an_unread_operator_in_a_column_that_the_defaults_do_not_pick_is_found_by_check() -> None:
    assert codes(FAMILY.replace("CELL", "pol")) == ["unread-operator"]


def test_a_pattern_in_a_column_gives_its_holes() -> None:
    text = table(
        "Operator | size", "conv | 5×5/2", clauses='columns "size": "{f}x{f}/{s}"\nread "conv" = conv(f, 1, s)'
    )
    assert params(text) == 5 * 5 * 4
    assert shape(text) == (4, 4, 1)


def test_an_empty_cell_of_a_pattern_gives_none() -> None:
    text = table("Operator | size", "conv |", clauses='columns "size": "{f}x{f}"\nread "conv" = relu if f == none')
    assert kinds(text) == ["relu"]


def test_a_cell_that_its_pattern_does_not_match_is_an_error() -> None:
    text = table("Operator | size", "conv | 5×3", clauses='columns "size": "{f}x{f}"\nread "conv" = conv(f, 1)')
    assert codes(text) == ["no-pattern"]


DITTOS = ['"', "''", "”", "″", "〃", "ditto", "Ditto", '-"-', "-//-", '--"--', '- " -', "–″–", "as above", "idem"]


@pytest.mark.parametrize("ditto", DITTOS)
def test_a_ditto_mark_stands_for_the_cell_above(ditto: str) -> None:
    assert shape(table("Operator | c", "conv | 7", f"{ditto} | {ditto}")) == (8, 8, 7)


@pytest.mark.parametrize("ditto", DITTOS)
@pytest.mark.parametrize(
    "rows",
    [
        ("Operator | c", "conv | DITTO", "conv | 8"),
        ("Operator | c", "act | ", "conv | DITTO"),
        ("Operator | c", "DITTO | 8"),
        ("Operator | c | Output", "conv | 8 | DITTO"),
        ("Operator | c | Input", "conv | 8 | DITTO"),
        ("Operator | c | params", "conv | 8 | DITTO"),
        ("Operator | c | times", "conv | 8 | DITTO"),
        ("Operator | size", "conv | DITTO"),
    ],
    ids=["first", "below nothing", "operator", "output", "input", "params", "repeat", "pattern"],
)
def test_a_ditto_mark_with_nothing_above_is_refused_at_its_cell(rows: tuple[str, ...], ditto: str) -> None:
    columns = "".join(
        f'columns "{header}": {role}\n'
        for header, role in (("times", "repeat"), ("size", '"{c}/{s}"'))
        if header in rows[0]
    )
    found = wrong(
        table(*(row.replace("DITTO", ditto) for row in rows), clauses=f'{columns}read "act" = relu "conv" = conv(1, c)')
    )
    assert {(one.code, one.primary.text) for one in found} == {("nothing-above", ditto)}


def test_a_ditto_mark_below_a_dash_says_nothing_either() -> None:
    text = table(
        "Operator | c | s", "conv | 8 | -", 'conv | 8 | "', clauses='read "conv" = conv(1, 8 if s == none else c)'
    )
    assert codes(text) == []


def test_a_ditto_mark_with_nothing_above_stops_nobody_who_does_not_read_it() -> None:
    assert codes(table("Operator | remarks", 'act | "', clauses='read "act" = relu')) == []


def test_a_ditto_stands_for_a_ditto_above() -> None:
    assert params(table("Operator | c", "conv | 3", 'conv | "', 'conv | "')) == 12 + 9 + 9


def test_ticks_are_true_and_false() -> None:
    text = table("Operator | SE", "a | ✓", "a | ✗", clauses='read "a" = relu if SE else tanh')
    assert kinds(text) == ["relu", "tanh"]


def test_a_note_is_not_read() -> None:
    assert kinds(table("Operator | c | why", "conv | 3 | 1/0 is no number", clauses='columns "why": note\n'
                       'read "conv" = conv(1, c)')) == ["conv"]  # fmt: skip


def test_headers_are_compared_without_case_blanks_and_the_way_of_the_cross() -> None:
    text = table("OPERATOR | # 3x3 Reduce", "conv | 6", clauses='columns "#3×3 reduce": c\nread "conv" = conv(1, c)')
    assert shape(text) == (8, 8, 6)


def test_a_header_without_a_role_is_a_variable_of_its_letters() -> None:
    text = table("Operator | #3×3 reduce", "conv | 6", clauses='read "conv" = conv(1, _3_3_reduce)')
    assert shape(text) == (8, 8, 6)


def test_a_cell_may_be_an_expression_of_parameters() -> None:
    assert shape(table("Operator | c", "conv | 4*k")) == (8, 8, 40)


def test_a_cell_may_have_a_unit() -> None:
    assert shape(table("Operator | c", "conv | 1K")) == (8, 8, 1000)


@pytest.mark.parametrize(
    "cell",
    ["8²x4", "8^2x4", "8^{2}×4", "$8^2 \\times 4$", "8×8×4", "8X8X4", "8 * 8 * 4", "8x8", "8", "(2+6)²×4", "(k-2)²×4"],
)
def test_a_shape_is_read_as_papers_print_it(cell: str) -> None:
    assert codes(table("Input | Operator | c", f"{cell} | conv | 4")) == []


@pytest.mark.parametrize("cell", ["10", "1×1×10", "1x1xk"])
def test_a_vector_may_be_claimed_as_a_map_of_one_pixel(cell: str) -> None:
    text = table("Operator | Output", f"head | {cell}", clauses='read "head" = global_avgpool -> flatten -> linear(k)')
    assert codes(text) == []


def test_the_first_input_cell_states_the_input() -> None:
    assert graph(table("Input | Operator | c", "6²×3 | conv | 4", entry="")).input.shape == (6, 6, 3)


@pytest.mark.parametrize(
    ("header", "code"),
    [("Operator | Operator", "duplicate-name"), ("Operator | c | c", "duplicate-name"), ("c | d", "clause")],
)
def test_columns_of_one_meaning_and_a_table_without_operators_are_refused(header: str, code: str) -> None:
    row = " | ".join(["conv"] * len(header.split("|")))
    assert codes(table(header, row)) == [code]


def test_one_header_with_two_meanings_is_refused() -> None:
    assert codes(table("Operator | c", "conv | 1", clauses='columns "c": d, "c": e read "conv" = relu')) == [
        "duplicate-name"
    ]


@pytest.mark.parametrize(
    "clause", ['title "a" title "b"', "repeat 1 repeat 2", "input 4", "output o = relu output o = relu"]
)
def test_a_clause_that_says_one_thing_stands_once(clause: str) -> None:
    assert codes(net(f"relu {clause}")) == ["clause"]


# ---- rules ----


@pytest.mark.parametrize(
    "cell", ["conv 3×3, 8", "conv3x3,8", "conv 3 X 3 , 8", "$conv 3 \\times 3, 8$", "conv  3×3, 8"]
)
def test_a_pattern_matches_whatever_the_blanks_and_the_cross(cell: str) -> None:
    text = table("Operator", cell, clauses='read "conv {f}x{f}, {c}" = conv(f, c)')
    assert (params(text), shape(text)) == (9 * 4 * 8, (8, 8, 8))


@pytest.mark.parametrize("cell", ["Conv 3×3, 8", "conv 3×5, 8", "conv 3×3, 8 more", "conv 3×3"])
def test_a_pattern_matches_the_whole_cell_and_one_hole_takes_one_thing(cell: str) -> None:
    assert codes(table("Operator", cell, clauses='read "conv {f}x{f}, {c}" = conv(f, c)')) == ["unread-operator"]


def test_the_rule_with_more_letters_of_its_own_wins() -> None:
    assert kinds(table("Operator", "pool max", clauses='read "{a} max" = relu "pool {a}" = tanh')) == ["tanh"]


def test_of_equal_rules_the_guarded_one_wins_where_its_guard_holds() -> None:
    text = table("Operator | c", "a | 1", "a | 2", clauses='read "a" = relu "a" when c == 2 = tanh')
    assert kinds(text) == ["relu", "tanh"]


def test_of_equal_rules_the_networks_own_goes_before_a_readings() -> None:
    text = table("Operator", "a", clauses='read as r read "a" = tanh') + 'reading r { read "a" = relu }'
    assert kinds(text) == ["tanh"]


def test_a_rule_sees_height_and_width_of_its_input() -> None:
    assert shape(table("Operator", "pool", clauses='read "pool" = avgpool(h x w)')) == (1, 1, 4)


def test_a_row_is_repeated_and_its_first_pass_alone_has_the_stride() -> None:
    text = table("Operator | c | n | s", "conv | 4 | 3 | 2", clauses='repeat n then s = 1\nread "conv" = conv(3, c, s)')
    assert [node.shape[0] for node in graph(text).nodes[1:]] == [4, 4, 4]


def test_a_column_with_the_role_repeat_repeats() -> None:
    text = table("Operator | times", "a | 3", "a | -", clauses='columns "times": repeat\nread "a" = relu')
    assert len(kinds(text)) == 4


def test_a_repeat_may_be_computed() -> None:
    text = table("Operator | n", "a | 3", clauses='repeat ceil(n * 1.1)\nread "a" = relu')
    assert len(kinds(text)) == 4


def test_a_hole_repeats_the_rows_that_have_it() -> None:
    text = table("Operator", "a×3", "b", clauses='repeat n\nread "a×{n}" = relu "b" = tanh')
    assert kinds(text) == ["relu"] * 3 + ["tanh"]


def test_a_row_repeated_zero_times_is_left_out() -> None:
    assert kinds(table("Operator | n", "a | 0", "b | 1", clauses='repeat n\nread "a" = relu "b" = tanh')) == ["tanh"]


def test_infer_finds_the_smallest_stride_that_gives_the_claimed_size() -> None:
    text = table("Operator | Output", "a | 4x4", "a | 4x4", "a | 2x2", clauses='infer s\nread "a" = conv(3, 4, s)')
    assert [node.op.stride for node in graph(text).nodes[1:]] == [2, 1, 2]


def test_a_column_that_gives_the_variable_goes_before_infer() -> None:
    text = table("Operator | Output | s", "a | 4x4 | -", "a | 4x4 | 2", clauses='infer s\nread "a" = conv(3, 4, s)')
    assert codes(text) == ["shape-claim"]


def test_what_infer_cannot_solve_is_a_claim_that_fails() -> None:
    (found,) = wrong(table("Operator | Output", "a | 9x9", clauses='infer s\nread "a" = conv(3, 4, s)'))
    assert (found.code, found.primary.text) == ("shape-claim", "9x9")


# ---- readings ----

READING = """
def width(c, by) = make_divisible(by * c, 8)
reading mobile(alpha = 1.0, last) {
  repeat n then s = 1
  read "conv" = conv(3, width(c, alpha), s)
       "head" = global_avgpool -> flatten -> linear(last)
}
"""


def mobile(clause: str, **values: Any) -> Graph:
    rows = ("Operator | c | n | s", "conv | 16 | 2 | 2", "head | - | - | -")
    return graph(table(*rows, clauses=f"read as {clause}", parameters="a = 1.0") + READING, **values)


def test_a_reading_is_given_its_parameters() -> None:
    assert mobile("mobile(alpha = a, last = 5)", a=0.5).output.shape == (5,)


def test_a_reading_carries_its_repeat() -> None:
    assert [node.op.kind for node in mobile("mobile(last = 5)").nodes].count("conv") == 2


def test_a_reading_does_not_see_the_parameters_of_the_network() -> None:
    text = table("Operator", "a", clauses="read as r", parameters="q = 3") + 'reading r { read "a" = conv(1, q) }'
    assert codes(text) == ["unknown-name"]


def test_a_reading_wants_its_arguments() -> None:
    with pytest.raises(SpecError) as caught:
        mobile("mobile(a)")
    assert [d.code for d in caught.value.diagnostics] == ["missing-argument"]


def test_a_reading_may_build_on_another() -> None:
    more = 'reading base { read "a" = relu }\nreading more { read as base read "b" = tanh }'
    assert kinds(table("Operator", "a", "b", clauses="read as more") + more) == ["relu", "tanh"]


# ---- errata ----

MISPRINT = ("Operator | c | params", "conv | 5 | 20", "dwconv | 5 | 46")
RULES = 'read "conv" = conv(1, c) "dwconv" check c == 5 = dwconv(3)\n'
RIGHT = 'erratum "row 2, params" = "45" because "3·3·5"'


def misprint(clauses: str) -> str:
    return table(*MISPRINT, clauses=RULES + clauses)


def test_a_misprint_is_an_error() -> None:
    assert codes(misprint("")) == ["number-claim"]


@pytest.mark.parametrize("place", ["row 2, params", "row dwconv, params", "row DWConv, PARAMS", "row 2,params"])
def test_an_erratum_mends_the_cell_that_it_names(place: str) -> None:
    assert codes(misprint(f'erratum "{place}" = "45" because "3·3·5"')) == []


def test_an_erratum_that_mends_nothing_is_an_error() -> None:
    assert codes(misprint(RIGHT + 'erratum "row 1, params" = "20" because "it says so already"')) == ["stale-erratum"]


def test_an_erratum_that_is_itself_wrong_is_blamed_itself() -> None:
    (found,) = wrong(misprint('erratum "row 2, params" = "44" because "a slip"'))
    assert (found.code, found.primary.text) == ("number-claim", "44")


@pytest.mark.parametrize(
    "place", ["row 3, params", "row 0, params", "row 2", "row 2, macs", "params", "row 5, params", ""]
)
def test_an_erratum_of_no_place_is_an_error(place: str) -> None:
    assert codes(misprint(f'erratum "{place}" = "45" because "3·3·5"')) == ["unknown-place"]


def test_a_word_of_several_rows_is_no_place() -> None:
    (found,) = wrong(misprint('erratum "row 5, params" = "45" because "c is 5 twice"'))
    assert found.code == "unknown-place"


def test_two_errata_for_one_cell_are_an_error() -> None:
    assert codes(misprint(RIGHT + RIGHT)) == ["clause"]


def test_an_erratum_may_mend_an_operator() -> None:
    text = table(
        "Operator | c", "cnv | 5", clauses=RULES + 'erratum "row 1, operator" = "conv" because "a letter is lost"'
    )
    assert kinds(text) == ["conv"]


def two_tables(place: str) -> str:
    tables = "".join(
        f'table "{name}" {{\n| Operator | params |\n| conv | {says} |\n}}\n' for name, says in (("A", 4), ("B", 5))
    )
    rules = 'read "conv" = conv(1, 4 if h == 1 else 1)'
    return f'{ARCH}network N {{ input 2 x 2 x 4\n{tables}{rules}\nerratum "{place}" = "1" because "one" }}'


def test_an_erratum_of_a_named_table_counts_that_tables_rows() -> None:
    assert codes(two_tables("B, row 1, params")) == []


def test_without_a_name_rows_are_counted_through_all_tables() -> None:
    assert codes(two_tables("row 2, params")) == []


def test_a_table_that_nobody_named_is_no_place() -> None:
    assert codes(two_tables("C, row 1, params")) == ["unknown-place"]


# ---- checks and claims ----

WIDE = net("conv(1, k) check params = 40 check (k = 3) params = CLAIM, macs = 768")


def test_a_check_with_parameters_is_compared_by_check() -> None:
    assert (codes(WIDE.replace("CLAIM", "12")), codes(WIDE.replace("CLAIM", "13"))) == ([], ["number-claim"])


def test_a_check_with_parameters_is_not_compared_when_the_network_is_elaborated() -> None:
    assert shape(WIDE.replace("CLAIM", "13")) == (8, 8, 10)


def test_a_wrong_check_names_the_parameters_that_it_is_for() -> None:
    assert wrong(WIDE.replace("CLAIM", "13"))[0].message == "`N(k = 3)` has 12 params, and this says 13"


def test_a_check_of_a_parameter_that_nobody_has_is_an_error() -> None:
    assert codes(net("relu check (q = 3) params = 0")) == ["unknown-argument"]


CLAIM = table("Operator | params", "conv | CLAIM", clauses='read "conv" = conv(1, k)')


def test_a_claim_is_not_compared_at_other_parameters() -> None:
    assert shape(CLAIM.replace("CLAIM", "40"), k=3) == (8, 8, 3)


def test_a_claim_is_compared_at_the_defaults_first() -> None:
    with pytest.raises(SpecError) as caught:
        graph(CLAIM.replace("CLAIM", "12"), k=3)
    assert caught.value.diagnostics[0].message == "row 1 has 40 params, and this says 12"


def test_a_row_claims_all_its_repetitions_together() -> None:
    text = table("Operator | params | MACs | n", "conv | 48 | 3_072 | 3", clauses='repeat n\nread "conv" = conv(1, 4)')
    assert codes(text) == []


def test_a_number_that_no_rule_of_its_row_reads_is_a_warning() -> None:
    text = table("Operator | c", "conv | 4", "act | 5", clauses='read "conv" = conv(1, c) "act" = relu')
    (found,) = wrong(text)
    assert (found.code, found.severity, found.primary.text) == ("unread-cell", "warning", "5")


def test_a_column_that_nothing_reads_is_said_once() -> None:
    text = table("Operator | depth", "a | 4", clauses='read "a" = relu')
    assert codes(text) == []
    assert ("unused-column", "depth") in [(one.code, one.primary.text) for one in archspec.parse(text).unused()]


@pytest.mark.parametrize(
    ("headers", "clauses", "idle"),
    [
        ("Operator | n | times", 'columns "times": repeat\nread "conv" = conv(3, 8)', "n"),
        ("Operator | n | times", 'repeat times\nread "conv" = conv(3, 8)', "n"),
        ("Operator | n | times", 'columns "times": repeat\nrepeat n\nread "conv" = conv(3, 8)', "n"),
        ("Operator | n | times", 'read "conv" = conv(3, 8)', "times"),
        ("Operator | s | stride", 'read "conv" = conv(3, 8, s)', "stride"),
        ("Operator | c | #out", 'read "conv" = conv(3, c)', "#out"),
        ("Operator | k | kernel", 'columns "k": note\nread "conv" = conv(3, 8)', "kernel"),
        ("Operator | Output | Output size", 'columns "Output": note\nread "conv" = conv(3, 8)', "Output size"),
        ("Operator | Params | Params (M)", 'columns "Params": note\nread "conv" = conv(3, 8)', "Params (M)"),
    ],
)
def test_of_two_columns_for_one_thing_the_one_that_is_not_read_is_a_warning(
    headers: str, clauses: str, idle: str
) -> None:
    text = table(headers, "conv | 3 | 2", clauses=clauses)
    assert codes(text) == []
    assert ("unused-column", idle) in [(one.code, one.primary.text) for one in archspec.parse(text).unused()]


def test_what_repeat_infer_and_then_compute_with_is_read() -> None:
    text = table(
        "Operator | Output | least | most | m",
        "conv | 4×4 | 1 | 2 | 1",
        clauses='repeat (m) then s = least\ninfer s in {least, most}\nread "conv" = conv(3, 8, s)',
    )
    assert codes(text) == []
    assert "unused-column" not in [one.code for one in archspec.parse(text).unused()]


def test_a_rules_check_points_at_the_cell_that_it_reads() -> None:
    text = table("Operator | c", "pool 7x7 | 4", clauses='read "pool {a}x{a}" check a == h and c == 4 = global_avgpool')
    (found,) = wrong(text)
    assert (found.code, found.primary.text) == ("rule-check", "7")


def test_a_rules_check_is_not_compared_at_other_parameters() -> None:
    text = table("Operator | c", "conv | 10", clauses='read "conv" check c == k = conv(1, k)')
    assert shape(text, k=3) == (8, 8, 3)


@pytest.mark.parametrize(
    ("claim", "low", "high"), [("32.7K", 32_650, 32_750), ("0.3K", 250, 350), ("1.1M", 1_050_000, 1_150_000)]
)
def test_the_ends_of_what_a_number_stands_for_belong_to_it(claim: str, low: int, high: int) -> None:
    text = "arch 1 network N {{ input {} body linear(1, bias = false) check params = {} }}"
    holds = [archspec.parse(text.format(n, claim)).check() == [] for n in (low - 1, low, high, high + 1)]
    assert holds == [False, True, True, False]


# ---- what the Graph keeps of a row ----


def test_a_row_of_the_graph_says_what_the_table_prints_there() -> None:
    text = table(
        "Input | Operator | n | comment", "8x8x4 | conv 3x3 | 2 | the first",
        clauses='columns "n": repeat, "comment": note\nread "conv 3x3" = conv(3, 4)', entry="8x8x4",
    )  # fmt: skip
    (row,) = [scope for scope in graph(text).scopes if scope.kind == "row"]
    assert [(cell.header, cell.text, cell.role) for cell in row.cells] == [
        ("Input", "8x8x4", "input"), ("Operator", "conv 3x3", "operator"), ("n", "2", "repeat"),
    ]  # fmt: skip


def test_a_row_of_the_graph_has_its_errata_corrected_and_only_the_column_that_was_chosen() -> None:
    (mobilenet,) = [s for s in archspec.load("mobilenet_v2").elaborate().scopes if s.path == "row_4"]
    assert {cell.header: cell.text for cell in mobilenet.cells if cell.role != "input"} == {
        "Operator": "bottleneck", "t": "6", "c": "32", "n": "3", "s": "2",
    }  # fmt: skip
    rows = [scope for scope in graph(FAMILY.replace("CELL", "pool"), d=34).scopes if scope.kind == "row"]
    assert [[cell.text for cell in row.cells if cell.role == "operator"] for row in rows] == [["same"], ["pool"]]


def test_a_graph_with_the_cells_of_its_rows_survives_json() -> None:
    made = archspec.load("googlenet").elaborate()
    assert Graph.model_validate_json(made.model_dump_json()) == made
