"""The protocol: what an editor asks, told to a `Session`, and its answers in the editor's terms."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from archspec import driver, library
from archspec.diagnostics import ASKED, Diagnostic, Edit, Label, Severity, SpecError
from archspec.elaborate.unused_errors import Unused
from archspec.elaborate.uses import Target
from archspec.lsp import completion, outline
from archspec.lsp.fixes import fixes
from archspec.lsp.hover import hover, name_at
from archspec.lsp.protocol import PARSE_ERROR, Protocol, is_unreadable
from archspec.lsp.session import Analysis, Session, Snapshot, path_of
from archspec.lsp.text import Text
from archspec.report import labels_of
from archspec.source import Source, Span

T = TypeVar("T")
KINDS = {
    "operator": types.CompletionItemKind.Function, "block": types.CompletionItemKind.Class,
    "parameter": types.CompletionItemKind.Variable, "attribute": types.CompletionItemKind.Property,
    "keyword": types.CompletionItemKind.Keyword, "word": types.CompletionItemKind.EnumMember,
    "file": types.CompletionItemKind.File, "tensor": types.CompletionItemKind.Reference,
    "function": types.CompletionItemKind.Method,
}  # fmt: skip
SYMBOLS = {
    "network": types.SymbolKind.Class, "block": types.SymbolKind.Function, "variant": types.SymbolKind.Variable,
    "definition": types.SymbolKind.Method, "reading": types.SymbolKind.Interface, "table": types.SymbolKind.Array,
}  # fmt: skip
FRAMES = 6
"""Levels of the instantiation stack that are told, the innermost ones."""
MOST_SHOWN = 100
"""Diagnostics of a document that are told; then how many more there are."""
log = logging.getLogger(__name__)


class Server(LanguageServer):
    """Speaks the protocol on the thread of its loop; everything that knows a document is asked of the session."""

    def __init__(self, version: str) -> None:
        super().__init__(
            "archspec", version, text_document_sync_kind=types.TextDocumentSyncKind.Full, protocol_cls=Protocol
        )
        self.session = Session(self.found)
        self.told: dict[str, tuple[Snapshot, list[Diagnostic]]] = {}
        """by URI, what was published last"""

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Answer what is not JSON as JSON-RPC says; what else goes wrong is shown."""
        if is_unreadable(error) and isinstance(self.protocol, Protocol):
            self.protocol.refuse(None, PARSE_ERROR, "this is not JSON")
        else:
            super().report_server_error(error, source)

    async def ask(self, uri: str, answer: Callable[[Analysis], T]) -> T | None:
        """What the session says of a document, on its own thread."""
        return await asyncio.wrap_future(self.session.ask(uri, answer))

    # ---- places ----

    def text(self, source: Source) -> Text:
        return Text(source, self.workspace.position_codec)

    def range(self, span: Span) -> types.Range:
        return self.text(span.source).of(span)

    def uri(self, source: Source) -> str | None:
        """The URI of a source, as the editor wrote it where it is open there."""
        opened = [uri for uri, text in list(self.session.texts.items()) if text.source.name == source.name]
        if opened:
            return opened[0]
        file = library.file_of(source)
        return file.as_uri() if file is not None else None

    def location(self, span: Span) -> types.Location | None:
        uri = self.uri(span.source)
        return types.Location(uri, self.range(span)) if uri else None

    def edits(self, changes: Iterable[Edit]) -> dict[str, list[types.TextEdit]]:
        """Changes by the URIs of their documents."""
        found: dict[str, list[types.TextEdit]] = {}
        for change in changes:
            uri = self.uri(change.span.source)
            if uri is not None:
                found.setdefault(uri, []).append(types.TextEdit(self.range(change.span), change.text))
        return found

    # ---- diagnostics ----

    def found(self, text: Snapshot, diagnostics: list[Diagnostic]) -> None:
        """Publish what was found; called on the session's thread."""
        loop = self.loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.tell, text, diagnostics)

    loop: asyncio.AbstractEventLoop | None = None

    def tell(self, text: Snapshot, diagnostics: list[Diagnostic]) -> None:
        if self.session.texts.get(text.uri) is not text:
            return
        self.told[text.uri] = text, diagnostics
        shown = [self.diagnostic(text, one) for one in diagnostics[:MOST_SHOWN]]
        if len(diagnostics) > MOST_SHOWN:
            # at the place of the last one that is shown, where whoever mends them looks next
            more = f"… and {len(diagnostics) - MOST_SHOWN:,} more"
            shown.append(types.Diagnostic(shown[-1].range, more, shown[-1].severity, source="archspec"))
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(text.uri, shown, text.version))

    def diagnostic(self, text: Snapshot, one: Diagnostic) -> types.Diagnostic:
        """A diagnostic at its place, or at the head of the document where that is in another file."""
        here = one.site.source == text.source
        advice = [*one.helps, *(s.elsewhere for s in one.suggestions)]
        frames = one.stack[-FRAMES:]
        said = {Label(frame.span, ASKED) for frame in frames}
        related = [(label.span, label.text) for label in labels_of(one) if label.text and label not in said]
        related += [(frame.span, f"in {frame.label}") for frame in frames]
        if not here:
            related.insert(0, (one.site, one.message))
        return types.Diagnostic(
            self.range(one.site if here else Span(text.source, 0, 0)),
            "\n".join([one.message, *(f"help: {line}" for line in advice)]),
            severity=types.DiagnosticSeverity.Error
            if one.severity is Severity.ERROR
            else types.DiagnosticSeverity.Warning,
            code=one.code,
            source="archspec",
            tags=[types.DiagnosticTag.Unnecessary] if isinstance(one, Unused) else None,
            related_information=[
                types.DiagnosticRelatedInformation(place, said)
                for span, said in related
                if (place := self.location(span)) is not None
            ],
        )


def server(version: str) -> Server:
    """The language server with all that it answers."""
    # what it says of messages that are none is said to the client
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    serve = Server(version)
    documents(serve)
    answers(serve)
    return serve


def documents(serve: Server) -> None:
    """What the editor tells of its documents."""

    @serve.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        serve.loop = asyncio.get_running_loop()
        document = params.text_document
        serve.session.changed(document.uri, document.version, document.text)

    @serve.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        document = serve.workspace.get_text_document(params.text_document.uri)
        serve.session.changed(document.uri, params.text_document.version, document.source)

    @serve.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        serve.session.closed(uri)
        serve.told.pop(uri, None)
        serve.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    @serve.feature(types.SHUTDOWN)
    def shutdown(*_: Any) -> None:
        serve.session.close()


def answers(serve: Server) -> None:
    """What the editor asks."""

    @serve.feature(types.TEXT_DOCUMENT_HOVER)
    async def hovered(params: types.HoverParams) -> types.Hover | None:
        def answer(found: Analysis) -> types.Hover | None:
            said = hover(found, serve.text(found.source).offset(params.position))
            if said is None:
                return None
            content = types.MarkupContent(types.MarkupKind.Markdown, said[0])
            return types.Hover(content, serve.range(said[1]))

        return await serve.ask(params.text_document.uri, answer)

    @serve.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["(", "@", '"', ":", "/"])
    )
    async def completed(params: types.CompletionParams) -> types.CompletionList | None:
        def answer(found: Analysis) -> types.CompletionList:
            known = serve.session.understood.get(found.snapshot.uri, found)
            offset = serve.text(found.source).offset(params.position)
            made = {c.label: item(c) for c in reversed(list(completion.choices(found.source, known.module, offset)))}
            return types.CompletionList(False, list(made.values())[::-1])

        return await serve.ask(params.text_document.uri, answer)

    def item(choice: completion.Choice) -> types.CompletionItem:
        further = [edit for edits in serve.edits(choice.further).values() for edit in edits]
        return types.CompletionItem(
            choice.label,
            kind=KINDS[choice.kind],
            detail=choice.detail or None,
            documentation=choice.about or None,
            insert_text=choice.insert or None,
            additional_text_edits=further or None,
        )

    @serve.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def defined(params: types.DefinitionParams) -> types.Location | None:
        def answer(found: Analysis) -> types.Location | None:
            use = name_at(found, serve.text(found.source).offset(params.position))
            span = declaration(found, use.target) if use else None
            return serve.location(span) if span else None

        return await serve.ask(params.text_document.uri, answer)

    @serve.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def referred(params: types.ReferenceParams) -> list[types.Location] | None:
        def answer(found: Analysis) -> list[types.Location]:
            use = name_at(found, serve.text(found.source).offset(params.position))
            every = found.names.uses if found.names and use else ()
            same = dict.fromkeys(one.span for one in every if use and one.target is use.target)
            return [place for span in same if (place := serve.location(span))]

        return await serve.ask(params.text_document.uri, answer)

    @serve.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
        def symbol(part: outline.Part) -> types.DocumentSymbol:
            inner = [symbol(one) for one in part.parts]
            return types.DocumentSymbol(
                part.name, SYMBOLS[part.kind], serve.range(part.span), serve.range(part.at), children=inner
            )

        def answer(found: Analysis) -> list[types.DocumentSymbol]:
            return [symbol(part) for part in outline.parts(found.module)] if found.module else []

        return await serve.ask(params.text_document.uri, answer)

    @serve.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folded(params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        def answer(found: Analysis) -> list[types.FoldingRange]:
            whole = list(outline.parts(found.module)) if found.module else []
            spans = [part.span for each in whole for part in (each, *each.parts)]
            ranges = [serve.range(span) for span in spans]
            return [types.FoldingRange(r.start.line, r.end.line) for r in ranges if r.end.line > r.start.line]

        return await serve.ask(params.text_document.uri, answer)

    @serve.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def hinted(params: types.InlayHintParams) -> list[types.InlayHint] | None:
        def answer(found: Analysis) -> list[types.InlayHint]:
            text = serve.text(found.source)
            made = [
                types.InlayHint(text.position(place), label, padding_left=True, tooltip=path)
                for place, label, path in outline.hints(found)
            ]
            low, high = params.range.start.line, params.range.end.line
            return [hint for hint in made if low <= hint.position.line <= high]

        return await serve.ask(params.text_document.uri, answer)

    @serve.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def formatted(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        def answer(found: Analysis) -> list[types.TextEdit] | None:
            source = found.source
            try:
                text = driver.format_text(source.text, source.name)
            except SpecError:
                return None  # its diagnostics say why
            whole = serve.range(Span(source, 0, len(source.text)))
            return [types.TextEdit(whole, text)] if text != source.text else []

        return await serve.ask(params.text_document.uri, answer)

    @serve.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def mended(params: types.CodeActionParams) -> list[types.CodeAction]:
        text, diagnostics = serve.told.get(params.text_document.uri, (None, []))
        if text is None or serve.session.texts.get(params.text_document.uri) is not text:
            return []
        found: list[types.CodeAction] = []
        for one in diagnostics[:MOST_SHOWN]:
            shown = serve.diagnostic(text, one)
            if overlap(shown.range, params.range):
                found += [
                    types.CodeAction(
                        fix.title,
                        kind=types.CodeActionKind.QuickFix,
                        diagnostics=[shown],
                        is_preferred=number == 0,
                        edit=types.WorkspaceEdit(changes=serve.edits(fix.edits)),
                    )
                    for number, fix in enumerate(fixes(one))
                ]
        return found


def declaration(found: Analysis, target: Target) -> Span | None:
    """Where a name is declared; of a file its beginning."""
    if target.kind != "file":
        return target.span
    base = found.snapshot.base
    path = path_of((base / f"{target.name.removesuffix('.arch')}.arch").as_uri()) if base.is_absolute() else None
    for key in (f"<archspec>/{target.name}", str(path)):
        if key in found.modules:
            return Span(found.modules[key].file.source, 0, 0)
    return None


def overlap(one: types.Range, other: types.Range) -> bool:
    def key(position: types.Position) -> tuple[int, int]:
        return position.line, position.character

    return key(one.start) <= key(other.end) and key(other.start) <= key(one.end)
