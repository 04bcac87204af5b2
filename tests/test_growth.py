"""Twice the spec takes about twice the work, whatever there is twice of it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from growing import DIALECTS, KINDS, table

import archspec
from archspec.cli.check import checked
from archspec.elaborate.rows import RowReader
from archspec.limits import Limits
from archspec.pasting.tables import tables_in
from archspec.source import Source
from archspec.syntax.parser import words_and_marks

LIMITS = Limits(tokens=10**6)
MOST = 2.6
"""What twice the spec may take, in times."""
BRIEF = 0.15
"""Seconds below which nothing is compared."""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_words_within_a_table_are_not_counted(dialect: str) -> None:
    assert words_and_marks(table(dialect, 500, 1)) < 40


def test_words_below_a_table_that_nobody_closes_are_counted() -> None:
    assert words_and_marks("table {\n" * 1000) == 1000
    assert words_and_marks("table {\n a b c\n" + " d e" * 1000) > 2000


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_table_of_any_form_is_read_whole(dialect: str) -> None:
    graph = archspec.parse(table(dialect, 30, 20)).elaborate()
    assert len(graph.nodes) == 21


def test_an_erratum_is_judged_by_the_rows_around_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read: list[int] = []
    row = RowReader.row
    monkeypatch.setattr(RowReader, "row", lambda self, *given: read.append(1) or row(self, *given))
    file = tmp_path / "a.arch"
    counts = []
    for number in (40, 80):
        read.clear()
        file.write_text(KINDS["errata"][1](number), "utf-8")
        assert checked(str(file), LIMITS).found == []
        counts.append(len(read))
    assert counts[1] < MOST * counts[0]


def test_of_many_rows_that_are_not_read_a_message_names_a_few() -> None:
    text = KINDS["rows of which a cell is unread"][1](100)
    spec = archspec.parse(text)
    (found, *_) = [one for one in spec.check() if one.code == "unread-cell"]
    assert "and 80 more" in found.message


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_twice_the_spec_takes_about_twice_the_time(kind: str, tmp_path: Path) -> None:
    size, text = KINDS[kind]
    file = tmp_path / "a.arch"
    taken = []
    for number in (2 * size, 4 * size):
        file.write_text(text(number), "utf-8")
        taken.append(min(seconds(file) for _ in range(3)))
    assert taken[1] < BRIEF or taken[1] < MOST * taken[0]


BEGINNINGS = (
    "<!--", "<!-- -- >", "<td", "<td ", "<td a='", '<td a="', "<td><td x=", "</", "</td", "<?", "<!", "<!>", "<![",
    "<![if[>", "<![CDATA[", "<![CDATA[>", "&#", "&#;", "&a", "<script>", "<script></", "<title>",
    "<math alttext='", "<sup>", "<", "<1",
)  # fmt: skip
"""Of markup that nothing ends, or that something far away does."""
ENDS = "", ">", "'>", '">', ";", "-->", "]]>", "</table>"


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("begun", BEGINNINGS)
def test_twice_the_markup_takes_about_twice_the_time(begun: str, end: str) -> None:
    taken = []
    for number in (20_000, 40_000):
        source = Source("page.html", "<table><tr><td>" + begun * number + end)
        spent = []
        for _ in range(3):
            started = time.thread_time()
            tables_in(source)
            spent.append(time.thread_time() - started)
        taken.append(min(spent))
    assert taken[1] < BRIEF or taken[1] < MOST * taken[0]


def seconds(file: Path) -> float:
    """Of the processor, in a process of its own that has imported everything."""
    done = subprocess.run([sys.executable, __file__, str(file)], capture_output=True, check=True, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    archspec.parse("arch 1 network N { input 8 x 8 x 4 body relu }").elaborate()
    began = time.process_time()
    checked(sys.argv[1], LIMITS)
    print(time.process_time() - began)
