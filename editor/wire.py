"""Answers to the types of the language server protocol, in the encoding of the client."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types as lsp

from runplan.dsl.text.source import Source, Span
from runplan.editor.actions import Action
from runplan.editor.completion import Completion, Kind
from runplan.editor.hints import Hint
from runplan.editor.outline import Fold, Symbol
from runplan.editor.places import BOM, Encoding, Places
from runplan.editor.problems import Problem
from runplan.editor.tokens import MODIFIERS, TYPES, Token

_SEVERITY = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "info": lsp.DiagnosticSeverity.Information,
}
_COMPLETION: dict[Kind, lsp.CompletionItemKind] = {
    "statement": lsp.CompletionItemKind.Keyword,
    "word": lsp.CompletionItemKind.Keyword,
    "name": lsp.CompletionItemKind.Variable,
    "quantity": lsp.CompletionItemKind.Property,
    "unit": lsp.CompletionItemKind.Unit,
    "device": lsp.CompletionItemKind.Class,
    "model": lsp.CompletionItemKind.Class,
    "law": lsp.CompletionItemKind.Class,
    "field": lsp.CompletionItemKind.Field,
    "code": lsp.CompletionItemKind.Constant,
    "file": lsp.CompletionItemKind.File,
    "value": lsp.CompletionItemKind.EnumMember,
}
_SYMBOLS = {
    "plan": lsp.SymbolKind.String,
    "let": lsp.SymbolKind.Variable,
    "import": lsp.SymbolKind.Module,
    "stage": lsp.SymbolKind.Namespace,
    "data": lsp.SymbolKind.Array,
    "phase": lsp.SymbolKind.Event,
    "require": lsp.SymbolKind.Boolean,
    "prefer": lsp.SymbolKind.Boolean,
    "law": lsp.SymbolKind.Class,
    "rule": lsp.SymbolKind.Interface,
    "device": lsp.SymbolKind.Struct,
    "model": lsp.SymbolKind.Struct,
    "quantity": lsp.SymbolKind.Property,
    "field": lsp.SymbolKind.Field,
}


class Wire:
    """Turns what is said of one text into the protocol's types.

    Args:
        text: As the client has it.
    """

    def __init__(self, text: str, encoding: Encoding) -> None:
        self._places = Places(text, encoding)

    def offset(self, position: lsp.Position) -> int:
        """The offset of a position."""
        return self._places.offset(position.line, position.character)

    def position(self, offset: int) -> lsp.Position:
        """The position of an offset."""
        return lsp.Position(*self._places.position(offset))

    def range(self, span: Span) -> lsp.Range:
        """The range of a stretch."""
        return lsp.Range(self.position(span.start), self.position(span.end))

    def edits(self, edits: Iterable[tuple[Span, str]]) -> list[lsp.TextEdit]:
        """Texts in place of stretches."""
        return [lsp.TextEdit(self.range(span), text) for span, text in edits]

    def diagnostic(self, problem: Problem, related: list[lsp.DiagnosticRelatedInformation]) -> lsp.Diagnostic:
        """A problem."""
        found = problem.finding
        return lsp.Diagnostic(
            range=self.range(problem.span),
            message=problem.message,
            severity=_SEVERITY[found.severity],
            code=found.code or None,
            source="plan",
            related_information=related or None,
            data={"name": found.name, "key": found.key},
        )

    def completion(self, found: Completion, offset: int) -> lsp.CompletionList:
        """What one may write; sorted as it is."""
        where = lsp.Range(self.position(found.start), self.position(offset))
        items = [
            lsp.CompletionItem(
                label=item.label,
                kind=_COMPLETION[item.kind],
                detail=item.says or None,
                sort_text=f"{number:04}",
                filter_text=item.label,
                text_edit=lsp.TextEdit(where, item.label),
            )
            for number, item in enumerate(found.items)
        ]
        return lsp.CompletionList(is_incomplete=False, items=items)

    def symbol(self, symbol: Symbol) -> lsp.DocumentSymbol:
        """An entry of an outline, with those below it."""
        return lsp.DocumentSymbol(
            name=symbol.name or symbol.kind,
            detail=symbol.detail,
            kind=_SYMBOLS.get(symbol.kind, lsp.SymbolKind.Object),
            range=self.range(symbol.span),
            selection_range=self.range(symbol.at),
            children=[self.symbol(inner) for inner in symbol.inside] or None,
        )

    def hint(self, hint: Hint) -> lsp.InlayHint:
        """A figure behind a place."""
        return lsp.InlayHint(
            position=self.position(hint.at), label=hint.text, tooltip=hint.more or None, padding_left=True
        )

    def tokens(self, tokens: Iterable[Token]) -> lsp.SemanticTokens:
        """Tokens, each by how far it is from the one before."""
        data: list[int] = []
        line = column = 0
        for token in tokens:
            start, end = self.position(token.start), self.position(token.end)
            ahead = start.character - (column if start.line == line else 0)
            modifiers = sum(1 << MODIFIERS.index(modifier) for modifier in token.modifiers)
            data += [start.line - line, ahead, end.character - start.character, TYPES.index(token.type), modifiers]
            line, column = start.line, start.character
        return lsp.SemanticTokens(data)


def fold(found: Fold) -> lsp.FoldingRange:
    """Lines that can be folded away."""
    kind = lsp.FoldingRangeKind.Comment if found.comment else lsp.FoldingRangeKind.Region
    return lsp.FoldingRange(found.first, found.last, kind=kind)


def wire_of(source: Source, text: str | None, encoding: Encoding) -> Wire:
    """What turns stretches of a source into ranges.

    Args:
        text: As the client has it, where it is open; that may begin with a byte order mark.
    """
    same = text is not None and text.removeprefix(BOM) == source.text
    return Wire(text if same and text is not None else source.text, encoding)


def code_action(
    action: Action, edit: lsp.WorkspaceEdit, diagnostics: list[lsp.Diagnostic], *, preferred: bool
) -> lsp.CodeAction:
    """Something that can be done about a diagnostic."""
    return lsp.CodeAction(
        title=action.title,
        kind=lsp.CodeActionKind.QuickFix,
        diagnostics=diagnostics or None,
        edit=edit,
        is_preferred=True if preferred else None,
    )
