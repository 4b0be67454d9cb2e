"""A mistake in a text to the finding that says what is wrong, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runplan.dsl.dataclass import dataclass
from runplan.dsl.syntax.comments import without_comment
from runplan.dsl.syntax.repairs import Parses, mended, shape_of
from runplan.dsl.syntax.statements import (
    BY_KEY,
    CONTINUED,
    EXAMPLES,
    KEYWORDS,
    KINDS,
    LAW_FIELDS,
    OF_PLANS,
    RESERVED,
    Statement,
)
from runplan.dsl.text.elsewhere import answer, renamed
from runplan.dsl.text.finding import Finding, finding
from runplan.dsl.text.fixes import offered, respelled
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import View
from runplan.dsl.text.words import cut, listing
from runplan.dsl.units.table import names as units

# How terminals are said that are no word of the language.
SAID = {
    "TIMES": "`x`",
    "NAMED": "a name",
    "_NL": "end of line",
    "$END": "end of file",
    "NUMBER": "a number",
    "NAME": "a name",
    "STRING": "a quoted string",
    "UNIT": "a unit",
    "DEVICE": "a device name",
    "PATH": "a path",
    "DATE": "a date (YYYY-MM-DD)",
    "CMP": "a comparison (`<=`, `>=`, `==`)",
    "HOLE": "`?`",
    "UPTO": "`up to`",
    "KIND": "`device`",
    "HOURS": "`GPU-hours`",
}
_ENDS = ("_NL", "$END")
# What a mistake looks like in its line, and the way to write it; `\1` is what the writer wrote.
HINTS = tuple(
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
NEAR = 24  # characters of a line, before and after a mistake, that may have caused it
# Characters of a line that is looked into for what was meant: what is looked for may take as long as their square.
LONGEST_LINE = 2_000
_NOT_A_NUMBER = re.compile(r"[+-]?\b(?:nan|inf|infinity)\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z_]")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where a text leaves the grammar.

    Attributes:
        view: The text.
        start, end: The stretch of it that does not fit.
        terminal: What that was read as, such as `NAME`; empty where it was read as nothing.
        expected: The terminals that would have been right, in the order in which they are told.
        law_item: The word that was taken for a formula of a law, where one was just begun.
        spelled: How each terminal that is a word is spelled.
        rule: The start rule that reads the text.
        parses: Whether a text can be read by a rule.
    """

    view: View
    start: int
    end: int
    terminal: str
    expected: tuple[str, ...]
    law_item: str
    spelled: Mapping[str, str]
    rule: str
    parses: Parses

    @property
    def line(self) -> tuple[int, int]:
        """Where its line begins and ends."""
        text = self.view.text
        end = text.find("\n", self.start)
        return text.rfind("\n", 0, self.start) + 1, len(text) if end < 0 else end

    @property
    def token(self) -> str:
        """The text that does not fit; empty at the end of the file, and where there is no token."""
        at_end = self.terminal in ("", "$END", "_NL")
        return "" if at_end else self.view.text[self.start : self.end]

    @property
    def begins_statement(self) -> bool:
        """Whether a word stands here as those do that begin a statement: with a colon."""
        return re.match(r"[\w.-]+[ \t]*:", self.view.text[self.start : self.start + 64]) is not None

    @property
    def at_statement(self) -> bool:
        """Whether a statement could begin here."""
        return "LET" in self.expected and "HARDWARE" in self.expected


def finding_of(mistake: Mistake) -> Finding:
    """The finding for a mistake; in a line that nobody has written by hand, what does not fit, and no more."""
    start, end = mistake.line
    if end - start > LONGEST_LINE:
        return finding("S001", _unexpected(mistake), mistake.view.span(mistake.start, mistake.end))
    return (
        _unknown_statement(mistake)
        or _no_definition(mistake)
        or _no_times(mistake)
        or _unknown_law_field(mistake)
        or _unfinished_phase(mistake)
        or _not_a_number(mistake)
        or _in_thousands(mistake)
        or _open_bound(mistake)
        or _unexpected_there(mistake)
    )


def _unexpected_there(mistake: Mistake) -> Finding:
    span, words = mistake.view.span(mistake.start, mistake.end), _words(mistake)
    help = _help(mistake) or ([_LISTED] if mistake.at_statement else [])
    fixes = respelled(span, mistake.token, words) if words and help[:1] == did_you_mean(mistake.token, words) else ()
    return finding("S001", _unexpected(mistake), span, help=help, fixes=fixes)


def _unknown_statement(mistake: Mistake) -> Finding | None:
    if not mistake.at_statement or not _WORD.match(mistake.token):
        return None
    word = re.match(r"[\w.-]+", mistake.view.text[mistake.start :])
    name = word[0] if word else mistake.token
    span = mistake.view.span(mistake.start, mistake.start + len(name))
    rest = mistake.view.text[mistake.start + len(name) : mistake.line[1]]
    if _COMPARES.match(rest):
        line = f"require {name}{rest.partition('#')[0].rstrip(' ,;')}"
        if mistake.parses(line, "file"):
            return finding("N001", "a condition is a `require`", span, help=[f"write `{line}`"])
    value = _value(rest)
    elsewhere = answer(name, value, mistake.view.text)
    alias = renamed(name, value, elsewhere)
    help = elsewhere or did_you_mean(name, KEYWORDS) or [_LISTED]
    fixes = respelled(span, name, KEYWORDS, alias) if alias or not elsewhere else ()
    return finding("N001", f"unknown statement `{cut(name)}`", span, help=help, fixes=fixes)


# What stands between a name and a comparison of it.
_COMPARES = re.compile(r"[\w\s.+*/()-]*(?:[<>]=?|[≤≥]|==)")
_LISTED = "a statement begins with " + listing(dict.fromkeys(row.keyword.split()[0] for row in OF_PLANS))


def _value(rest: str) -> str:
    """The value in what follows a word on its line."""
    return re.sub(r"^[ \t]*[:=]?[ \t]*", "", rest.partition("#")[0]).rstrip(" ,;\r")


def _no_definition(mistake: Mistake) -> Finding | None:
    """A word that begins a definition and is taken for a statement, as in `law: chinchilla`."""
    start, end = mistake.line
    m = re.match(rf"[ \t]*(law|{'|'.join(KINDS)})[ \t]*(?=[:=])", mistake.view.text[start:end])
    if mistake.rule != "file" or m is None or mistake.start != start + m.end():
        return None
    span = mistake.view.span(start + m.start(1), start + m.end(1))
    value = _value(mistake.view.text[mistake.start : end])
    help = answer(m[1], value, mistake.view.text)
    alias = renamed(m[1], value, help)
    fixes = respelled(span, m[1], KEYWORDS, alias) if alias else ()
    return finding("N001", f"unknown statement `{m[1]}:`", span, help=help or [_LISTED], fixes=fixes)


def _no_times(mistake: Mistake) -> Finding | None:
    """A count and a device without the sign between them, which read as the hours of a device: `64 H100 for`."""
    if mistake.expected not in (("OF",), ("TIMES",)):
        return None
    start, _ = mistake.line
    m = re.search(r"\d\S*[ \t]+(\w+)[ \t]+$", mistake.view.text[start : mistake.start])
    if m is None or "hour" in m[1].lower():
        return None
    span = mistake.view.span(start + m.start(1), start + m.end(1))
    return finding("S001", f"unexpected `{cut(m[1])}`; expected `x`", span, help=_help(mistake))


def _unknown_law_field(mistake: Mistake) -> Finding | None:
    field = mistake.law_item
    if not field or mistake.expected != ("LPAR",):
        return None
    at = mistake.view.text.rfind(field, 0, mistake.start)
    help = did_you_mean(field, LAW_FIELDS) or [f"a law has {listing(LAW_FIELDS)}, and formulas"]
    span = mistake.view.span(at, at + len(field))
    fixes = respelled(span, field, LAW_FIELDS)
    return finding("N001", f"unknown field `{cut(field)}` in `law`", span, help=help, fixes=fixes)


_BOUND_OF = re.compile(r"(?:(?:require|prefer)\b:?)?[ \t]*(?P<what>[\w.-]+)[ \t]*(?P<sign>[<>]=?|==)[ \t]*$")


def _open_bound(mistake: Mistake) -> Finding | None:
    """A `?` where a requirement has its bound: what is asked for there is the least, or the most."""
    if mistake.terminal != "HOLE":
        return None
    m = _BOUND_OF.fullmatch(mistake.view.text[mistake.line[0] : mistake.start].lstrip())
    if m is None:
        return None
    goal, end = ("maximize", "most") if ">" in m["sign"] else ("minimize", "least")
    colon = ":" if mistake.rule == "constraint" else ""
    help = [f"write `{goal}{colon} {m['what']}` for the {end} that there can be, or leave it out: the report tells it"]
    span = mistake.view.span(mistake.start, mistake.end)
    return finding("S001", "a requirement has no bound: a `?` stands for a figure of the plan", span, help=help)


def _unfinished_phase(mistake: Mistake) -> Finding | None:
    """A phase without a shape, or as long as a bare number, before which its shape reads as the unit: `2000 warmup`."""
    start, _ = mistake.line
    before = mistake.view.text[start : mistake.start]
    heads = [*re.finditer(r"^[ \t]*" if mistake.rule == "phase_spec" else r"\bphase\s+\S+?\s*:\s*", before)]
    phase = heads[-1] if heads else None
    if (
        phase is None
        or "NAME" not in mistake.expected
        or mistake.token not in ("", "mix", ";", "}")
        or " mix" in before[phase.end() :]
    ):
        return None
    length = before[phase.end() :].strip()
    place = mistake.view.span(start + phase.end(), start + phase.end() + len(length))
    m = re.fullmatch(r"(\d[\d_.]*([kKMBT]?))[ \t]+([A-Za-z]\w*)", length)
    if m is None or m[3] in units():
        length += " steps" if length.isdecimal() else ""
        help = [f"say how its learning rate goes, such as `{length} constant` or `{length} linear`"]
        return finding("S001", "a phase is a length and a shape", place, help=help) if length else None
    span = mistake.view.span(start + phase.end(), start + phase.end() + m.end(1))
    message = f"`{m[1]}` has no unit; a phase is a share of the tokens, or tokens, steps or epochs"
    likely = ("tokens",) if m[2] in ("M", "B", "T") else ("steps", "tokens")
    told = "write " + " or ".join(f"`{m[1]} {unit} {m[3]}`" for unit in likely)
    whole = mistake.view.span(start + phase.end(), start + phase.end() + m.end())
    return finding("U003", message, span, help=[told], fixes=offered(whole, m[0], told))


def _not_a_number(mistake: Mistake) -> Finding | None:
    for m in _NOT_A_NUMBER.finditer(mistake.view.text, *_near(mistake)):
        if m.start() <= mistake.start <= m.end() + 1:
            message = f"`{m[0]}` is not a number that a plan can use"
            return finding("U004", message, mistake.view.span(m.start(), m.end()))
    return None


def _in_thousands(mistake: Mistake) -> Finding | None:
    """Thousands with a comma in a block, where it ends the field: `hidden: 4,096`."""
    before = mistake.view.text[max(0, mistake.start - 2) : mistake.start]
    if mistake.terminal != "NUMBER" or not re.fullmatch(r"\d,", before) or not re.fullmatch(r"\d{3}", mistake.token):
        return None
    return finding("S001", "unexpected `,`", mistake.view.span(mistake.start - 1, mistake.start), help=_help(mistake))


def _near(mistake: Mistake) -> tuple[int, int]:
    """What of its line is near a mistake: a line may be long, and another mistake in it is not this one."""
    start, end = mistake.line
    return max(start, mistake.start - NEAR), min(end, mistake.start + NEAR)


def _help(mistake: Mistake) -> list[str]:
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
    row = _row(mistake)
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
    key = _key(mistake)
    return _of_statement(mistake) if found is None else f"write `{key} {found}`".replace("` ", "`")


def _key(mistake: Mistake) -> str:
    """What stands before the value of a key on its line."""
    source, at = mistake.view.source, mistake.view.span(0, 0).start
    return source.text[source.text.rfind("\n", 0, at) + 1 : at].strip(" \t\"'")


def _row(mistake: Mistake) -> Statement | None:
    """The statement that a text, or the value of a key, is of; None where that is not known."""
    if mistake.rule == "file":
        m = re.match(r"[ \t]*([a-z]+)\b", mistake.view.text[slice(*mistake.line)])
        return next((row for row in OF_PLANS if m and m[1] in (row.keyword.split()[0], row.also)), None)
    by_rule = {"constraint": "require"} if _key(mistake) == "-" else {}
    return BY_KEY.get(by_rule.get(mistake.rule, _key(mistake).rstrip(":")))


def _of_statement(mistake: Mistake) -> str | None:
    """The value of a key as the whole statement may have been meant, which is written otherwise in lines."""
    row = _row(mistake)
    head = f"{row.keyword}: " if row else ""
    found = mended(head + mistake.view.text, "file", len(head) + mistake.start, mistake.parses) if row else None
    if row is None or found is None or ";" in found:
        return None
    written = in_yaml(found)
    return f"write `{'- ' + written.partition(': ')[2] if _key(mistake) == '-' else written}`"


def in_yaml(statement: str) -> str:
    """A statement of one line as YAML has it: `data web: 1T tokens` is `data: {web: 1T tokens}`."""
    row = next(row for row in OF_PLANS if statement.startswith((row.keyword, row.also or row.keyword)))
    rest = re.sub(rf"(?:{row.keyword}|{row.also or row.keyword})\b\s*:?\s*", "", statement, count=1)
    if row.rule in ("data", "let") and (named := re.match(r"([\w.-]+)\s*[:=]\s*", rest)):
        rest = f"{{{named[1]}: {rest[named.end() :]}}}"
    return f"{row.key}: {rest}"


def _told(mistake: Mistake) -> list[str]:
    """How what stands there is written: of all that may help the most certain."""
    token, expected = mistake.token, mistake.expected
    line = mistake.view.text[slice(*mistake.line)]
    if (m := _SHAPE_FIRST.search(line)) and (mistake.rule == "phase_spec" or line.lstrip().startswith("phase")):
        return [f"the length stands before the shape: `{m[2]} {m[1]}`"]
    if source := _unmeasured(mistake):
        return [f"say how much there is, such as `{source}`"]
    for pattern, hint in HINTS:
        for m in pattern.finditer(mistake.view.text, *_near(mistake)):
            if m.start() - 1 <= mistake.start <= m.end() + 1:
                return [m.expand(hint)]
    if expected == ("DATE",):
        return ["a date is written as year, month and day, such as `2026-02-01`"]
    if set(expected) <= {"TIMES", "OF", "HOURS"}:
        count = re.search(r"\d[\d_.]*[kM]?", mistake.view.text[mistake.line[0] : mistake.end])
        return [f"write `COUNT x DEVICE`, such as `{count[0] if count else 1000} x H100`"]
    if expected == ("ON",):
        return ["say of which day the rate is, such as `on 2026-01-15`"]
    only_name = set(expected) - _GOING_ON == {"NAME"}
    if only_name and re.match(r"\s*phase\b", mistake.view.text[slice(*mistake.line)]):
        return ["a phase ends with its shape, such as `constant`, `linear`, `cosine` or `warmup`"]
    if only_name and mistake.rule == "phase_spec":
        view = mistake.view
        name = view.source.text[: view.span(0, 0).start].rpartition("\n")[2].rpartition("{")[2].strip(' :"')
        return [f"a phase ends with its shape: write `{name}: {view.text.strip()} {shape_of(name)}`"]
    if mistake.terminal == "$END" and "RBRACE" in expected:
        return ["close the block with a `}`"]
    if token == "}" and mistake.at_statement:
        return ["no block is open here: leave the `}` out"]
    if token == "=" and "CMP" in expected:
        return ["compare with `<=`, `>=` or `==`"]
    if token in RESERVED and {"NAME", "NAMED"} & set(expected):
        return [f"`{token}` is a word of the language: as a name it is put in quotes, where a name may be quoted"]
    return did_you_mean(token, _words(mistake))


def _unmeasured(mistake: Mistake) -> str:
    """A source that is named and of which there is no amount, with one; empty where the mistake is another."""
    line = without_comment(mistake.view.text[slice(*mistake.line)]).strip()
    of_data = mistake.rule == "data_spec" or re.match(r"data\b", line)
    named = re.fullmatch(r"(?:data\b\s*:?)?\s*([A-Za-z][\w.-]*(?:\s+[A-Za-z][\w.-]*)*)", line) if of_data else None
    name = "-".join(named[1].split()) if named else ""
    written = f"data {name}: 10T tokens"
    return name and (written if mistake.rule == "file" else in_yaml(written))


def _words(mistake: Mistake) -> list[str]:
    """The words of the language that a word may stand for which does not fit."""
    if not _WORD.match(mistake.token):
        return []
    words = [word for name in mistake.expected if (word := mistake.spelled.get(name, "")).isalpha()]
    return [*words, "up to"] if "UPTO" in mistake.expected else words


def _unexpected(mistake: Mistake) -> str:
    """What stands there, and what would have been right."""
    message = f"unexpected {_what(mistake)}"
    if mistake.at_statement:
        return f"{message}; expected a statement"
    said = list(_expected(mistake))
    return f"{message}; expected {', '.join(said)}" if said else message


# What may go on with any value: that is not told where something else may stand.
_GOING_ON = {"PLUS", "MINUS", "STAR", "SLASH", "CIRCUMFLEX", "LPAR", "UNIT"}
# What a value may begin with.
_BEGINS = {"NUMBER", "NAME", "STRING", "DATE", "LPAR", "MINUS", "IF", "NOT"}


def _expected(mistake: Mistake) -> Iterator[str]:
    """What would have been right, in words: a value for all that one may begin with."""
    names = dict.fromkeys(mistake.expected)
    if len(_BEGINS & names.keys()) > 2:
        yield "a value"
        names = dict.fromkeys(name for name in names if name not in _BEGINS)
    others = [name for name in names if name not in _GOING_ON]
    ends = [name for name in others if name in _ENDS]
    yield from dict.fromkeys(
        SAID.get(name) or f"`{mistake.spelled.get(name, name)}`" for name in (others or names) if name not in _ENDS
    )
    if ends:
        yield _end(mistake, ends[0]) if len(ends) == 1 else "the end of the line"


def _end(mistake: Mistake, terminal: str) -> str:
    """The end of a text; that of the value of a key, or of `--set`, is no file."""
    return SAID["_NL" if mistake.rule != "file" else terminal]


def _what(mistake: Mistake) -> str:
    if mistake.terminal in ("$END", "_NL"):
        return _end(mistake, mistake.terminal)
    if mistake.terminal:
        return f"`{cut(mistake.token)}`"
    c = mistake.view.text[mistake.start]
    return "a quote that is not closed on its line" if c == '"' else f"character {c!r}"
