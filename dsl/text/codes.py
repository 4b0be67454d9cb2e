"""The codes of the findings that the reader and the engine raise themselves; a rule of a pack brings its own."""

from __future__ import annotations

from runplan.dsl.dataclass import dataclass
from runplan.dsl.types import Literal

Severity = Literal["error", "warning", "info"]
RANK: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for.

    Attributes:
        name: Its kebab name, accepted wherever the code is.
        severity: Of its findings, where they do not say another.
        says: When it is found, in a sentence without a full stop.
        silenceable: Whether a plan or a flag may leave it out: it may not where the plan or a pack itself is wrong.
    """

    name: str
    severity: Severity
    says: str
    silenceable: bool = True


def _firm(name: str, says: str) -> Code:
    return Code(name, "error", says, silenceable=False)


# A code is permanent and is never used again for another thing.
CODES: dict[str, Code] = {
    "S001": _firm("syntax", "the text is not of the language: what was expected there is said"),
    "S002": _firm("duplicate-key", "a YAML key stands twice"),
    "S003": _firm("not-text", "the file is no text: binary, a NUL, not UTF-8, or with marks that turn its direction"),
    "S004": _firm("too-large", "the file is too large, nested too deep, or has too many items"),
    "S005": _firm(
        "yaml-feature", "a feature of YAML that plans do not have: tag, anchor, alias, merge, several documents"
    ),
    "S006": _firm("empty-plan", "the plan says nothing that could be solved"),
    "N001": _firm("unknown-statement", "a statement or a field that there is not"),
    "N002": _firm("unknown-name", "a device, law, quantity or `let` that nothing defines"),
    "N003": _firm("cyclic", "`let`s, imports or laws that refer to each other in a circle"),
    "N004": _firm("import-not-found", "an imported file is not there, or lies outside the project"),
    "N005": _firm("given-twice", "a figure is given twice, or a `let` has the name of a quantity"),
    "U001": _firm("dimension-mismatch", "dimensions that do not go together"),
    "U002": _firm("unknown-unit", "a unit that there is not"),
    "U003": _firm("unit-missing", "a number without a unit where nothing implies one"),
    "U004": _firm("out-of-domain", "a figure that cannot be: zero, negative, out of all scale, or a share over 100 %"),
    "C001": _firm("conflicting-values", "figures of the plan contradict each other"),
    "C002": _firm("under-determined", "nothing determines a `?`: what more would is said"),
    "C003": _firm("infeasible", "the givens cannot hold together: what would make room is said"),
    "C004": _firm("missing-price", "a requirement needs a figure that is not given, such as a price"),
    "C009": _firm("gave-up", "a limit of the solver was reached, or a form is read and not solved yet"),
    "B001": Code(
        "over-budget", "error", "cost, compute, time, energy, emissions or hardware are over what the plan allows"
    ),
    "B002": Code("requirement-broken", "error", "a requirement is broken"),
    "B003": Code("preference-missed", "warning", "a preference is not met"),
    "L001": Code("beyond-fitted-range", "info", "a law is used outside the range of the runs that it was fitted to"),
    "L002": Code("laws-disagree", "error", "laws, or plans, lie further apart than `plan compare --max-spread` allows"),
    "L003": Code("left-the-line", "info", "the plan moves a law off its optimum line"),
    "L004": Code(
        "law-does-not-give",
        "error",
        "the plan asks of a law what it does not give; information where all else is solved without",
    ),
    "H011": Code(
        "may-miss", "warning", "what is required holds at the rate that is assumed, and fails in many draws of it"
    ),
    "T026": Code("unknown-optimizer", "warning", "an optimizer that the library does not list"),
    "T027": Code("no-rate-for-optimizer", "info", "an optimizer whose learning rate no law tells: none is given"),
    "D009": Code("binary-prefix", "warning", "a count has a binary suffix, such as `85Mi`"),
    "P001": _firm("pack-invalid", "a definition in a pack is not whole, or not sound"),
    "P002": _firm("golden-value-off", "a law does not give its golden value, or a rule its examples"),
    "E001": Code("not-carried", "error", "a format of `plan export` has no place for what the plan says"),
    "E002": Code("export-needs", "error", "a format of `plan export` needs what the plan does not tell, or not so"),
    "E003": Code("config-unreadable", "error", "of a configuration no plan can be made: why is said"),
    "E004": Code(
        "config-assumed", "warning", "no file of a run says what its plan has to: what is taken in its place is said"
    ),
    "F001": Code("no-runs", "error", "a file of runs has none that can be used"),
    "F002": Code("column-missing", "error", "a file of runs lacks a column, and nothing in it tells the same"),
    "F003": Code("column-ambiguous", "error", "several columns of a file of runs may be one quantity: which is asked"),
    "F004": Code(
        "column-unit", "error", "a column of a file of runs is in a unit that is not said, or of another quantity"
    ),
    "F005": Code(
        "decimals-ambiguous", "error", "figures of a file of runs have one comma each, of decimals or of thousands"
    ),
    "F006": Code("rows-left-out", "warning", "rows of a file of runs that cannot be used, with the reason of each"),
    "F007": Code("row-twice", "warning", "a row of a file of runs stands there again, and counts once"),
    "F008": Code("runs-repeated", "info", "runs of the same inputs with other results: they tell the noise"),
    "F009": Code("figures-disagree", "warning", "figures of a run that do not go together, such as compute and 6ND"),
    "F010": Code("run-diverged", "warning", "a run whose loss is no finite number, or that of a guess"),
    "F011": Code("run-unfinished", "warning", "a run that ended before it had all of its tokens"),
    "F012": Code("column-derived", "info", "a column that a file of runs lacks is taken from its others"),
    "F013": Code("not-runs", "error", "a file is in none of the forms that runs are read in, or breaks off"),
    "F014": Code("unit-taken", "info", "a column of a file of runs says no unit: which was taken is said"),
    "F015": Code("counted-otherwise", "warning", "the runs count params otherwise than the law whose form is fitted"),
    "F016": Code("column-mistaken", "error", "a column of a file of runs is something else than what its name says"),
    "F017": Code("one-run", "warning", "rows of a file of runs that are points of one run"),
    "F018": Code("kinds-apart", "warning", "runs of two kinds, by a column of words, lie on both sides of a form"),
    "F020": Code("too-few-runs", "error", "fewer runs than a form has constants, or as many: nothing can be told"),
    "F021": Code("all-alike", "error", "runs that all gave the same"),
    "F022": Code("too-few-values", "error", "a figure of the runs has one value or two: what it does cannot be told"),
    "F023": Code("in-step", "error", "figures of the runs move together, such as one ratio of tokens to params"),
    "F024": Code("untold", "warning", "a constant of a fit that the runs do not tell: an end of its interval is open"),
    "F025": Code("told-together", "info", "constants of a fit of which the runs tell only a combination"),
    "F026": Code("no-minimum", "error", "the search of a fit reached no minimum"),
    "F027": Code("other-minima", "warning", "other constants fit nearly as well, and are far away"),
    "F028": Code("lack-of-fit", "warning", "what a form leaves of the runs is no noise"),
    "F029": Code("stands-apart", "info", "runs that are far from the form; none is left out"),
    "F030": Code(
        "forecast-errs", "warning", "larger runs came out further from what the smaller told than was expected"
    ),
    "F031": Code("parabola-bias", "info", "parabolas through runs of one budget put its best size off: by how much"),
    "F040": Code("budget-left-out", "warning", "a budget whose runs have no lowest point, with the reason"),
    "F041": Code(
        "too-few-budgets", "error", "fewer budgets, or best runs, than tell a line through them and its error"
    ),
    "W001": Code("slower-than-planned", "warning", "a run trains on fewer tokens a second than its plan has it"),
    "W002": Code("loss-above-band", "warning", "the loss of a run lies above what the plan's law expects by now"),
    "W003": Code("loss-rises", "error", "the loss of a run rises, or is no number any more; a little is a warning"),
    "W004": Code("will-miss", "error", "a run will miss what its plan gives or requires, by the forecast"),
    "W005": Code("may-fall-short", "warning", "the interval of a forecast reaches beyond what the plan allows"),
    "W006": Code("learning-rate-off-plan", "warning", "the learning rate of a run is not that of its plan"),
    "W007": Code("batch-off-plan", "warning", "a run takes other tokens a step than its plan"),
    "W008": Code("run-resumed", "info", "the log of a run goes back: what was done twice counts once"),
    "W009": Code("run-paused", "info", "a run stood still between two points of its log"),
    "W010": Code("law-of-other-losses", "info", "the losses of a log are not such as the plan's law speaks of"),
    "W011": Code("plan-changed", "warning", "a plan says something else than when its run was frozen"),
    "W012": Code("not-frozen", "info", "a run is held to its plan as it is now: nothing was frozen when it began"),
    "W013": Code("beyond-plan", "warning", "a run has trained on more tokens than its plan has"),
    "W014": Code("too-early", "info", "a log is too short for a forecast of the loss"),
    "W015": Code("another-run", "error", "a log is faster than the devices of the plan can be: it is of another run"),
    "W016": Code("pace-changed", "warning", "a run has become slower than it was itself, or faster"),
    "X001": Code("unused-ignore", "warning", "an `ignore` that ignores nothing"),
    "X002": Code("unknown-code-in-ignore", "warning", "an `ignore` of a code that there is not"),
    "X003": Code("ignore-expired", "warning", "an `ignore` whose date has passed, or is none"),
    "X004": Code("ignore-without-reason", "warning", "an `ignore` without a reason"),
    "R001": Code("unpinned-pack", "info", "a pack that no `runplan.lock` pins: answers may move with it"),
    "R002": Code(
        "answer-moved", "warning", "a plan comes to something else than when it was locked, and it says the same"
    ),
}


def silenceable(code: str) -> bool:
    """Whether findings of a code may be left out; those of a pack's own rules may."""
    return code not in CODES or CODES[code].silenceable


def code_of(word: str) -> str | None:
    """The code that a word, in any case, is or names; None where none of these does."""
    word = word.lower()
    return next((code for code, known in CODES.items() if word in (code.lower(), known.name)), None)


def pairs() -> frozenset[tuple[str, str]]:
    """Each code with its name."""
    return frozenset((code, known.name) for code, known in CODES.items())


def words() -> tuple[str, ...]:
    """Every code and every name."""
    return (*CODES, *(known.name for known in CODES.values()))
