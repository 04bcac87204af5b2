"""Large specs, by kind: each of a size, so that twice the size can be compared with it."""

from collections.abc import Callable, Iterator, Sequence

DIALECTS = ("markdown", "pipes", "columns", "tabs", "csv", "html", "latex")
Row = Sequence[str]


def written(dialect: str, rows: Sequence[Row]) -> str:
    """Rows of cells, the headers first, as a table in one of `DIALECTS`."""
    header, *body = rows
    match dialect:
        case "markdown":
            lines = [f"| {' | '.join(row)} |" for row in rows]
            lines.insert(1, "|" + "---|" * len(header))
        case "pipes":
            lines = [" | ".join(row) for row in rows]
            lines.insert(1, "|".join(["---"] * len(header)))
        case "columns":
            widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
            lines = ["".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        case "tabs":
            lines = ["\t".join(row) for row in rows]
        case "csv":
            lines = [",".join(row) for row in rows]
        case "html":
            lines = ["<table>", "<tr>" + "".join(f"<th>{cell}</th>" for cell in header) + "</tr>"]
            lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body]
            lines += ["</table>"]
        case "latex":
            lines = [f"\\begin{{tabular}}{{{'l' * len(header)}}}", "\\hline"]
            lines += [" & ".join(row) + " \\\\" for row in rows]
            lines.insert(3, "\\hline")
            lines += ["\\hline", "\\end{tabular}"]
        case _:
            raise ValueError(dialect)
    return "\n".join(lines) + "\n"


def rows(count: int, used: int) -> Iterator[Row]:
    """Headers, and rows of which the first ones are read and the others are left out."""
    yield "Input", "Operator", "c", "n"
    for number in range(count):
        yield "8x8x4", "relu", str(number % 97 + 1), "1" if number < used else "0"


def table(dialect: str, count: int, used: int) -> str:
    body = written(dialect, list(rows(count, used)))
    return f'arch 1\nnetwork N {{\n  table {{\n{body}  }}\n  repeat n\n  read "relu" = relu\n}}\n'


def network(body: str = "relu", clauses: str = "", before: str = "", header: str = "N") -> str:
    return f"arch 1\n{before}network {header} {{\n  input 8 x 8 x 4\n{clauses}  body {body}\n}}\n"


def lines(text: str, count: int) -> str:
    return "".join(text.format(i) + "\n" for i in range(count))


def listed(text: str, count: int, between: str = ", ") -> str:
    return between.join(text.format(i) for i in range(count))


def tabled(rows: Sequence[Row], clauses: str, before: str = "", header: str = "N") -> str:
    body = written("markdown", rows)
    return f"arch 1\n{before}network {header} {{\n  input 8 x 8 x 4\n  table {{\n{body}  }}\n{clauses}\n}}\n"


def convolutions(count: int) -> list[Row]:
    return [("Operator", "c", "Params"), *(("conv", "4", "16") for _ in range(count))]


def keys(count: int) -> str:
    return " ".join(f"'conv.weight' = 'a{i}'" for i in range(count))


def patterned(count: int) -> str:
    return ", ".join(f'"c{i}": "{{a{i}}}x{{b{i}}}"' for i in range(count))


def errata(count: int) -> str:
    return "".join(f'erratum "row {i + 1}, Params" = "16" because "a"\n' for i in range(count))


CONV = 'read "conv" = conv(1, c)\n'
KINDS: dict[str, tuple[int, Callable[[int], str]]] = {
    "blocks": (1000, lambda n: network("b0", before=lines("block b{0} = relu", n))),
    "blocks that are used": (500, lambda n: network(listed("b{0}", n, " -> "), before=lines("block b{0} = relu", n))),
    "blocks of parameters": (
        100,
        lambda n: network(
            f"b({listed('p{0} = 2', n)})", before=f"block b({listed('p{0} = 1', n)}) = dropout(p0 / 9)\n"
        ),
    ),
    "functions": (1000, lambda n: network("dropout(f0() / 9)", before=lines("def f{0}() = {0}", n))),
    "networks": (150, lambda n: "arch 1\n" + lines("network N{0} {{ input 8 x 8 x 4 body relu }}", n)),
    "parameters": (200, lambda n: network(header=f"N({listed('p{0} = {0}', n)})")),
    "variants": (600, lambda n: network(header="N(k = 1)") + lines("variant v{0} = N(k = {0})", n)),
    "readings": (500, lambda n: network(before=lines('reading r{0} {{ read "x" = relu }}', n))),
    "steps": (1000, lambda n: network(listed("relu", n, " -> "))),
    "branches": (500, lambda n: network(f"( {listed('relu', n, ' | ')} ) -> add")),
    "skips": (300, lambda n: network(f"{listed('relu as a{0}', n, ' -> ')} -> ( {listed('@a{0}', n, ' | ')} ) -> add")),
    "passes": (2000, lambda n: network(f"relu * {n}")),
    "bodies": (500, lambda n: network(clauses="  body relu\n" * n)),
    "outputs": (300, lambda n: network(clauses=lines("  output o{0} = relu", n))),
    "sums": (2000, lambda n: network(f"dropout(({'0+' * n}1) / 9)")),
    "products": (2000, lambda n: network(f"dropout({'1*' * n}0.5)")),
    "conditions": (1000, lambda n: network(f"relu if {'true and ' * n}true")),
    "comments": (5000, lambda n: network(clauses="  # a comment\n" * n)),
    "comments in a row": (5000, lambda n: "arch 1\n" + "# " * n + "\n" + network()[7:]),
    "blank lines": (20_000, lambda n: "arch 1\n" + "\n" * n + network()[7:]),
    "a long string": (20_000, lambda n: network(clauses=f'  title "{"a" * n}"\n')),
    "cites": (1000, lambda n: network(clauses='  cite "a"\n' * n)),
    "checks": (500, lambda n: network(clauses="  check params = 0\n" * n)),
    "checks that are wrong": (500, lambda n: network(clauses="  check params = 1\n" * n)),
    "checks with parameters": (150, lambda n: network(clauses=lines("  check (k = {0}) params = 0", n), header="N(k)")),
    "inits of paths": (500, lambda n: network("conv(1, 4)", clauses="  init 'conv' = normal(0.1)\n" * n)),
    "inits of many paths": (
        500,
        lambda n: network(listed("conv(1, 4) as c{0}", n, " -> "), clauses="  init '{a}' = normal(0.1)\n"),
    ),
    "weights": (500, lambda n: network("conv(1, 4)", clauses=f"  weights t {keys(n)}\n")),
    "columns": (
        500,
        lambda n: tabled([("Operator", *(f"c{i}" for i in range(n))), ("relu", *["1"] * n)], 'read "relu" = relu'),
    ),
    "columns that are used": (
        300,
        lambda n: tabled(
            [("Operator", *(f"c{i}" for i in range(n))), ("relu", *["1"] * n)],
            f'read "relu" = dropout(({listed("c{0}", n, " + ")}) / 99999999)',
        ),
    ),
    "patterns of columns": (
        200,
        lambda n: tabled(
            [("Operator", *(f"c{i}" for i in range(n))), ("relu", *["1x1"] * n)],
            f'columns {patterned(n)} read "relu" = relu',
        ),
    ),
    "patterns of a column": (
        300,
        lambda n: tabled(
            [("Operator", "c"), *[("relu", "1x1")] * 9],
            f'columns "c": {listed(chr(34) + "a{0}{{a}}" + chr(34), n, " or ")} or "{{a}}x{{b}}" read "relu" = relu',
        ),
    ),
    "rows": (2000, lambda n: tabled(convolutions(n), CONV)),
    "rows of which a cell is unread": (
        2000,
        lambda n: tabled([("Operator", "c"), ("conv", "4"), *[("relu", "4")] * n], CONV + 'read "relu" = relu'),
    ),
    "rows with blank cells": (
        1000,
        lambda n: tabled([("Operator", *"abcdefghij"), *[("relu", *[""] * 10)] * n], 'read "relu" = relu'),
    ),
    "rows of dittos": (1000, lambda n: tabled([("Operator", "c"), ("conv", "4"), *[('"', '"')] * n], CONV)),
    "rows with a wrong claim": (500, lambda n: tabled([*convolutions(1), *[("conv", "4", "17")] * n], CONV)),
    "rows that nothing reads": (500, lambda n: tabled([*convolutions(1), *[("cony", "4", "16")] * n], CONV)),
    "rows of other operators that nothing reads": (
        500,
        lambda n: tabled([*convolutions(1), *[(f"cony{i}", "4", "16") for i in range(n)]], CONV),
    ),
    "ragged rows": (1000, lambda n: tabled([*convolutions(1), *[("conv", "4")] * n], CONV)),
    "cells that are wrong": (500, lambda n: tabled([*convolutions(1), *[("conv", "4", "many")] * n], CONV)),
    "inferred strides": (
        500,
        lambda n: tabled([("Input", "Operator"), *[("8x8x4", "conv")] * n], 'infer s\nread "conv" = maxpool(1, s)'),
    ),
    "rules": (500, lambda n: tabled([("Operator", "c"), *[("conv", "4")] * 9], CONV + lines('read "r{0}" = relu', n))),
    "rules that are used": (
        200,
        lambda n: tabled([("Operator",), *[(f"r{i}",) for i in range(n)]], lines('read "r{0}" = relu', n)),
    ),
    "errata": (
        300,
        lambda n: tabled(
            [*convolutions(0), *[("conv", "4", "17")] * n],
            CONV + errata(n),
        ),
    ),
    "errata that mend nothing": (
        300,
        lambda n: tabled(
            convolutions(n),
            CONV + errata(n),
        ),
    ),
    "tables": (
        300,
        lambda n: (
            "arch 1\nnetwork N {\n  input 8 x 8 x 4\n"
            + f"  table {{\n{written('markdown', convolutions(1))}  }}\n" * n
            + CONV
            + "}\n"
        ),
    ),
    "uses that are unknown": (200, lambda n: network(before=lines('use "./a{0}"', n))),
    "operators that are unknown": (
        200,
        lambda n: network("b0", before=lines("block b{0} = konw{0}", n)),
    ),
    "operators that are unknown among blocks": (
        300,
        lambda n: network("b0", before=lines("block b{0} = konw{0}", n // 5) + lines("block konv_{0} = relu", n)),
    ),
    "names that are unknown": (
        300,
        lambda n: network(
            f"dropout({listed('parametre{0}', n, ' + ')})", header=f"N({listed('parameter_{0} = 0', n)})"
        ),
    ),
    "arguments that are unknown": (200, lambda n: network("b0", before=lines("block b{0} = conv(kernle{0} = 1)", n))),
    "names declared twice": (500, lambda n: network("b", before="block b = relu\n" * n)),
    "steps that are wrong": (300, lambda n: network("b0", before=lines("block b{0} = conv(1)", n))),
    "networks that are wrong": (
        100,
        lambda n: "arch 1\n" + lines("network N{0} {{ input 8 x 8 x 4 body conv(1) }}", n),
    ),
    "variants that are wrong": (200, lambda n: network(header="N(k = 1)") + lines("variant v{0} = N(j{0} = {0})", n)),
    "rows of different shapes": (
        200,
        lambda n: tabled([("Input", "Operator", "c"), *[("8x8x5", "conv", "4")] * n], CONV),
    ),
}
