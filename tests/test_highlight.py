"""The colours of a spec keep its text, whatever it is, and know every word of the language."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Error, Keyword, Name, Number, Operator, Punctuation, String, _TokenType

from archspec.highlight import ArchLexer, clauses, functions, keywords
from archspec.ops import OPERATORS

ROOT = Path(__file__).parent.parent
FILES = sorted(
    [*ROOT.glob("specs/*.arch"), *ROOT.glob("archspec/*/*.arch"), *ROOT.glob("tests/golden/errors/*/*.arch")]
)


def tokens(text: str) -> list[tuple[_TokenType, str]]:
    return [(kind, word) for _, kind, word in ArchLexer().get_tokens_unprocessed(text)]


def test_pygments_knows_it_by_its_name_and_by_its_files() -> None:
    assert isinstance(get_lexer_by_name("arch"), ArchLexer)
    assert isinstance(get_lexer_for_filename("net.arch"), ArchLexer)


@pytest.mark.parametrize("folder", ["specs", "archspec", "tests"])
def test_every_file_is_lexed_without_a_loss(folder: str) -> None:
    for file in FILES:
        if file.relative_to(ROOT).parts[0] == folder:
            text = file.read_bytes().decode("utf-8", "replace")
            found = tokens(text)
            assert "".join(word for _, word in found) == text, file
            assert not any(kind is Error for kind, _ in found), file


WORDS = st.sampled_from(
    [*keywords(), *functions(), "table {\n", "\n}", "| ", "{x}", '"', "'", "#", "\n", "²×", "->", "1x7"]
)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=60).map(" ".join)))
def test_any_text_is_lexed_without_a_loss(text: str) -> None:
    assert "".join(word for _, word in tokens(text)) == text


def test_words_have_the_colours_of_what_they_are() -> None:
    found = tokens(
        "arch 1\nnetwork N(k = 10) {\n  input 8 x 8 x 3\n  table {\n    | Input | c |\n    | 8²×3 | 4 |\n  }\n"
        '  read "conv {f}" = conv(f, c, pad = same) -> bn if true\n  body @t\n}\n'
    )
    for kind, word in [
        (Keyword.Declaration, "network"), (Name.Class, "N"), (Keyword, "input"), (Operator.Word, "x"),
        (Keyword, "table"), (Name.Entity, "Input"), (Operator, "²"), (Keyword, "read"), (String.Interpol, "{f}"),
        (Name.Builtin, "conv"), (Name.Constant, "same"), (Operator, "->"), (Operator.Word, "if"),
        (Keyword.Constant, "true"), (Name.Label, "t"), (Number, "10"), (Punctuation, "}"),
    ]:  # fmt: skip
        assert (kind, word) in found


def test_a_parameter_may_have_the_name_of_a_clause() -> None:
    assert (Name, "title") in tokens("block b(title = 1) = conv(\n  title = 2)")


def test_its_words_are_those_of_the_language() -> None:
    assert {"network", "title", "erratum", "because", "infer", "weights"} <= set(keywords())
    assert set(OPERATORS) <= set(functions())
    assert "table" not in clauses()
