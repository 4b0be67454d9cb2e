"""The language server: requests of an editor to the functions that answer them. It computes nothing itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from urllib.parse import unquote, urlsplit

from lsprotocol import types as lsp
from pygls import uris
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from runplan import __version__
from runplan.cli.paths import ENDINGS
from runplan.dsl.text.source import Source, Span
from runplan.editor import wire
from runplan.editor.actions import actions
from runplan.editor.completion import completion
from runplan.editor.definition import references, target
from runplan.editor.document import Document
from runplan.editor.hints import hints
from runplan.editor.hover import hover
from runplan.editor.layout import layout
from runplan.editor.outline import folds, outline
from runplan.editor.places import ENCODINGS, Encoding
from runplan.editor.problems import Problem
from runplan.editor.rename import CannotRename, renamable, renamed
from runplan.editor.session import Checked, Session
from runplan.editor.tokens import MODIFIERS, TYPES, tokens
from runplan.editor.wire import Wire, wire_of

# How long a solve may keep an answer waiting for the interpreter.
SWITCH_SECONDS = 0.001
# How long a client that asks for diagnostics has for that, once it is told that there are others.
ASKED_SECONDS = 0.3


class PlanServer(LanguageServer):
    """A language server for plans and packs.

    Attributes:
        ended: Whether the client has asked to shut down.
    """

    def __init__(self) -> None:
        super().__init__("plan", __version__, lsp.TextDocumentSyncKind.Full)
        self.session = Session(self.publish)
        self.ended = False
        self.uris: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        # The document of each file that the client has asked the diagnostics of; and those that were sent unasked.
        self.asked: dict[str, Document] = {}
        self.sent: set[str] = set()

    # ---- documents and places

    @property
    def encoding(self) -> Encoding:
        """The encoding in which the client counts columns."""
        said = str(self.workspace.position_encoding)
        return next((one for one in ENCODINGS if one == said), "utf-16")

    def path_of(self, uri: str) -> str:
        """The file of a URI; of what has none yet, one in the current folder."""
        parts = urlsplit(uri)
        if parts.scheme == "file":
            path = uris.to_fs_path(uri) or parts.path
        else:
            name = os.path.basename(unquote(parts.path)) or "untitled"
            path = name if name.endswith(ENDINGS) else f"{name}.plan"
        path = os.path.abspath(path)
        self.uris[path] = uri
        return path

    def uri_of(self, path: str) -> str:
        """The URI of a file, as the client spells it."""
        return self.uris.get(path) or uris.from_fs_path(path) or ""

    def document(self, of: lsp.TextDocumentIdentifier) -> Document | None:
        """The document of a request; None where that is no plan or pack, or cannot be read."""
        path = self.path_of(of.uri)
        return self.session.workspace.document(path) if path.endswith(ENDINGS) else None

    def wire(self, document: Document) -> Wire:
        """What turns places of a document into the client's."""
        return self.wire_at(document.source, document.path)

    def wire_at(self, source: Source, path: str) -> Wire:
        """What turns places of a source that stands in a file into the client's."""
        return wire_of(source, self.session.workspace.text(path), self.encoding)

    def location(self, span: Span, near: Document) -> lsp.Location | None:
        """Where a stretch stands: in a file that is there."""
        path = near.path if span.source.path == near.name else self.session.workspace.file_of(span.source, near)
        return lsp.Location(self.uri_of(path), self.wire_at(span.source, path).range(span)) if path else None

    # ---- diagnostics

    def diagnostics(self, near: Document | None, path: str, found: Iterable[Problem]) -> list[lsp.Diagnostic]:
        """Problems of a file as the client shows them."""
        out = []
        for problem in found:
            related = [*self._related(problem, near)] if near is not None else []
            out.append(self.wire_at(problem.span.source, path).diagnostic(problem, related))
        return out

    def _related(self, problem: Problem, near: Document) -> Iterable[lsp.DiagnosticRelatedInformation]:
        found = problem.finding
        labels = [(label.span, label.text or found.message) for label in found.also]
        if found.at.span.source.path != problem.span.source.path:
            labels.insert(0, (found.at.span, found.message))
        for span, text in labels:
            if location := self.location(span, near):
                yield lsp.DiagnosticRelatedInformation(location, text)

    async def publish(self, path: str, document: Document | None, found: tuple[Problem, ...]) -> None:
        """Show the problems of a file, unless the client asks for them itself."""
        if document is not None and self.asked and self._refreshes:
            with suppress(Exception):
                await asyncio.wait_for(self.workspace_diagnostic_refresh_async(None), ASKED_SECONDS)
            await asyncio.sleep(ASKED_SECONDS)
        if document is not None and self.asked.get(path) is document:
            return
        shown = self.diagnostics(document, path, found)
        if shown or path in self.sent or document is not None:
            self._send(path, shown)

    def _send(self, path: str, shown: list[lsp.Diagnostic]) -> None:
        self.sent.add(path) if shown else self.sent.discard(path)
        version = self.versions.get(path)
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(self.uri_of(path), shown, version))

    @property
    def _refreshes(self) -> bool:
        """Whether the client can be told to ask for diagnostics again."""
        of = self.client_capabilities.workspace
        return bool(of and of.diagnostics and of.diagnostics.refresh_support)

    async def asked_for(self, path: str) -> Checked | None:
        """What there is to say of a file that the client asks about; what was sent unasked is taken back soon."""
        checked = await self.session.newest(path)
        if checked is not None:
            self.asked[path] = checked.document
            if path in self.sent:
                asyncio.get_running_loop().call_later(ASKED_SECONDS, self._take_back, path)
        return checked

    def _take_back(self, path: str) -> None:
        if path in self.sent and path in self.asked:
            self._send(path, [])


server = PlanServer()


# ---- what happens


@server.feature(lsp.INITIALIZED)
def initialized(ls: PlanServer, _: lsp.InitializedParams) -> None:
    """Warm up, and look from now on at what changes elsewhere."""
    ls.session.begin(os.path.join(ls.workspace.root_path or os.getcwd(), "x.plan"))


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
def did_open(ls: PlanServer, params: lsp.DidOpenTextDocumentParams) -> None:
    """A file is opened."""
    _take(ls, params.text_document.uri, params.text_document.text, params.text_document.version, quiet=False)


@server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
def did_change(ls: PlanServer, params: lsp.DidChangeTextDocumentParams) -> None:
    """A file is edited."""
    text = ls.workspace.get_text_document(params.text_document.uri).source
    _take(ls, params.text_document.uri, text, params.text_document.version, quiet=True)


def _take(ls: PlanServer, uri: str, text: str, version: int, *, quiet: bool) -> None:
    path = ls.path_of(uri)
    if path.endswith(ENDINGS):
        ls.versions[path] = version
        ls.session.edited(path, text, quiet=quiet)


@server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
def did_close(ls: PlanServer, params: lsp.DidCloseTextDocumentParams) -> None:
    """A file is closed."""
    path = ls.path_of(params.text_document.uri)
    ls.versions.pop(path, None)
    ls.asked.pop(path, None)
    if path.endswith(ENDINGS):
        ls.session.closed(path)


@server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
def did_save(ls: PlanServer, _: lsp.DidSaveTextDocumentParams) -> None:
    """A file is saved."""
    ls.session.changed()


@server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
def did_change_watched(ls: PlanServer, _: lsp.DidChangeWatchedFilesParams) -> None:
    """A file changed that may not be open."""
    ls.session.changed()


@server.feature(lsp.SHUTDOWN)
def shutdown(ls: PlanServer, _: None) -> None:
    """The client is about to end."""
    ls.ended = True
    ls.session.close()


# ---- what is asked


@server.feature(lsp.TEXT_DOCUMENT_DIAGNOSTIC, lsp.DiagnosticOptions(True, False, "plan"))
async def diagnostic(ls: PlanServer, params: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
    """What is wrong with a document."""
    path = ls.path_of(params.text_document.uri)
    checked = await ls.asked_for(path) if path.endswith(ENDINGS) else None
    items = ls.diagnostics(checked.document, path, checked.problems) if checked else []
    mark = blake2b(repr(items).encode("utf-8", "replace"), digest_size=8).hexdigest()
    if params.previous_result_id == mark:
        return lsp.RelatedUnchangedDocumentDiagnosticReport(mark)
    return lsp.RelatedFullDocumentDiagnosticReport(items, result_id=mark)


@server.feature(lsp.TEXT_DOCUMENT_HOVER)
async def hovered(ls: PlanServer, params: lsp.HoverParams) -> lsp.Hover | None:
    """What is known of what stands at a place."""
    document = ls.document(params.text_document)
    if document is None:
        return None
    known = await ls.session.known(document)
    places = ls.wire(document)
    found = hover(document, places.offset(params.position), known)
    if found is None:
        return None
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text), places.range(found.span))


@server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[" ", ".", "[", ":", ",", "@"]))
async def completed(ls: PlanServer, params: lsp.CompletionParams) -> lsp.CompletionList | None:
    """What one may write at a place."""
    document = ls.document(params.text_document)
    if document is None:
        return None
    places = ls.wire(document)
    offset = places.offset(params.position)
    return places.completion(completion(document, offset), offset)


@server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
async def defined(ls: PlanServer, params: lsp.DefinitionParams) -> lsp.Location | None:
    """Where what is named at a place is defined."""
    document = ls.document(params.text_document)
    found = target(document, ls.wire(document).offset(params.position)) if document else None
    return ls.location(found[1].span, document) if found and document else None


@server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
async def referred(ls: PlanServer, params: lsp.ReferenceParams) -> list[lsp.Location]:
    """Every place that means the same."""
    document = ls.document(params.text_document)
    found = target(document, ls.wire(document).offset(params.position)) if document else None
    if document is None or found is None:
        return []
    uses = references(ls.session.workspace, document, found[1], itself=params.context.include_declaration)
    return [lsp.Location(ls.uri_of(one.path), ls.wire(one).range(use.span)) for one, use in uses]


@server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
async def highlighted(ls: PlanServer, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
    """Every place in the document that means the same."""
    document = ls.document(params.text_document)
    found = target(document, ls.wire(document).offset(params.position)) if document else None
    if document is None or found is None:
        return []
    uses = references(ls.session.workspace, document, found[1], within=(document,))
    return [lsp.DocumentHighlight(ls.wire(document).range(use.span)) for _, use in uses]


@server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
async def prepared(ls: PlanServer, params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder:
    """Whether what is named at a place can have another name."""
    document = _there(ls.document(params.text_document))
    places = ls.wire(document)
    try:
        span, name = renamable(document, ls.session.workspace, places.offset(params.position))
    except CannotRename as error:
        raise JsonRpcInvalidParams(str(error)) from error
    return lsp.PrepareRenamePlaceholder(places.range(span), name)


@server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
async def rename(ls: PlanServer, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
    """The edits that give another name to what is named at a place."""
    document = _there(ls.document(params.text_document))
    offset = ls.wire(document).offset(params.position)
    try:
        changes = renamed(document, ls.session.workspace, offset, params.new_name)
    except CannotRename as error:
        raise JsonRpcInvalidParams(str(error)) from error
    return _edit(ls, [(change.path, change.span, change.text) for change in changes])


def _there(document: Document | None) -> Document:
    if document is None:
        raise JsonRpcInvalidParams("this is no plan")
    return document


def _edit(ls: PlanServer, edits: Iterable[tuple[str, Span, str]]) -> lsp.WorkspaceEdit:
    """Texts in place of stretches of files, by file; with their versions where the client can check them."""
    by_file: dict[str, list[lsp.TextEdit]] = {}
    for path, span, text in edits:
        by_file.setdefault(path, []).append(lsp.TextEdit(ls.wire_at(span.source, path).range(span), text))
    of = ls.client_capabilities.workspace
    if of and of.workspace_edit and of.workspace_edit.document_changes:
        return lsp.WorkspaceEdit(
            document_changes=[
                lsp.TextDocumentEdit(
                    lsp.OptionalVersionedTextDocumentIdentifier(ls.uri_of(path), ls.versions.get(path)), [*edits_]
                )
                for path, edits_ in by_file.items()
            ]
        )
    return lsp.WorkspaceEdit(changes={ls.uri_of(path): edits_ for path, edits_ in by_file.items()})


@server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
async def symbols(ls: PlanServer, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
    """The outline of a document."""
    document = ls.document(params.text_document)
    return [ls.wire(document).symbol(one) for one in outline(document)] if document else []


@server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
async def formatted(ls: PlanServer, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
    """The edits that lay a document out."""
    document = ls.document(params.text_document)
    return ls.wire(document).edits(layout(document)) if document else None


@server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]))
async def acted(ls: PlanServer, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What can be done about the findings of a stretch."""
    only = params.context.only
    if only and not any(lsp.CodeActionKind.QuickFix.startswith(kind) for kind in only):
        return []
    path = ls.path_of(params.text_document.uri)
    checked = await ls.session.newest(path) if path.endswith(ENDINGS) else None
    if checked is None:
        return []
    document, places, out = checked.document, ls.wire(checked.document), []
    start, end = places.offset(params.range.start), places.offset(params.range.end)
    for action in actions(document, checked.findings, start, end):
        files = [(ls.session.workspace.file_of(span.source, document), span, text) for span, text in action.edits]
        edits = [(file, span, text) for file, span, text in files if file is not None]
        about = [p for p in checked.problems if p.finding is action.finding]
        diagnostics = ls.diagnostics(document, path, about)
        out.append(wire.code_action(action, _edit(ls, edits), diagnostics, preferred=action.safe))
    return out


@server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
async def hinted(ls: PlanServer, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
    """The figures to show in a stretch."""
    document = ls.document(params.text_document)
    if document is None or not document.is_plan:
        return []
    checked = await ls.session.newest(document.path)
    if checked is None or checked.solved is None:
        return []
    places = ls.wire(checked.document)
    start, end = places.offset(params.range.start), places.offset(params.range.end)
    return [places.hint(hint) for hint in hints(checked.document, checked.solved, start, end)]


@server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
async def folded(ls: PlanServer, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
    """What can be folded away."""
    document = ls.document(params.text_document)
    return [wire.fold(one) for one in folds(document)] if document else []


@server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, lsp.SemanticTokensLegend([*TYPES], [*MODIFIERS]))
async def coloured(ls: PlanServer, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
    """The words of a document by what they are."""
    document = ls.document(params.text_document)
    return ls.wire(document).tokens(tokens(document)) if document else lsp.SemanticTokens([])


def serve() -> int:
    """Answer on standard input and output until the client ends; 0 where it said so before."""
    import sys

    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what is said otherwise would be read as an answer
    sys.setswitchinterval(SWITCH_SECONDS)
    server.start_io(stdin, stdout)
    return 0 if server.ended else 1
