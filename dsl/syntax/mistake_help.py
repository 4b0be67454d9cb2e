"""A mistake in a text to how what stands there is written, and the statement that may have been meant."""

from __future__ import annotations

import re

from runplan.dsl.syntax.comments import without_comment
from runplan.dsl.syntax.mistake import GOING_ON, Mistake
from runplan.dsl.syntax.repairs import mended, shape_of
from runplan.dsl.syntax.statements import CONTINUED, EXAMPLES, OF_PLANS, RESERVED
from runplan.dsl.text.nearest import did_you_mean

# What a mistake looks like in its line, and the way to write it; `\1` is what the writer wrote.
_HINTS = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (r"\d,\d{3}", "write thousands without commas, or with underscores: 1_000"),
        (r"(\d[\d_.]*)\s+([kKMBTQ])\s+([A-Za-z]\w*)", r"join the multiplier to the number: `\1\2 \3`"),
        (r"(\d[\d_.]*)([mbt])(?=\s+[A-Za-z])", r"multipliers are K, M, B and T: did you mean `\g<0>` with a capital?"),
        (r"[$€£]\s*\d", "write money with its currency after it: `30M USD`"),
        (r"at(\d[\d.]*)\s*%\s*MFU", r"write `at \1% MFU`"),
        (r"\bupto\b", "write `up to`"),
        (r"=([<>])", r"write `\1=`"),
        (r"(?:^|gpus\s*:\s*)(\d[\d_]*)\s*x\s+([A-Za-z][A-Za-z-]*\d[\w-]*)$", r"write `gpus: \1` and `device: \2`"),
        (r"betas\s*[:=]\s*[\[(]?\s*([\d.]+)\s*,\s*([\d.]+)", r"write `beta1: \1; beta2: \2`"),
        (r"\bdata\s+([\w.-]+)\s+(\d\S*)", r"write `data \1: \2 ...`"),
        (r"\bepochs\s+(\d+)\b", r"write `up to \1 epochs`"),
        (r"\bmix\s+([A-Za-z][\w.-]*)\s*[:=]\s*(\d[\d.]*\s*%)", r"write `mix \1 \2`"),
        (r"(\d[\d.]*%)\s+([A-Za-z][\w.-]*\s+\d[\d.]*%)", r"sources of a mix have commas between them: `\1, \2`"),
        (r"\blet\s+(\w+)\s*=\s*$", r"give it a value, such as `let \1 = 30M USD`"),
    )
)
# Of a phase, which is the length first.
_SHAPE_FIRST = re.compile(r"(?:^|:)\s*([a-z_]+)\s+(\d[\d_.]*[kKMBT]?\s*(?:%|steps|tokens))\s*$")


def help_with(mistake: Mistake) -> list[str]:
    """How what stands there is written, and all of the statement, where a repair of it can be read."""
    if bare := _bare(mistake):
        return [f"write `{bare}`"]
    told = _told(mistake)
    whole = _mended(mistake)
    told = told if whole is None or whole in told else [*told, whole]
    return told or _like(mistake)


def _bare(mistake: Mistake) -> str:
    """An example of the statement of which there is nothing but the keyword; empty where there is more."""
    said = mistake.view.text[slice(*mistake.line)].strip().rstrip(":=").rstrip()
    rows = [row for row in OF_PLANS if said in (row.keyword, row.keyword.split()[0], row.also or row.keyword)]
    return EXAMPLES[rows[0].rule] if rows and mistake.rule == "file" else ""


def _like(mistake: Mistake) -> list[str]:
    """How a statement is written, where nothing tells how this one may have been meant."""
    row = mistake.row
    if row is None:
        return []
    return [f"write it like `{EXAMPLES[row.rule] if mistake.rule == 'file' else in_yaml(EXAMPLES[row.rule])}`"]


def _mended(mistake: Mistake) -> str | None:
    """The statement as it may have been meant."""
    view, (start, end) = mistake.view, mistake.line
    if mistake.rule == "file":
        after = view.text[end:]
        goes_on = re.match(CONTINUED, view.text[start:end]) and not view.text[start:end].lstrip().startswith("//")
        if goes_on or re.match(rf"\r?\n{CONTINUED}", after):
            return None
        text = without_comment(view.text[start:end])
        found = mended(text, "file", mistake.start - start, mistake.parses)
        return None if found is None else f"write `{found.strip()}`"
    found = mended(view.text, mistake.rule, mistake.start, mistake.parses)
    key = mistake.key
    return _of_statement(mistake) if found is None else f"write `{key} {found}`".replace("` ", "`")


def _of_statement(mistake: Mistake) -> str | None:
    """The value of a key as the whole statement may have been meant, which is written otherwise in lines."""
    row = mistake.row
    head = f"{row.keyword}: " if row else ""
    found = mended(head + mistake.view.text, "file", len(head) + mistake.start, mistake.parses) if row else None
    if row is None or found is None or ";" in found:
        return None
    written = in_yaml(found)
    return f"write `{'- ' + written.partition(': ')[2] if mistake.key == '-' else written}`"


def in_yaml(statement: str) -> str:
    """A statement of one line as YAML has it: `data web: 1T tokens` is `data: {web: 1T tokens}`."""
    row = next(row for row in OF_PLANS if statement.startswith((row.keyword, row.also or row.keyword)))
    rest = re.sub(rf"(?:{row.keyword}|{row.also or row.keyword})\b\s*:?\s*", "", statement, count=1)
    if row.rule in ("data", "let") and (named := re.match(r"([\w.-]+)\s*[:=]\s*", rest)):
        rest = f"{{{named[1]}: {rest[named.end() :]}}}"
    return f"{row.key}: {rest}"


def _told(mistake: Mistake) -> list[str]:
    """How what stands there is written: of all that may help the most certain."""
    told = next((said for tell in _TELLING if (said := tell(mistake))), "")
    return [told] if told else did_you_mean(mistake.token, mistake.words)


def _length_first(mistake: Mistake) -> str:
    line = mistake.view.text[slice(*mistake.line)]
    m = _SHAPE_FIRST.search(line)
    of_phase = mistake.rule == "phase_spec" or line.lstrip().startswith("phase")
    return f"the length stands before the shape: `{m[2]} {m[1]}`" if m and of_phase else ""


def _measured(mistake: Mistake) -> str:
    """Of a source that is named and of which there is no amount, one with it."""
    line = without_comment(mistake.view.text[slice(*mistake.line)]).strip()
    of_data = mistake.rule == "data_spec" or re.match(r"data\b", line)
    named = re.fullmatch(r"(?:data\b\s*:?)?\s*([A-Za-z][\w.-]*(?:\s+[A-Za-z][\w.-]*)*)", line) if of_data else None
    if named is None:
        return ""
    written = f"data {'-'.join(named[1].split())}: 10T tokens"
    return f"say how much there is, such as `{written if mistake.rule == 'file' else in_yaml(written)}`"


def _hinted(mistake: Mistake) -> str:
    for pattern, hint in _HINTS:
        for m in pattern.finditer(mistake.view.text, *mistake.near):
            if m.start() - 1 <= mistake.start <= m.end() + 1:
                return m.expand(hint)
    return ""


def _dated(mistake: Mistake) -> str:
    return "a date is written as year, month and day, such as `2026-02-01`" if mistake.expected == ("DATE",) else ""


def _counted(mistake: Mistake) -> str:
    if not set(mistake.expected) <= {"TIMES", "OF", "HOURS"}:
        return ""
    count = re.search(r"\d[\d_.]*[kM]?", mistake.view.text[mistake.line[0] : mistake.end])
    return f"write `COUNT x DEVICE`, such as `{count[0] if count else 1000} x H100`"


def _on_a_day(mistake: Mistake) -> str:
    return "say of which day the rate is, such as `on 2026-01-15`" if mistake.expected == ("ON",) else ""


def _shaped(mistake: Mistake) -> str:
    """Of a phase without a shape, how it ends."""
    if set(mistake.expected) - GOING_ON != {"NAME"}:
        return ""
    view = mistake.view
    if re.match(r"\s*phase\b", view.text[slice(*mistake.line)]):
        return "a phase ends with its shape, such as `constant`, `linear`, `cosine` or `warmup`"
    if mistake.rule != "phase_spec":
        return ""
    name = view.source.text[: view.span(0, 0).start].rpartition("\n")[2].rpartition("{")[2].strip(' :"')
    return f"a phase ends with its shape: write `{name}: {view.text.strip()} {shape_of(name)}`"


def _braced(mistake: Mistake) -> str:
    if mistake.terminal == "$END" and "RBRACE" in mistake.expected:
        return "close the block with a `}`"
    return "no block is open here: leave the `}` out" if mistake.token == "}" and mistake.at_statement else ""


def _compared(mistake: Mistake) -> str:
    return "compare with `<=`, `>=` or `==`" if mistake.token == "=" and "CMP" in mistake.expected else ""


def _named(mistake: Mistake) -> str:
    if mistake.token not in RESERVED or not {"NAME", "NAMED"} & set(mistake.expected):
        return ""
    return f"`{mistake.token}` is a word of the language: as a name it is put in quotes, where a name may be quoted"


# What may tell how something is written, the most certain first.
_TELLING = (_length_first, _measured, _hinted, _dated, _counted, _on_a_day, _shaped, _braced, _compared, _named)
