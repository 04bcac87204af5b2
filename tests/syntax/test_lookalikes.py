"""Text that looks like other text: refused with its code point and what to write, or read as docs/language.md says."""

import pytest

import archspec
from archspec.diagnostics import Diagnostic
from archspec.lookalikes import LETTERS, called, lookalike, notes
from archspec.pasting import tables_in
from archspec.source import Source

NET = "arch 1\n\nnetwork N(k = 10) {{\n  input 8 x 8 x 4\n  {}\n}}\n"


def found_in(text: str) -> Diagnostic:
    with pytest.raises(archspec.SpecError) as raised:
        raise archspec.SpecError(archspec.parse(text).check_all())
    return raised.value.diagnostics[0]


def mended(text: str, found: Diagnostic) -> str:
    """The text with the edits of a diagnostic."""
    for edit in sorted(found.edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


WRITTEN = {
    "body c☞оnv(1, 4)": "body conv(1, 4)",
    "body rel☞υ": "body relu",
    "body ☞ｒｅｌｕ": "body relu",
    "body conv☞（1，４）": "body conv(1,4)",
    "body conv(1, ☞٣٢)": "body conv(1, 32)",
    "body conv(1, ☞𝟒)": "body conv(1, 4)",
    "body conv(1,☞\u00a04)": "body conv(1, 4)",
    "body conv(1,☞\u30004)": "body conv(1, 4)",
    "body re☞\u200blu": "body relu",
    "body re☞\u00adlu": "body relu",
    "body ☞\ufeffrelu": "body relu",
    "body re☞\x00lu": "body relu",
    "body relu ☞→ relu": "body relu -> relu",
    "body conv(1, 8 ☞− 4)": "body conv(1, 8 - 4)",
    "body relu title ☞“a b”": 'body relu title "a b"',
    "body relu title ☞‘a’": "body relu title 'a'",
    "body relu if k ☞≥ 4": "body relu if k >= 4",
    "body relu * (2 ☞∗ 2)": "body relu * (2 * 2)",
    "body ☞ﬁrst": "body first",
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_character_is_named_and_what_it_looks_like_is_suggested(written: str) -> None:
    before, _, after = written.partition("☞")
    text = NET.format(before + after)
    found = found_in(text)
    assert (found.code, found.primary.start) == ("unknown-character", text.index(before) + len(before))
    assert called(after[0]) in found.message
    assert f"U+{ord(after[0]):04X}" in found.message
    assert mended(text, found) == NET.format(WRITTEN[written])


@pytest.mark.parametrize(
    "written", ["body relu ★", "body conv(1, k²)", "body 東京", "body relu\u2028", "body relu\v", "body —"]
)
def test_nothing_is_suggested_where_nothing_is_read_further(written: str) -> None:
    found = found_in(NET.format(written))
    assert (found.code, found.suggestions) == ("unknown-character", ())
    assert found.help


READ = {
    "a title of another script": 'body relu title "Сеть 東京 שלום"',
    "a comment of another script": "body relu # Сеть\u200c\u200d ﬁ \u00a0 “x”",
    "signs of a paper": "body relu check params = 0 ±1%",
}


@pytest.mark.parametrize("what", READ)
def test_texts_hold_any_script(what: str) -> None:
    assert archspec.parse(NET.format(READ[what])).elaborate().name == "N"


@pytest.mark.parametrize("where", ["# {}", 'title "{}"', 'read "{}" = relu', "table {{\n| Operator |\n| a{} |\n}}"])
@pytest.mark.parametrize("mark", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_marks_of_direction_stand_nowhere(where: str, mark: str) -> None:
    found = found_in(NET.format(where.format(mark) + "\nbody relu"))
    assert found.code == "unknown-character"
    assert found.primary.text == mark


@pytest.mark.parametrize("end", "\v\x85\u2028\u2029")
def test_a_comment_does_not_go_on_behind_what_others_end_a_line_at(end: str) -> None:
    found = found_in(NET.format(f"body relu # the paper's{end}check params = 3M"))
    assert (found.code, found.primary.text) == ("unknown-character", end)


def tabled(operator: str, value: str = "4", header: str = "c", rule: str = "fire") -> str:
    rows = f"| Operator | {header} |\n|---|---|\n| {operator} | {value} |"
    return NET.format(f'table {{\n{rows}\n}}\nread "{rule}" = conv(1, c)')


PDFS = [
    tabled("ﬁre"), tabled("ｆｉｒｅ"), tabled("𝑓𝑖𝑟𝑒"), tabled("fire", "４"), tabled("fire", "𝟒"),
    tabled("fire", header="𝑐"), tabled("\u00a0fire\u2003", "\u00a04"), tabled("3\u00a0✕\u00a03", rule="3x3"),
    tabled("fire", "－").replace("(1, c)", "(1, 4)"),
]  # fmt: skip


@pytest.mark.parametrize("text", PDFS)
def test_tables_are_read_with_the_signs_of_pdfs(text: str) -> None:
    assert archspec.parse(text).elaborate().stats().params


@pytest.mark.parametrize(
    ("text", "said"),
    [(tabled("firе"), "U+0435 CYRILLIC SMALL LETTER IE"), (tabled("fi\u200bre"), "U+200B ZERO WIDTH SPACE"),
     (tabled("fi\u00adre"), "U+00AD SOFT HYPHEN"), (tabled("fire", "٤"), "U+0664 ARABIC-INDIC DIGIT FOUR"),
     (tabled("fire", rule="firе"), "U+0435 CYRILLIC SMALL LETTER IE")],
)  # fmt: skip
def test_a_mistake_in_a_table_names_what_looks_like_something_else(text: str, said: str) -> None:
    assert any(said in line for line in found_in(text).helps)


def test_nothing_is_said_of_words_of_another_script() -> None:
    assert not any("stands in it" in line for line in found_in(tabled("свёртка")).helps)


def test_an_import_leaves_out_what_is_not_printed() -> None:
    (found,) = tables_in(Source("x", "Operator\tc\nﬁre\u00ad2\u200b\t4\n"))
    assert [cell.text for cell in found.rows[1].cells] == ["fire2", "4"]


def test_a_letter_looks_like_one_letter() -> None:
    assert all(not letter.isascii() and meant.isascii() for letter, meant in LETTERS.items())
    assert [lookalike(letter) for letter in "é東×±²"] == [None] * 5


@pytest.mark.parametrize("text", ["с", "асе", "a | с", "ѕ=3"])
def test_a_word_whose_letters_all_look_like_others_is_noted(text: str) -> None:
    assert list(notes(text))


@pytest.mark.parametrize("text", ["α", "ν", "не", "слой", "conv", "α-β"])
def test_a_word_of_another_script_and_a_symbol_are_not(text: str) -> None:
    assert not list(notes(text))


def test_a_parameter_that_looks_like_one_is_explained() -> None:
    with pytest.raises(archspec.SpecError) as error:
        archspec.parse("arch 1 network N(c = 3) { input 8 x 8 x 3 body conv(3, c) }").elaborate(**{"с": 3})
    assert "which is not `c`" in error.value.diagnostics[0].helps[-1]
