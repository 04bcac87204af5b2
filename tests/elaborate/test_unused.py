"""What a spec has and nobody uses: said by `check` alone, never of what something may use with other parameters."""

import time
from pathlib import Path

import pytest

import archspec
from archspec import driver, library
from archspec.cli.commands import run
from archspec.limits import DEFAULT_LIMITS

TABLE = "table {\n| Operator | c | s |\n|---|---|---|\n| conv 3x3 | 8 | 2 |\n| pool | k | 1 |\n}\n"


def found(text: str) -> list[tuple[str, str]]:
    """The codes of what nobody uses, and the texts at their places."""
    return [(one.code.removeprefix("unused-"), one.primary.text) for one in archspec.parse(f"arch 1\n{text}").unused()]


def of_network(clauses: str, before: str = "", parameters: str = "k = 10") -> list[tuple[str, str]]:
    return found(f"{before}\nnetwork N({parameters}) {{ input 8 x 8 x 3\n{clauses}\n}}")


@pytest.mark.parametrize("path", library.shared_names())
def test_the_library_has_nothing_that_nobody_uses(path: str) -> None:
    source = library.shared(path)
    assert source is not None
    assert driver.read(source, Path(), None, DEFAULT_LIMITS).unused() == []


@pytest.mark.parametrize("name", library.specs())
def test_the_zoo_has_nothing_that_nobody_uses(name: str) -> None:
    assert driver.read(library.spec(name), Path(), None, DEFAULT_LIMITS).unused() == []


def test_a_file_without_a_network_is_there_for_others_but_its_parameters_are_its_own() -> None:
    text = 'def f(a, b) = a\nblock u(c, d) = conv(1, c)\nreading r(q) { columns "X": y read "x" = relu as z -> relu }'
    assert found(text) == [("parameter", "b"), ("parameter", "d"), ("parameter", "q")]


def test_what_one_network_of_a_file_uses_is_used() -> None:
    reading = 'reading r { columns "c": d, "s": s\nread "conv 3x3" = conv(3, 8, s)\n"pool" = maxpool(2)\n"bn" = bn }\n'
    one = f"network A {{ input 8 x 8 x 3 read as r {TABLE.replace('k', '9')} }}\n"
    other = one.replace("A {", "B {").replace("pool", "bn").replace("read as", 'read "bn" = conv(1, d) read as')
    assert found(reading + one) == [("column", '"c"'), ("rule", '"bn"')]
    assert found(reading + one + other.replace('read "bn" = conv(1, d) ', "")) == [("column", '"c"')]
    assert found(reading + one + other) == [("rule", '"bn"')]  # the network's own goes before it


@pytest.mark.parametrize(
    "clauses",
    [
        "body conv(1, k)",
        "read \"conv {f}x{f}\" = conv(f, c, s) \"pool\" = conv(1, c)\n" + TABLE,
        'read "{w}" = conv(1, 8)\ntable {\n| Operator | Output |\n|---|---|\n| conv | 8x8x(k - 2) |\n}',
        'columns "{k}": c\nread "conv" = conv(1, c)\ntable {\n| Operator | 10 |\n|---|---|\n| conv | 4 |\n}',
        'read "conv {f}" = conv(1, f)\ntable {\n| Operator |\n|---|\n| conv k |\n}',
        'read "conv" = conv(1, c)\nerratum "row 1, c" = "k" because "1"\n'
        'table {\n| Operator | c |\n|---|---|\n| conv | 9 |\n}',
        "body conv(1, 8)\nweights w \"conv\" = \"{k}\"",
        "body conv(1, 8)\ndefault bn(eps = 1/k)",
        "body conv(1, 8)\ninit conv = normal(1/k)",
    ],
    ids=["body", "cell", "claim", "header", "hole", "erratum", "weights", "default", "init"],
)  # fmt: skip
def test_whatever_names_a_parameter_uses_it(clauses: str) -> None:
    assert ("parameter", "k") not in of_network(clauses)


@pytest.mark.parametrize("giving", ["check (k = 3) params = 32", "output o = conv(1, 2) as k -> relu"])
def test_what_gives_a_name_to_something_is_no_use_of_a_parameter(giving: str) -> None:
    assert of_network(f"body conv(1, 8)\n{giving}") == [("parameter", "k")]


def test_a_hole_of_a_path_hides_a_parameter_of_its_name() -> None:
    clauses = 'body conv(1, 8) * 2\nweights w "conv_{k}" = "conv.{k}"'
    assert of_network(clauses) == [("parameter", "k")]


def test_a_block_that_a_cell_names_is_used() -> None:
    table = "table {\n| Operator | NL |\n|---|---|\n| conv | swishy |\n}"
    blocks = "block swishy = silu\nblock apply(what) = what"
    assert of_network(f'{table} read "conv" = conv(1, 8) -> apply(NL)', blocks, "") == []


def test_the_word_of_an_operator_cell_is_no_use_of_a_block() -> None:
    table = "table {\n| Operator |\n|---|\n| unit |\n}"
    assert of_network(f'{table} read "unit" = conv(1, 8)', "block unit = relu", "") == [("block", "unit")]


def test_a_parameter_hides_a_block_of_a_file_that_is_used() -> None:
    assert found('use "blocks/fire"\nnetwork N(fire = relu) { input 8 x 8 x 3 body conv(1, 8) -> fire }') == [
        ("file", 'use "blocks/fire"')
    ]


def test_a_rule_that_a_guard_may_leave_a_row_to_is_used() -> None:
    rules = '"conv {f}x{f}" = conv(f, c, s)\n"conv 3x3" when s == 1 = conv(3, c)\n"pool" = conv(1, c, s)'
    assert of_network(f"{TABLE} read {rules}") == []


def test_a_rule_for_what_an_erratum_says_is_used() -> None:
    table = "table {\n| Operator | params |\n|---|---|\n| conv | 80 |\n}"
    rules = 'read "conv" = conv(1, 8)\n"conv 3" = conv(3, 8)'
    assert of_network(f'{table} {rules} erratum "row 1, operator" = "conv 3" because "80 = 9·8"', "", "") == []


def test_a_column_that_another_choice_reads_is_not_reported() -> None:
    table = "table {\n| a conv | b conv | c | d |\n|---|---|---|---|\n| one | two | 4 | 2 |\n}"
    clauses = f'columns "{{which}} conv": operator\n{table} read "one" = conv(1, c)\n"two" = conv(2, d)'
    assert of_network(clauses, "", 'which in {"a", "b"} = "a"') == []


def test_a_rule_for_weights_that_a_variant_or_a_flag_has_is_used() -> None:
    weights = 'weights w\n"conv" = "a"\n"bn" = "b"\n"top/linear" = "c"\n"gone" = "d"'
    body = "body conv(1, 8) -> bn if norm\noutput top = (global_avgpool -> flatten -> linear(2)) if aux"
    text = f"network N(norm = false, aux = false) {{ input 8 x 8 x 3\n{body}\n{weights} }}\nvariant v = N(norm = true)"
    assert found(text) == [("rule", '"gone"')]


def test_what_is_quiet_is_quiet_with_what_it_uses() -> None:
    text = "# unused: ok, for the exercise\nblock old = part\nblock part = relu\nblock part2 = relu\nblock _o = part2"
    assert of_network("body conv(1, k)", text) == []


def test_a_comment_at_the_end_of_a_line_is_not_for_the_next() -> None:
    text = "block one = relu  # unused: ok\nblock two = relu"
    assert of_network("body conv(1, k)", text) == [("block", "two")]


def test_a_text_in_a_string_is_no_comment() -> None:
    text = "body conv(1, 8)\ntitle '# unused: ok'  network M(b = 1) { input 8 x 8 x 3 body relu }"
    assert found(f"network N {{ input 8 x 8 x 3 {text.replace('network M', '} network M')}") == [("parameter", "b")]


def test_only_check_says_it_and_strict_minds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "n.arch"
    file.write_text("arch 1\nnetwork N(z = 1) { input 8 x 8 x 3 body conv(1, 8) check params = 24 }", encoding="utf-8")
    codes = [run(["check", str(file)]), run(["check", str(file), "--strict"])]
    assert codes == [0, 1]
    assert capsys.readouterr().err.count("warning[unused-parameter]") == 2
    for command in ("stats", "graph", "source"):
        run([command, str(file)])
    assert "unused" not in capsys.readouterr().err


def test_nothing_is_said_where_something_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "n.arch"
    file.write_text("arch 1\nnetwork N(z = 1) { input 8 x 8 x 3 body conv(1, 8) check params = 25 }", encoding="utf-8")
    assert run(["check", str(file)]) == 1
    assert "unused" not in capsys.readouterr().err


def test_the_time_grows_as_the_text() -> None:
    def seconds(n: int) -> float:
        names = "\n".join(f"block b{i}(c, d = {i}) = conv(1, c) -> relu as t{i} -> relu" for i in range(n))
        calls = " -> ".join(f"b{i}(4, d = 1)" for i in range(0, n, 2))
        rows = "".join(f"| conv | {i} | k |\n" for i in range(10 * n))
        table = "table {\n| Operator | a | c |\n|---|---|---|\n" + rows + "}"
        spec = archspec.parse(
            f'arch 1\n{names}\nnetwork N(k = 8) {{ input 8 x 8 x 3\nread "conv" = conv(1, c)\n{table} body {calls} }}'
        )
        start = time.process_time()
        assert len(spec.unused()) == n + n // 2 + 1
        return time.process_time() - start

    seconds(10)
    # the least of three: a collection of all that the other tests keep may fall into one
    small, large = (min(seconds(n) for _ in range(3)) for n in (150, 600))
    assert large < 10 * max(small, 0.02)
