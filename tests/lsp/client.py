"""An editor: a client of the language server over stdio, and what it has been told."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

PATIENCE = 300.0


class Editor(LanguageClient):
    """Starts `archspec lsp` and keeps the newest diagnostics of each document."""

    def __init__(self) -> None:
        super().__init__("editor", "1")
        self.told: dict[str, types.PublishDiagnosticsParams] = {}
        self.news = asyncio.Event()
        self.versions: dict[str, int] = {}

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def publish(params: types.PublishDiagnosticsParams) -> None:
            self.told[params.uri] = params
            self.news.set()

    async def start(self) -> types.InitializeResult:
        await self.start_io(sys.executable, "-m", "archspec", "lsp")
        found = await self.initialize_async(types.InitializeParams(types.ClientCapabilities()))
        self.initialized(types.InitializedParams())
        return found

    async def finish(self) -> int | None:
        """Shut the server down; its exit code."""
        await self.shutdown_async(None)
        self.exit(None)
        server = self._server
        await asyncio.wait_for(server.wait(), PATIENCE)
        await self.stop()
        return server.returncode

    def open(self, uri: str, text: str) -> None:
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri, "arch", 1, text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, uri: str, text: str) -> int:
        """Type: the document is this text now. Its version."""
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.text_document_did_change(types.DidChangeTextDocumentParams(document, [whole]))
        return self.versions[uri]

    async def until(self, uri: str, right: Callable[[list[types.Diagnostic]], bool]) -> list[types.Diagnostic]:
        """The diagnostics of the newest version, as soon as they are as expected."""

        async def wait() -> list[types.Diagnostic]:
            while True:
                told = self.told.get(uri)
                if told and told.version == self.versions[uri] and right(list(told.diagnostics)):
                    return list(told.diagnostics)
                self.news.clear()
                await self.news.wait()

        try:
            return await asyncio.wait_for(wait(), PATIENCE)
        except TimeoutError:
            raise AssertionError(f"told of {uri}: {self.told.get(uri)}") from None


def at(uri: str, text: str, mark: str, shift: int = 0) -> dict[str, Any]:
    """The document and position of the first place of a text, in UTF-16 units."""
    offset = text.index(mark) + shift
    before = text[:offset].split("\n")
    units = len(before[-1].encode("utf-16-le")) // 2
    return {
        "text_document": types.TextDocumentIdentifier(uri),
        "position": types.Position(len(before) - 1, units),
    }


def applied(text: str, edits: list[types.TextEdit]) -> str:
    """A text with the edits of an editor, whose columns are of UTF-16."""
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:n]) for n in range(len(lines) + 1)]

    def offset(place: types.Position) -> int:
        if place.line >= len(lines):
            return len(text)
        units = lines[place.line].encode("utf-16-le")[: 2 * place.character]
        return starts[place.line] + len(units.decode("utf-16-le"))

    for edit in sorted(edits, key=lambda edit: -offset(edit.range.start)):
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text


def session(work: Callable[[Editor], Awaitable[None]]) -> int | None:
    """Run something with an editor; the server's exit code."""

    async def run() -> int | None:
        editor = Editor()
        await editor.start()
        try:
            await work(editor)
        finally:
            code = await editor.finish()
        return code

    return asyncio.run(run())


def uri_of(path: Path) -> str:
    return path.resolve().as_uri()
