"""The language server, asked by a real client over stdio."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from lsp.client import Editor, applied, at, session, uri_of
from lsprotocol import types

from archspec.cli.commands import run

SPECS = Path(__file__).parents[2] / "specs"
MOBILENET = (SPECS / "mobilenet_v2.arch").read_text(encoding="utf-8")
SWAPPED = MOBILENET.replace("64   | 4 | 2", "64   | 4 | 1").replace("96   | 3 | 1", "96   | 3 | 2")
SMALL = """arch 1
use "blocks/inverted_residual"

# A network 😀 of three rows.
network N(k = 10) {
  input 32 x 32 x 3
  table {
    | Input  | Operator   | t | c  | n | s |
    |--------|------------|---|----|---|---|
    | 32²×3  | conv       | - | 16 | 1 | 2 |
    | 16²×16 | bottleneck | 6 | 24 | 2 | 2 |
    | 8²×24  | pool       | - | -  | 1 | - |
  }
  repeat n then s = 1
  read "conv"       = conv(3, c, s) -> bn -> relu6
       "bottleneck" = bottleneck(t, c, s)
       "pool"       = global_avgpool
  body flatten -> linear(k)
}
"""


def clean(found: list[types.Diagnostic]) -> bool:
    return not found


def test_diagnostics_come_and_go_as_one_types(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "net.arch")

    async def work(editor: Editor) -> None:
        editor.open(uri, SMALL)
        await editor.until(uri, clean)
        for end in ("lin", "line", "linea"):
            editor.change(uri, SMALL.replace("linear(k)", f"{end}(k)"))
        [found] = await editor.until(uri, lambda d: len(d) == 1)
        assert (found.code, found.source) == ("unknown-operator", "archspec")
        line = SMALL.split("\n").index("  body flatten -> linear(k)")
        assert (found.range.start.line, found.range.start.character) == (line, 18)
        assert found.range.end.character == 23
        editor.change(uri, SMALL)
        await editor.until(uri, clean)

    assert session(work) == 0


def test_who_made_a_shape_and_who_asked_are_related_to_a_misfit(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "net.arch")

    async def work(editor: Editor) -> None:
        editor.open(uri, SMALL.replace("-> bn -> relu6", "-> bn -> shuffle(3)"))
        [found] = await editor.until(uri, lambda d: len(d) == 1 and "fits" in d[0].message)
        assert found.code == "shape-mismatch"
        assert [(one.location.range.start.line, one.message) for one in found.related_information or ()] == [
            (14, "16 = 3·5 + 1"), (14, "makes 16×16×16"), (9, "in row 1"),
        ]  # fmt: skip
        context = types.CodeActionContext([found])
        document = types.TextDocumentIdentifier(uri)
        actions = await editor.text_document_code_action_async(types.CodeActionParams(document, found.range, context))
        assert [action.title for action in actions][:2] == [
            "`groups` 2 instead of 3 fits: it gives 16×16×16", "`groups` 4 instead of 3 fits: it gives 16×16×16",
        ]  # fmt: skip

    assert session(work) == 0


def test_the_exchanged_strides_are_mended_by_a_code_action(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "net.arch")

    async def work(editor: Editor) -> None:
        editor.open(uri, SWAPPED)
        [found] = await editor.until(uri, lambda d: len(d) == 1 and "exchange" in d[0].message)
        assert found.code == "shape-claim"
        assert found.related_information
        context = types.CodeActionContext([found])
        document = types.TextDocumentIdentifier(uri)
        actions = await editor.text_document_code_action_async(types.CodeActionParams(document, found.range, context))
        first = actions[0]
        assert first.title == "exchange `s` of rows 5 and 6: then every shape holds"
        text = applied(SWAPPED, first.edit.changes[uri])
        assert text == MOBILENET
        editor.change(uri, text)
        await editor.until(uri, clean)

    session(work)


IDLE = """arch 1
use "blocks/fire"
block old(c) = conv(1, c)

block unit(c, act = relu) = conv(3, c) -> bn

network N {
  input 8 x 8 x 3
  table {
    | Operator | c | Idea |
    |----------|---|------|
    | unit     | 8 | new  |
  }
  read "unit" = unit(c, act = silu) -> relu as left -> relu
       "pool" = maxpool(2)
}
"""


def test_what_nobody_uses_is_greyed_and_mended_by_code_actions(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "net.arch")

    async def work(editor: Editor) -> None:
        text = IDLE
        editor.open(uri, text)
        for title in (
            "Delete it", "Delete it", "Call it `_act`", "Give it the role `note`", "Delete `as left`", "Delete it",
        ):  # fmt: skip
            first, *_ = await editor.until(uri, bool)
            assert first.severity == types.DiagnosticSeverity.Warning
            assert list(first.tags or ()) == [types.DiagnosticTag.Unnecessary]
            where = types.CodeActionParams(
                types.TextDocumentIdentifier(uri), first.range, types.CodeActionContext([first])
            )
            action, *_ = await editor.text_document_code_action_async(where)
            assert action.title == title
            text = applied(text, action.edit.changes[uri])
            editor.change(uri, text)
        await editor.until(uri, clean)
        mended = IDLE.replace('use "blocks/fire"\nblock old(c) = conv(1, c)\n', "").replace("act =", "_act =")
        mended = mended.replace(" as left", "").replace('       "pool" = maxpool(2)\n', "")
        assert text == mended.replace("  table {", '  columns "Idea": note\n  table {')

    session(work)


def test_hover_tells_the_shapes_and_counts_of_a_row_and_what_a_name_is(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "net.arch")

    async def hovered(editor: Editor, mark: str, shift: int = 1) -> str:
        found = await editor.text_document_hover_async(types.HoverParams(**at(uri, SMALL, mark, shift)))
        return found.contents.value if found else ""

    async def work(editor: Editor) -> None:
        editor.open(uri, SMALL)
        row = await hovered(editor, "bottleneck | 6")
        assert "16×16×16 → 8×8×24" in row
        assert '"bottleneck" = bottleneck(t, c, s)' in row
        assert "13,968 params" in row
        assert "conv(kernel, channels, stride = 1" in await hovered(editor, "conv(3, c")
        block = await hovered(editor, "bottleneck(t, c")
        assert "block bottleneck(t, c, s)" in block
        linear = await hovered(editor, "linear(k)")
        assert "24 → 10" in linear
        assert "250 params" in linear
        assert "k = 10" in await hovered(editor, "k)\n}", 0)
        assert await hovered(editor, "# A network") == ""

    session(work)


def test_completion_of_operators_blocks_parameters_and_files(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "net.arch")

    async def completed(editor: Editor, text: str, mark: str) -> dict[str, types.CompletionItem]:
        editor.change(uri, text)
        place = at(uri, text, mark, len(mark))
        found = await editor.text_document_completion_async(types.CompletionParams(**place))
        return {item.label: item for item in found.items}

    async def work(editor: Editor) -> None:
        editor.open(uri, SMALL)
        await editor.until(uri, clean)
        body = await completed(editor, SMALL.replace("linear(k)", "li"), "flatten -> li")
        assert {"linear", "bottleneck", "k", "concat"} <= body.keys()
        assert body["conv"].detail.startswith("kernel, channels")
        inside = await completed(editor, SMALL.replace("conv(3, c, s)", "conv(3, c, s, )"), "conv(3, c, s, ")
        assert inside["groups"].insert_text == "groups = "
        last = await completed(editor, SMALL.replace("  repeat n", "  output a = id in \n  repeat n"), "= id in ")
        assert "training" in last
        words = await completed(editor, SMALL.replace("conv(3, c, s)", "conv(3, c, s, pad = )"), "s, pad = ")
        assert {"same", "valid", "same_upper"} <= words.keys()
        block = await completed(editor, SMALL.replace("bottleneck(t, c, s)", "bottleneck()"), "= bottleneck(")
        assert "t" in block
        files = await completed(editor, SMALL.replace('blocks/inverted_residual"', "blo"), 'use "blo')
        assert "blocks/residual" in files
        other = await completed(editor, SMALL.replace("linear(k)", "basic"), "flatten -> basic")
        [edit] = other["basic"].additional_text_edits
        assert edit.new_text == '\nuse "blocks/residual"'
        clauses = await completed(editor, SMALL.replace("  body flatten", "  bo\n  body flatten"), "\n  bo")
        assert {"body", "check", "erratum"} <= clauses.keys()

    session(work)


def test_definitions_and_references(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "net.arch")

    async def work(editor: Editor) -> None:
        editor.open(uri, SMALL)
        block = await editor.text_document_definition_async(types.DefinitionParams(**at(uri, SMALL, "bottleneck(t", 2)))
        assert block.uri.endswith("archspec/blocks/inverted_residual.arch")
        used = await editor.text_document_definition_async(types.DefinitionParams(**at(uri, SMALL, "blocks/inv", 2)))
        assert used.uri == block.uri
        own = await editor.text_document_definition_async(types.DefinitionParams(**at(uri, SMALL, "k)\n}")))
        assert (own.uri, own.range.start.line, own.range.start.character) == (uri, 4, 10)
        asked = types.ReferenceParams(types.ReferenceContext(True), **at(uri, SMALL, "k = 10"))
        places = await editor.text_document_references_async(asked)
        assert sorted(place.range.start.line for place in places) == [4, 17]

    session(work)


def test_formatting_is_that_of_the_command(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "net.arch")
    document, options = types.TextDocumentIdentifier(uri), types.FormattingOptions(2, True)

    async def work(editor: Editor) -> None:
        text = SMALL.replace("body flatten -> linear(k)", "body   flatten->linear( k )").replace("\n", "\r\n")
        editor.open(uri, text)
        edits = await editor.text_document_formatting_async(types.DocumentFormattingParams(document, options))
        assert applied(text, edits).replace("\r\n", "\n") == SMALL
        editor.change(uri, "network {")
        asked = types.DocumentFormattingParams(document, options)
        assert await editor.text_document_formatting_async(asked) is None

    session(work)


def test_hints_symbols_and_folding(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "net.arch")
    document = types.TextDocumentIdentifier(uri)

    async def work(editor: Editor) -> None:
        editor.open(uri, SMALL)
        whole = types.Range(types.Position(0, 0), types.Position(99, 0))
        hints = await editor.text_document_inlay_hint_async(types.InlayHintParams(document, whole))
        assert [(h.position.line, h.label) for h in hints] == [
            (9, "→ 16×16×16"), (10, "→ 8×8×24"), (11, "→ 1×1×24"), (14, "→ 16×16×16"), (15, "→ 8×8×24"),
            (16, "→ 1×1×24"), (17, "→ 10"),
        ]  # fmt: skip
        [network] = await editor.text_document_document_symbol_async(types.DocumentSymbolParams(document))
        assert (network.name, [part.name for part in network.children]) == ("N", ["table"])
        folds = await editor.text_document_folding_range_async(types.FoldingRangeParams(document))
        assert [(fold.start_line, fold.end_line) for fold in folds] == [(4, 18), (6, 12)]

    session(work)


def test_an_open_document_stands_for_its_file(tmp_path: Path) -> None:
    part, net = uri_of(tmp_path / "part.arch"), uri_of(tmp_path / "net.arch")
    (tmp_path / "part.arch").write_text("arch 1\nblock b(c) = conv(3, c)\n", encoding="utf-8")
    text = 'arch 1\nuse "./part"\nnetwork N { input 8 x 8 x 3\n body b(4) }\n'

    async def work(editor: Editor) -> None:
        editor.open(net, text)
        await editor.until(net, clean)
        editor.open(part, "arch 1\nblock other(c) = conv(3, c)\n")
        [found] = await editor.until(net, lambda d: len(d) == 1)
        assert found.code == "unknown-operator"
        editor.change(part, "arch 1\nblock b(c) = conv(3, c) -> bn\n")
        await editor.until(net, clean)

    session(work)


@pytest.mark.parametrize(
    "text", ["", "\ufeff" + SMALL, SMALL.replace("\n", "\r"), "arch 1\n" * 500, "{" * 5000, "\0😀"]
)
def test_no_text_ends_the_server(text: str, tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "net.arch")

    async def work(editor: Editor) -> None:
        editor.open(uri, text)
        await editor.until(uri, lambda d: True)
        for place in (types.Position(0, 0), types.Position(3, 7), types.Position(9999, 9999)):
            document = types.TextDocumentIdentifier(uri)
            await editor.text_document_hover_async(types.HoverParams(document, place))
            await editor.text_document_completion_async(types.CompletionParams(document, place))
        editor.change(uri, SMALL)
        await editor.until(uri, clean)

    assert session(work) == 0


def test_what_is_not_open_has_no_answers(tmp_path: Path) -> None:
    async def work(editor: Editor) -> None:
        place = types.HoverParams(types.TextDocumentIdentifier("file:///nowhere.arch"), types.Position(0, 0))
        assert await editor.text_document_hover_async(place) is None

    assert session(work) == 0


def test_garbage_on_its_input_leaves_nothing_running() -> None:
    junk = b"Content-Length: 7\r\n\r\n{nonsen" + b"Content-Length: nothing\r\n\r\n"
    done = subprocess.run([sys.executable, "-m", "archspec", "lsp"], input=junk, capture_output=True, timeout=300)
    assert b"Traceback" not in done.stdout


def test_without_its_library_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("archspec.lsp.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls.lsp.server", None)
    assert run(["lsp"]) == 3
    assert "'archspec-compiler[lsp]'" in capfd.readouterr().err


def test_typing_is_answered_while_a_large_file_is_checked(tmp_path: Path) -> None:
    uri = uri_of(tmp_path / "resnet.arch")
    text = (SPECS / "resnet.arch").read_text(encoding="utf-8")

    async def work(editor: Editor) -> None:
        editor.open(uri, text)
        await editor.until(uri, clean)
        for number in range(6):
            editor.change(uri, text + " " * number)
            await editor.until(uri, clean)
            await asyncio.sleep(0.1 * number)
        editor.change(uri, text.replace("7×7, 64, stride 2    ", "7×7, 64, stride 1    ", 1))
        await editor.until(uri, lambda d: any(one.code == "shape-claim" for one in d))

    session(work)
