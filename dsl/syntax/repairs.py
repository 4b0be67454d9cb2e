"""A statement that leaves the grammar to the one that its writer may have meant, which was read before it is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from runplan.dsl.syntax.statements import BY_KEY
from runplan.dsl.text.elsewhere import compared, ours, with_unit
from runplan.dsl.units.calendar import last_day

# What is written, and how the language writes it: of a whole statement, of the value of one, and of any value.
_Written = str | Callable[[re.Match[str]], str]
_Repairs = tuple[tuple[re.Pattern[str], _Written], ...]


def _patterns(*pairs: tuple[str, _Written]) -> _Repairs:
    return tuple((re.compile(pattern, re.IGNORECASE), written) for pattern, written in pairs)


_SPELLED = {
    **{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10},
    **{"twelve": 12, "twenty": 20, "thirty": 30, "sixty": 60, "ninety": 90},
}


def shape_of(name: str) -> str:
    """The shape of a phase that is called so."""
    shapes = {"warm": "warmup", "stab": "constant", "const": "constant", "main": "constant", "cos": "cosine"}
    return next((shape for begin, shape in shapes.items() if name.lower().startswith(begin)), "linear")


def _settings(m: re.Match[str]) -> str:
    """An optimizer with its settings in a block: `AdamW(lr=3e-4)`, `AdamW lr 3e-4`."""
    found = re.findall(r"([a-z]\w*)\s*[:= ]\s*([^\s,;(){}]+(?: [a-z]+)?)", m[2], re.IGNORECASE)
    pairs = ((ours(name), value) for name, value in found)
    return f"{m[1]} {{ {'; '.join(f'{name}: {with_unit(name, value)}' for name, value in pairs)} }}"


def _fields(m: re.Match[str]) -> str:
    """A block on one line whose fields have a `=` or nothing where a `:` belongs."""
    fields = (re.sub(r"^(\w+)\s*[=\s]\s*", r"\1: ", field.strip()) for field in re.split("[;,]", m[2]) if field.strip())
    return f"{m[1]}{{ {'; '.join(fields)} }}"


def _degrees(m: re.Match[str]) -> str:
    """How a model lies on its devices, piece by piece, as a block or with signs: `{ tp: 8; pp: 4 }`, `tp=8 pp<=4`."""
    found = re.findall(r"([a-z]\w*?)\s*([:=]|<=?|>=?|\s)?\s*(\d\w*(?: sequences?)?|\?)", m[1], re.IGNORECASE)
    signs = {"<": "up to ", ">": "at least "}
    pieces = ((ours(name), f"{signs.get(sign[:1], '')}{with_unit(ours(name), value)}") for name, sign, value in found)
    return ", ".join(f"{name} {value}" for name, value in pieces)


_STATEMENTS = _patterns(
    (r"(.*?)\s*(?://|--(?!-))\s*(.*)", r"\1 # \2"),
    (r"data\s+([\w.-]+)\s+(\d.*)", r"data \1: \2"),
    (r"data\s*:\s*([a-z][\w-]*)\s+(\d.*)", r"data \1: \2"),
    (r"use\s+(?:laws?\b)?\s*(?!laws?\b)(\w.*)", r"use laws \1"),
    (r"let\s+(\w+)\s*:?=?\s*(\d.*)", r"let \1 = \2"),
    (r"let\s+(\w+) (\w+)\s*=\s*(.*)", r"let \1_\2 = \3"),
    (r"data\s+(\w+) (\w+)\s*:\s*(\d.*)", r"data \1-\2: \3"),
    (r"data\s+([\w.-]+)\s*=\s*(.*)", r"data \1: \2"),
    (r"data\s*:?\s*\{\s*([\w.-]+)\s*:\s*([^;,{}]*?)\s*\}", r"data \1: \2"),
    (r"/\*\s*(.*?)\s*\*/", r"# \1"),
    (r"'([a-z]+)'\s*(:.*)", r"\1\2"),
    (r"([a-z]+)\s*;\s*(\S.*)", r"\1: \2"),
    (r"((?:use )?laws:?\s+[\w.]+)\s+(?:and\s+)?([\w.]+)", r"\1, \2"),
    (r"stage\s*:?\s*(\{.*)", r"stage main \1"),
    (r"calendar\s*:?\s*month\s*:?\s*(\d.*)", r"calendar month = \1"),
    (r"data\s*:\s*(\d.*?)\s+(?:of|from)\s+(?:the\s+)?([a-z][\w-]*)", r"data \2: \1"),
    (r"optimizer\s*:?\s*\{(.*)", r"optimizer: AdamW {\1"),
    (r"rate\s*:?\s+(?:1\s+)?(\w+)\s*[:=]?\s*(.*)", r"rate \1 = \2"),
    (r"phase\s+([\w-]+)\s*:\s*([\d.]+\S*(?: \w+)?)", lambda m: f"phase {m[1]}: {m[2]} {shape_of(m[1])}"),
    (r"phase\s+([\w-]+)\s*:?\s*([a-z]+)\s+([\d.]+\S*(?: (?:steps|tokens))?)", r"phase \1: \3 \2"),
    (r"phase\s+([\w-]+)\s+([\d.]+.*)", r"phase \1: \2"),
    (r"phase\s*:\s*(.*?)([a-z]+)", r"phase \2: \1\2"),
    (
        r"schedule\s*:?\s*wsd\s*,?\s*\(?(?:with\s+)?(?:an?\s+)?([\d.]+\s*%)\s*(?:decay|cooldown|anneal)\w*\)?",
        r"phase warmup: 1% warmup; phase stable: rest constant; phase decay: \1 linear",
    ),
    (
        r"tokens\s*:?\s*(\d\S*?)\s*x?\s*(?:tokens )?(?:per |/ ?)?(?:params?|parameters?)",
        r"require tokens / params == \1",
    ),
    (r"(require|prefer)\s*:?\s*([a-z][\w.]*)\s*[:=]?\s+(\d.*)", lambda m: f"{m[1]} {compared(m[2], m[3])}"),
    (r"(.*\bfinish) (?:by|before|until)\s+(.*)", r"\1 <= \2"),
    (r"start\s*:?\s*from\s+(.*)", r"start: \1"),
    (r"(.*) between (.*) and (.*)", r"\1 in \2 .. \3"),
    (r"plan\s*:?\s*([^\"\s].*)", r'plan "\1"'),
    (r"stage\s+([\w-]+)\s*:\s*(\S.*)", r"stage \1 { tokens: \2 }"),
    (r"objective\s*:?\s*(minimi|maximi)[sz]e\s+(.*)", r"\1ze \2"),
    (r"([a-z_]+)\s*=\s*(.*)", r"\1: \2"),
)
# What stands behind a device, which may be called by several words.
_BEHIND = r"for|in|at|from|until|@|\+"
# Fields of hardware that only a block has.
_OF_A_BLOCK = r"(availability|hours_per_day|pue|carbon_intensity|power|memory|peak)\s*[:=]?\s*(\d\S*(?: \w\S*)?)"
_HARDWARE = _patterns(
    (
        r"(\S+) x (\S+) for (\S+ \w+) at (\S+) MFU (?:at |with )?(\d\S*) availab\w+",
        r"{ gpus: \1, device: \2, time: \3, mfu: \4, availability: \5 }",
    ),
    (r"([\d.]+[kMB]?) (?:gpu|device)[- ]?hours?\s*(?:of|on|x)?\s*(.*)", r"\1 GPU-hours of \2"),
    (r"([\d.]+[kMB]?) ([a-z]+\d\w*)[- ]hours?(.*)", r"\1 GPU-hours of \2\3"),
    (r"(\d\S*) ([a-z]+\d\w*) gpus?(.*)", r"\1 x \2\3"),
    (r"(\d\S*) gpus?,?(?: of| x)? \(?([a-z]+\d\w*)\)?(.*)", r"\1 x \2\3"),
    (r"(\d[\d_]*)\s*(?:[X*]|of)\s*([a-z]+\d\S*)(.*)", r"\1 x \2\3"),
    (r"(for \S+ \w+),? (\S+ x \S+)(.*)", r"\2 \1\3"),
    (r"(.*?)\b(?:max(?:imum)?|at most|no more than|under|within|less than)\s+(\S.*)", r"\1up to \2"),
    (r"(\S+ x \S+)(?: and |, ?| ?& ?)(\S+ x \S+)( for .*)", r"\1\3 + \2\3"),
    (r"(\S+ x \S+ for .*?)(?: and|,| ?&) (\S+ x \S+ for .*)", r"\1 + \2"),
    (r"(.* x \S+?),? (bf16|fp16|fp8|fp32|tf32|int8)(.*)", r"\1 in \2\3"),
    (r"(.*?),?\s+(?:with\s+)?(\d+)(?: gpus?)?(?: per |/| a )node(.*)", r"\1 in nodes of \2\3"),
    (r"(.*?),?\s+(?:starting|starts?|beginning|since)(?: on| from| at)?\s+(\d{4}-.*)", r"\1 from \2"),
    (r"(.*from [\d-]{10}) (?:to|till|through|-)\s+(\d{4}-.*)", r"\1 until \2"),
    (r"(.*?),?\s+(?:price|costs?|for)\s*[:=]?\s*(\d\S* [a-z]{3}/gpu/\w+)(.*)", r"\1 @ \2\3"),
    (r"(.*@\s*)(\d[\d.]*)\s*[$](?:\s*(?:/|per)\s*[\w-]+)*(.*)", r"\1\2 USD/GPU/hour\3"),
    (r"(.*@\s*)(\d[\d.]*)\s*€(?:\s*(?:/|per)\s*[\w-]+)*(.*)", r"\1\2 EUR/GPU/hour\3"),
    (r"(.*?)\s+(?:with\s+|at\s+)?(?:an\s+)?MFU\s*(?:=|:|of)?\s*(0?\.\d+)(.*)", r"\1 at \2 MFU\3"),
    (
        rf"(\S+) x (\S+) for (\S+ \w+) at (\S+) MFU {_OF_A_BLOCK}",
        r"{ gpus: \1, device: \2, time: \3, mfu: \4, \5: \6 }",
    ),
    (rf"(\S+) x (\S+) for (\S+ \w+) {_OF_A_BLOCK}", r"{ gpus: \1, device: \2, time: \3, \4: \5 }"),
    (r"(\d[\d_]*)\s+([a-z]+\d\w*?)s?(\s.*)", r"\1 x \2\3"),
    (r"([a-z]+\d\w*)\s+x\s+(\d+)(.*)", r"\2 x \1\3"),
    (r"(\d[\d_]*)\s*nodes?\s+(?:of|with)\s+(\d+)\s*(?:x\s*)?([a-z]+\d\w*)(.*)", r"\1 nodes x \3\4 in nodes of \2"),
    (r"(\d[\d_]* x )([a-z]\w*(?: \w+)*? \d+ ?GB(?: \w+)*?)( for .*)", r'\1"\2"\3'),
    (rf"(\d[\d_]*\s*x )([a-z][\w-]*(?: (?!{_BEHIND})\w*[a-z]\w*)+)( (?:{_BEHIND}).*|)", r'\1"\2"\3'),
    (r"(.*\bdevice\s*:\s*)([a-z][\w-]*(?: \w+)+)(.*)", r'\1"\2"\3'),
    (r"([a-z]+ \w+)\s+x\s+(\d+)(.*)", r'\2 x "\1"\3'),
    (r"(\d[\d_]*\s*x [^\s\",]+),?\s+(\d.*)", r"\1 for \2"),
    (r"(\d+\s*\*\s*\d+) x (.*)", r"(\1) x \2"),
    (r"(\d+) x (\d+) x (.*)", r"(\1 * \2) x \3"),
    (r"(.* x \S+)( for \S+ \w+.*?) in (?!nodes)([a-z]+\d+)(.*)", r"\1 in \3\2\4"),
    (r"(.*@\s*\S+ [a-z]{3}) per (?:gpu[- ]?)?hour(.*)", r"\1/GPU/hour\2"),
    (r"(.*?),?\s+(\d\S* [a-z]{3}/gpu/\w+)(.*)", r"\1 @ \2\3"),
    (r"(.* for) an?\s+(.*)", r"\1 1 \2"),
    (r"(.* for) (\d\S*\s*[a-z]+)\s*(?:and|,)?\s*(\d\S*\s*[a-z]+)(.*)", r"\1 (\2 + \3)\4"),
    (r"(.*?),?\s+(?:with\s+|at\s+)?(\d[\d.]*)\s*%\s*MFU(.*)", r"\1 at \2% MFU\3"),
    (r"(.*?)\s+(?:with\s+|at\s+)?(?:an\s+)?MFU\s*(?:=|:|of)?\s*(\d[\d.]*)\s*%(.*)", r"\1 at \2% MFU\3"),
    (r"(.*@\s*)[$]\s*(\d[\d.]*)\s*(?:(?:/|per)\s*[\w-]+\s*)*(.*)", r"\1\2 USD/GPU/hour \3"),
    (r"(.*@\s*)€\s*(\d[\d.]*)\s*(?:(?:/|per)\s*[\w-]+\s*)*(.*)", r"\1\2 EUR/GPU/hour \3"),
    (r"(.*(?:from|until) \d{4})[/.](\d\d)[/.](\d\d)(.*)", r"\1-\2-\3\4"),
    (r"(\S+ x \S+(?: in [a-z]+\d+)?) (.*?) (for (?:up to )?(?:\?|\S+ [a-z]+))(.*)", r"\1 \3 \2\4"),
)
_DATA = _patterns(
    (
        r"(.*?\b(?:tokens|bytes|characters|[GT]B)),?\s+(?:for|max|x|at most)?\s*"
        r"(\d+)\s*(?:x|times|epochs?|passes)?(.*)",
        r"\1 up to \2 epochs\3",
    ),
    (r"(.*\b(?:tokens|bytes|characters|GB|TB))\s+(\d[\d.]* epochs?)(.*)", r"\1 up to \2\3"),
    (r"(.*\b(?:tokens|bytes|characters|GB|TB)),?\s+(\d[\d.]*\s?%)(.*)", r"\1 weight \2\3"),
    (r"(.*?),? (high|ordinary|sft)[- ]quality(.*)", r"\1 quality \2\3"),
    (r"(.*),\s*(.*)", r"\1 \2"),
)
_OBJECTIVE = _patterns(
    (r"transfer (?:from )?(\w+) (?:to |-> ?)(.*)", r"transfer from \1 to \2"),
    (r"transfer from (clm|mlm)", lambda m: f"transfer from {m[1]} to {'MLM' if m[1].upper() == 'CLM' else 'CLM'}"),
    (r".*(?:mask|denois|corrupt|infill).*", "MLM"),
    (r".*(?:causal|autoregressive|next.token|language.model).*", "CLM"),
)
_OPTIMIZER = _patterns(
    (r"(adam\w*?)[- ]*(?:in )?8[- ]?bit(.*)", r"AdamW8bit\2"),
    (r"q?lora\W*(?:(?:rank|r)\b\s*[:= ]?)?\s*(\d+)", r"AdamW { lora: \1 }"),
    (r"(.*\blora)\s*:?\s*(?:rank|r)\b\s*[:= ]?\s*(\d+)(.*)", r"\1: \2\3"),
    (r"(\w+)\b\s*[,({\[]?\s*([a-z]\w*\s*[:= ].*)", _settings),
)
_LAYOUT = _patterns(
    (r"fsdp2?|fully sharded(?: data parallel)?", "in fsdp2"),
    (r"(megatron|deepspeed)(?:-lm)?", r"in \1"),
    (r"\{?\s*([^{}]*?)\s*\}?", _degrees),
)
_MODEL = _patterns(
    (r"([a-z]+) (\S+) (\d+b)", r"\1-\2-\3"),
    (r"(\d\S*(?: param\w*)?)\s*[,(]?\s*(?:of which\s+)?(\d\S*(?: param\w*)?) active\W*", r"\1, \2 active"),
    (r"(\d\S*)(?: param\w*)?\s*,\s*(\d+) layers?", r"{ params: \1, layers: \2 }"),
)
_VALUES: dict[str, _Repairs] = {
    "hw_spec": _HARDWARE,
    "data_spec": _DATA,
    "obj_spec": _OBJECTIVE,
    "model_spec": _MODEL,
    "opt_spec": _OPTIMIZER,
    "layout_spec": _LAYOUT,
}
_ANY = _patterns(
    (r"([^{]*)\{([^{}]*)\}", _fields),
    (r"\[\s*([^,\]]+),\s*([^,\]]+)\]", r"\1 .. \2"),
    (r"\[\s*(.*?)\s*\]", r"\1"),
    (r"(.*?)(?<![\d.])(\d+),(\d{1,2})(?![\d.])(.*)", r"\1\2.\3\4"),
    (r"max(?:imum)?\s+(\d.*)", r"at most \1"),
    (r"min(?:imum)?\s+(\d.*)", r"at least \1"),
    (r"(.*?)(?:\babout\b|\baround\b|\bca\.|\broughly\b|[~≈])\s*(\d.*)", r"\1\2"),
    (r"(.*?)\bpeta-?\s?flops?(?:/s)?[- ]days?(.*)", r"\1PF-days\2"),
    (r"(.*[<>=].*?)\s*,\s*(.*[<>=].*)", r"\1 and \2"),
    (r"(.*?)\b(usd|eur|gbp|chf|jpy)\s*(\d\S*)(.*)", r"\1\3 \2\4"),
    (r'(.*"[^"]*)', r'\1"'),
    (
        rf"(.*?)\b({'|'.join(_SPELLED)})\b(.*)",
        lambda m: f"{m[1]}{_SPELLED[m[2].lower()]}{m[3]}",
    ),
    (r"(.*?)\s*[,;.]+", r"\1"),
    (r"(.*\bbecause)\s+([^\"\s].*)", r'\1 "\2"'),
    (r"(.*?)=([<>])(.*)", r"\1\2=\3"),
    (r"[~≈=]\s*(.*)", r"\1"),
    (r"(.*?)[$]\s*(\d[\d._]*[kMBT]?)(.*)", r"\1\2 USD\3"),
    (r"(.*?)€\s*(\d[\d._]*[kMBT]?)(.*)", r"\1\2 EUR\3"),
    (r"(.*?)£\s*(\d[\d._]*[kMBT]?)(.*)", r"\1\2 GBP\3"),
    (r"(.*?\d) thousand(.*)", r"\1K\2"),
    (r"(.*?\d) millions?(.*)", r"\1M\2"),
    (r"(.*?\d) billions?(.*)", r"\1B\2"),
    (r"(.*?\d) trillions?(.*)", r"\1T\2"),
    (r"(.*?\d) ([kMBT]) (.*)", r"\1\2 \3"),
    (r"(.*?)\bthe\s+(.*)", r"\1\2"),
    (r"(.*\w) per (\w+?)s?( .*)", r"\1 / \2s\3"),
    (r"(.*?\w)\s+(?:is |are |stays |must be )?(?:at most|below|under|less than|no more than)\s+(.*)", r"\1 <= \2"),
    (r"(.*?\w)\s+(?:is |are |stays |must be )?(?:at least|above|over|more than|no less than)\s+(.*)", r"\1 >= \2"),
    (r"<=?\s*(.*)", r"at most \1"),
    (r">=?\s*(.*)", r"at least \1"),
    (r"(.*?\d[^\s-]*)\s*(?:to|-)\s*(\d.*)", r"\1 .. \2"),
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
# Days as people write them, but for those of which the day and the month may be meant either way.
_DAYS = (
    re.compile(r"\b(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})\b"),
    re.compile(r"\b(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})\b"),
    re.compile(rf"\b(?P<d>\d{{1,2}})\.? (?P<m>{'|'.join(_MONTHS)})\w* (?P<y>\d{{4}})\b", re.IGNORECASE),
    re.compile(rf"\b(?P<m>{'|'.join(_MONTHS)})\w* (?P<d>\d{{1,2}}),? (?P<y>\d{{4}})\b", re.IGNORECASE),
)
_MONTH = re.compile(rf"\b(?P<m>{'|'.join(_MONTHS)})[a-z]* (?P<y>\d{{4}})\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NODES = re.compile(r"(.*?)(\d+) nodes? x (\d+) (?:x )?([A-Za-z]\S*)(.*)")
_MEASURED = re.compile(r"(?:\d\S*(?: \w+)?|\b(?:for|@|at|of) \w+)$")
_ASIDE = re.compile(r"[\W_]*(?:max|only|in total|total|please|ish)?\W*$|(?:for|because|as|with)\b", re.IGNORECASE)
_FIGURE = re.compile(r"\d")
_HEAD = re.compile(r"[a-z_]+(?:[ \t]+[\w.-]+(?=[ \t]*:))?[ \t]*:?[ \t]*", re.IGNORECASE)
MAX_LENGTH = 200  # characters of a statement that is tried to be mended

Parses = Callable[[str, str], bool]


def mended(text: str, rule: str, at: int, parses: Parses) -> str | None:
    """A text as it may have been meant: it can be read by the rule; None where no repair is known that makes it so.

    Args:
        rule: The start rule: `file` for a statement with its keyword.
        at: Where the text leaves the grammar; words that follow may be left out.
        parses: Whether a text can be read by a rule.
    """
    if len(text) > MAX_LENGTH or "\n" in text:
        return None

    def is_meant(text: str) -> bool:
        return parses(text, rule) and _says(text, rule)

    tried = {text}
    for once in _repaired(text, rule):
        if once in tried:
            continue
        tried.add(once)
        if is_meant(once):
            return once
        for twice in _repaired(once, rule):
            if twice not in tried and is_meant(twice):
                return twice
            tried.add(twice)
    kept, left_out = text[:at].rstrip(), text[at:]
    # Words may go; a figure says something that is not to be lost, and so does the word behind one, its unit.
    lost = _FIGURE.search(left_out) or (_MEASURED.search(kept) and not _ASIDE.match(left_out))
    return kept if kept and left_out.strip() and not lost and is_meant(kept) else None


# Values that are a figure, or a bound on one: where nothing of it is left, nothing is said.
_FIGURES = frozenset("hw_spec amount data_spec reserve_spec let_spec rate_spec calendar_spec".split())


def _says(text: str, rule: str) -> bool:
    """Whether a statement, or the value of one, says what it is for: a figure, a comparison."""
    words = text.split()
    row = BY_KEY.get(words[0].rstrip(":")) if rule == "file" and words else None
    rule = row.value if row else rule
    if rule == "constraint":
        return re.search(r"[<>=≤≥]| in ", text) is not None
    return rule not in _FIGURES or re.search(r"[\d?]|\bunknown\b", text) is not None


def _repaired(text: str, rule: str) -> Iterator[str]:
    """The text after each repair that applies."""
    if _THOUSANDS.search(text):
        yield _THOUSANDS.sub("_", text)
    for day in _DAYS:
        if day.search(text):
            yield day.sub(_iso, text)
    if (m := _MONTH.search(text)) and not any(day.search(text) for day in _DAYS):
        yield _MONTH.sub(_last_of_month if re.search(r"(?:<=?|by|before|until)\s*$", text[: m.start()]) else _iso, text)
    if m := _NODES.fullmatch(text):
        yield f"{m[1]}{int(m[2]) * int(m[3])} x {m[4]}{m[5]} in nodes of {m[3]}"
    if rule != "file":
        yield from _applied((*_VALUES.get(rule, ()), *_ANY), text)
        return
    yield from _applied(_STATEMENTS, text)
    head = _HEAD.match(text)
    begin = head.end() if head else 0
    keyword = text[:begin].split(":")[0].split()[:1]
    row = BY_KEY.get(keyword[0]) if keyword else None
    own = _VALUES.get(row.value, ()) if row else ()
    yield from (text[:begin] + value for value in _applied((*own, *_ANY), text[begin:]))


def _applied(repairs: _Repairs, text: str) -> Iterator[str]:
    for pattern, written in repairs:
        if m := pattern.fullmatch(text):
            yield (m.expand(written) if isinstance(written, str) else written(m)).rstrip()


def _iso(m: re.Match[str]) -> str:
    """A day as a date; of a month the first."""
    month = _MONTHS.index(m["m"][:3].lower()) + 1 if m["m"].isalpha() else int(m["m"])
    return f"{m['y']}-{month:02d}-{int(m.groupdict().get('d', 1)):02d}"


def _last_of_month(m: re.Match[str]) -> str:
    year, month = int(m["y"]), _MONTHS.index(m["m"][:3].lower()) + 1
    return f"{year}-{month:02d}-{last_day(year, month):02d}"
