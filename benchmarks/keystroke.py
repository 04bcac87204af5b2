"""From a keystroke to its diagnostics: an editor that types into each spec of the zoo, through the language server."""

import asyncio
import sys
import time
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from benchmarks.markdown import SPREAD, milliseconds, prose, spread_cells, table, verdict
from benchmarks.samples import Spread

SPECS = Path(__file__).parent.parent / "specs"
LARGEST, TARGET = 6, 0.050
PAUSES = (0.08, 0.15, 0.25, 0.6)
"""Seconds between keystrokes, the last so long that the file is checked whole meanwhile."""


class Typist(LanguageClient):
    """Waits for the diagnostics of each version that it sent."""

    def __init__(self) -> None:
        super().__init__("typist", "1")
        self.answered: dict[int, asyncio.Event] = {}

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.answered.setdefault(params.version or 0, asyncio.Event()).set()

    async def told(self, version: int) -> None:
        await self.answered.setdefault(version, asyncio.Event()).wait()

    async def type(self, uri: str, text: str, keystrokes: int) -> list[float]:
        """Seconds from each keystroke to what is said of it."""
        self.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "arch", 1, text)))
        await self.told(1)
        await asyncio.sleep(2)
        taken = []
        row = text.index("\n", text.index("|--"))
        for version in range(2, keystrokes + 2):
            # in turn a blank in a row of the table, a comment at the end, a number that breaks a claim
            changed = [text[:row] + " " + text[row:], f"{text}# {version}\n", text.replace("2 ", "3 ", 1)][version % 3]
            document = types.VersionedTextDocumentIdentifier(version, uri)
            change = types.TextDocumentContentChangeWholeDocument(changed)
            started = time.perf_counter()
            self.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
            await self.told(version)
            taken.append(time.perf_counter() - started)
            await asyncio.sleep(PAUSES[version % len(PAUSES)])
        return taken


async def typed(path: Path, keystrokes: int) -> list[float]:
    editor = Typist()
    await editor.start_io(sys.executable, "-m", "archspec", "lsp")
    await editor.initialize_async(types.InitializeParams(types.ClientCapabilities()))
    editor.initialized(types.InitializedParams())
    taken = await editor.type(path.as_uri(), path.read_text(encoding="utf-8"), keystrokes)
    await editor.shutdown_async(None)
    editor.exit(None)
    await editor.stop()
    return taken


def measure(quick: bool) -> str:
    """The section of the language server."""
    specs = sorted(SPECS.glob("*.arch"), key=lambda path: -path.stat().st_size)[: 2 if quick else LARGEST]
    spreads = {path.name: Spread.of(asyncio.run(typed(path, 8 if quick else 40))) for path in specs}
    slowest = max(spread.median for spread in spreads.values())
    remarks = (
        f"Target: {milliseconds(TARGET)} for the largest spec: {milliseconds(slowest)}, {verdict(slowest <= TARGET)}. "
        "A keystroke is a whole text sent by a client in a process of its own; what is timed ends when the diagnostics "
        "of that version have arrived. Pauses between keystrokes differ, so that some fall into a check of the whole "
        "file."
    )
    rows = [(name, *spread_cells(spread)) for name, spread in spreads.items()]
    return f"{table(('keystroke in', *SPREAD), rows)}\n\n{prose(remarks)}"
