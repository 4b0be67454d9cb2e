"""A plan and a law to a problem: what is known, what is free, what must hold, what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from runplan.dsl.expression import COMPARISONS, Expr, Op, Ref, comparisons, names, shown, substitute, walk
from runplan.dsl.finding import Label, finding
from runplan.dsl.ir import Amount, Constraint, Given, Hole, Objective, Plan, Within
from runplan.dsl.pack import Law
from runplan.engine.catalogue import Catalogue
from runplan.engine.data import add_data
from runplan.engine.draft import FLOP, PARAM, TOKEN, Draft, first_statement, number
from runplan.engine.hardware import POOLED, add_hardware
from runplan.engine.lawuse import OF_MIXTURES, add_defaults, add_law, gives, is_frontier, line_of
from runplan.engine.problem import Aim, Definition, Limit, Problem, expand
from runplan.engine.size import add_architecture, add_converted_back, add_converted_params, counts_without_embeddings

# What the hardware that a plan reserves decides by itself: it is judged, and does not move the solution.
RESERVED = frozenset(
    "time finish cost gpu_hours energy emissions gpus nodes mfu rate price peak power pue carbon_intensity availability"
    " capacity reserved_time".split()
)
# Variables that choose the run; the others choose the hardware.
OF_THE_RUN = ("params", "law_params", "tokens", "finetune_tokens")


def objective_of(plan: Plan) -> Objective:
    """The plan's objective, or the default: CLM of text."""
    found = next((stage.objective for stage in plan.stages if stage.objective), None)
    return found or Objective("CLM", None, None, "text", None)


def pose(
    plan: Plan,
    law: Law,
    named: str,
    catalogue: Catalogue,
    *,
    size: float | None = None,
    loosened: frozenset[str] = frozenset(),
    fixed: Mapping[str, float] | None = None,
    repeats: bool = False,
    scaled: tuple[str, float] = ("", 1.0),
) -> Problem:
    """The problem of a plan under a law.

    Args:
        named: The law as the plan names it.
        size: Params at which a default MFU is looked up, where the plan gives none.
        loosened: Names of givens that are left open, to find what change makes room.
        fixed: Variables set to a value, such as a number of GPUs rounded to whole nodes.
        repeats: Whether repeated data are discounted; without repeats the discount is nothing, and costs time.
        scaled: A figure that is given or assumed, by name, and a factor to it: to see what would change.
    """
    draft = Draft(plan, law, named, objective_of(plan), catalogue, size, loosened, fixed or {}, repeats, scaled)
    _not_solved_yet(draft)
    for let in plan.lets.values():
        draft.define(let.name, (), let.expr, "given", "let", let.span)
    _model_and_tokens(draft)
    add_law(draft)
    _mixture(draft)
    add_hardware(draft)
    add_data(draft)
    if draft.stage.inference is not None:
        draft.figure("inference_tokens", draft.stage.inference, TOKEN, 1e12, "inference")
    add_defaults(draft)
    for name, q in catalogue.quantities().items():
        if q.formula is not None and not draft.knows(name):
            draft.define(name, draft.dim(name), q.formula, "derived", q.title, q.span)
    draft.prune()
    _compute_limits(draft)
    decided = _requirements(draft)
    line = line_of(draft)
    aims, goal = _aims(draft, line)
    return Problem(
        named,
        law,
        draft.objective,
        draft.definitions,
        tuple(draft.variables),
        tuple(draft.limits),
        decided,
        aims,
        goal,
        draft.givens,
        tuple(draft.asked),
        draft.sources,
        tuple(draft.findings),
        first_statement(plan),
        line,
        is_frontier(draft),
        draft.phases,
        tuple(draft.lent.values()),
    )


def _not_solved_yet(draft: Draft) -> None:
    """What is read and typed, and not solved: said, never passed over."""
    plan = draft.plan
    if len(plan.stages) > 1 or plan.stages[0].name:
        span = next((s.span for s in plan.stages if s.span), None)
        draft.gave_up("stages are read, and not solved yet", span, ["plan each stage in a file of its own"])
    for constraint in (*plan.requires, *plan.prefers):
        for item in walk(constraint.condition):
            if isinstance(item, Op) and item.op in ("P", "or", "not", "!="):
                said = "P(...)" if item.op == "P" else f"`{item.op}`"
                draft.gave_up(f"{said} in a requirement is read, and not solved yet", constraint.span)
                break


# ---- what is trained


def _model_and_tokens(draft: Draft) -> None:
    tokens = draft.stage.tokens
    if draft.transfer:
        draft.figure("finetune_tokens", None, TOKEN, 1e10, "finetune_tokens")
        if gives(draft, "transferred_tokens"):
            _first_stage(draft)
            total = Op("+", (Ref("pretrain_tokens"), Ref("finetune_tokens")))
            draft.define("tokens", TOKEN, total, "derived", "both stages")
        else:
            if gives(draft, "transferred_characters"):
                worth = Op("/", (Ref("transferred_characters"), Ref("characters_per_token")))
                draft.define("transferred_tokens", TOKEN, worth, "derived", "the law counts characters")
                same = draft.formula("compute", tokens="effective_finetune_tokens")
                said = "the same size from scratch, on the data that the transfer makes of the target's"
                draft.define("scratch_compute", FLOP, same, "derived", said)
            said = "the law does not say how long the first stage takes: only the second is counted"
            draft.define("tokens", TOKEN, Ref("finetune_tokens"), "assumed", said)
        _limited(draft, "tokens", tokens, "tokens")
    else:
        draft.figure("tokens", tokens, TOKEN, 1e11, "tokens")
    size = draft.plan.model.params if draft.plan.model else None
    if add_architecture(draft) and size is None:
        # The architecture tells the size: the law's own count follows from it.
        counted = "params_non_embedding" if counts_without_embeddings(draft) else "params"
        draft.define("law_params", PARAM, Ref(counted), "derived", f"the law counts `{counted}`")
        return
    if counts_without_embeddings(draft):
        if isinstance(size, Given) and "params" not in draft.loosened:
            draft.figure("params", size, PARAM, 1e9, "model")
            add_converted_back(draft)
            return
        # The law's own count is the variable; the total follows from it.
        draft.figure("law_params", None, PARAM, 1e9, "model")
        add_converted_params(draft)
        _limited(draft, "params", size, "model")
        return
    draft.figure("params", size, PARAM, 1e9, "model")
    model = draft.plan.model
    if draft.law.counts == "active" and model is not None and model.active is not None:
        draft.give("law_params", PARAM, model.active)
        return
    said = "the law counts all params"
    if draft.law.counts == "non_embedding":
        said = f"the law counts no embeddings: for {draft.objective.domain} they are taken to add nothing"
    draft.define("law_params", PARAM, Ref("params"), "derived", said)


def _first_stage(draft: Draft) -> None:
    """The tokens of the stage that is transferred from: what it is worth, of the data that there are for it."""
    worth, said = Ref("transferred_tokens"), "what the transfer is worth; more is wasted"
    data = next((source for source in draft.stage.data if source.stage == "pretrain"), None)
    if data is None:
        draft.define("pretrain_tokens", TOKEN, worth, "derived", said)
        return
    least = Op("min", (worth, Ref("pretrain_data")))
    tokens, model = draft.stage.tokens, draft.plan.model
    if not isinstance(tokens, Given) or "tokens" in draft.loosened:
        draft.define("pretrain_tokens", TOKEN, least, "derived", said)
        return
    # All is stated: what the second stage leaves of the tokens is the first's, wasted or not.
    left = Op("-", (number(tokens, TOKEN), Ref("finetune_tokens")))
    draft.define("pretrain_tokens", TOKEN, left, "derived", "what the second stage leaves of the tokens")
    # The kink of a minimum is more than the solver takes where the size is free, too.
    floor = least if model and isinstance(model.params, Given) else worth
    draft.limits.append(Limit("pretrain_tokens", floor, Ref("pretrain_tokens"), "line", data.span))
    draft.limits.append(Limit("data", Ref("pretrain_tokens"), Ref("pretrain_data"), "data", data.span))


def _mixture(draft: Draft) -> None:
    """A mixture of experts: the compute is that of the params that a token passes through, and the law must know it."""
    model = draft.plan.model
    if model is None or (model.active is None and "experts" not in model.architecture):
        return
    at = model.active.span if model.active else model.span
    if not any(p.quantity in OF_MIXTURES for f in draft.law.functions for p in f.parameters):
        help = ["name a law of mixtures in `laws`; `plan law` lists what each needs"]
        message = f"`{draft.law.name}` is a law of dense models; the plan's is a mixture of experts"
        draft.does_not_give(message, at, help)
        draft.definitions.pop("loss", None)
    if model.active is None and (draft.stage.hardware or draft.stage.compute):
        help = ["add the params that a token passes: `active: 37B`"]
        message = "the compute of a mixture of experts is that of its active params, which are not told"
        draft.findings.append(finding("C004", message, at, help=help))
    if model.active is not None:
        if isinstance(model.params, Given) and model.active.value.value > model.params.value.value:
            message = "more params are active than there are"
            also = [Label(model.params.span, "all of them")]
            draft.findings.append(finding("C001", message, model.active.span, also=also))
        draft.give("active_params", PARAM, model.active)
        expr = draft.formula("compute", law_params="active_params")
        said = "training compute: 6 a token and param that it passes through"
        draft.define("compute", FLOP, expr, "derived", said, at)
        serving = draft.formula("inference_compute", law_params="active_params")
        said = "compute of serving: 2 a token and param that it passes through"
        draft.define("inference_compute", FLOP, serving, "derived", said, at)
    if {"experts", "active_experts"} <= draft.definitions.keys():
        unused = Op("-", (Ref("experts"), Ref("active_experts")))
        draft.define("sparsity", (), Op("/", (unused, Ref("experts"))), "derived", "experts that a token does not pass")


def _limited(draft: Draft, name: str, amount: Amount | None, what: str) -> None:
    """A figure of the plan on a quantity that follows from others: a limit."""
    if isinstance(amount, Given):
        draft.givens[name] = amount
        if name not in draft.loosened:
            end = number(amount, amount.value.dim)
            draft.limits.append(Limit(name, Ref(name), end, "given", amount.span, equal=True))
    elif isinstance(amount, Within):
        draft.bound(what, name, amount)
    elif isinstance(amount, Hole):
        draft.asked.append(name)


# ---- what must hold


def _compute_limits(draft: Draft) -> None:
    if "capacity" in draft.definitions:
        span = draft.stage.hardware[0].span
        draft.limits.append(Limit("compute", Ref("compute"), Ref("capacity"), "capacity", span))
    budget = draft.stage.compute
    if isinstance(budget, Within) and budget.low is not None:
        low = number(budget.low, FLOP)
        draft.limits.append(Limit("compute", low, Ref("compute"), "range", budget.span))
    high = budget if isinstance(budget, Given) else (budget.high if isinstance(budget, Within) else None)
    if high is None:
        return
    draft.givens["compute"] = high
    if "compute" not in draft.loosened:
        draft.give("compute_budget", FLOP, high)
        draft.limits.append(Limit("compute", Ref("compute"), Ref("compute_budget"), "budget", high.span))


def _requirements(draft: Draft) -> tuple[Constraint, ...]:
    """Requirements that the solution keeps become limits; those that the givens decide are returned."""
    decided: list[Constraint] = []
    variables = {variable.name for variable in draft.variables}
    reserved = "capacity" in draft.definitions and variables <= set(OF_THE_RUN)
    memo: dict[str, Expr] = {}
    for constraint in draft.plan.requires:
        mentioned = names(without_lets(constraint.condition, draft.plan))
        missing = sorted(name for name in mentioned if not draft.knows(name))
        if missing:
            # A figure that is read and not solved has its finding, and what needs it no second one.
            if not any(f.code == "C009" for f in draft.findings):
                _missing(draft, constraint, missing[0])
            continue
        free = names(expand(constraint.condition, draft.definitions, memo)) & variables
        if not free or (reserved and mentioned <= RESERVED):
            decided.append(constraint)
            continue
        for part in comparisons(constraint.condition):
            if part.op not in COMPARISONS:  # read and not solved: said already
                continue
            left, right = reversed(part.args) if part.op in (">=", ">") else part.args
            text = " ".join(constraint.span.text.split())
            draft.limits.append(Limit(text, left, right, "require", constraint.span, part.op == "==", constraint))
    return tuple(decided)


def without_lets(expr: Expr, plan: Plan) -> Expr:
    """The expression with the plan's `let`s replaced."""
    lets = {name: Definition(name, (), let.expr, "given") for name, let in plan.lets.items()}
    return expand(expr, lets, {})


def _missing(draft: Draft, constraint: Constraint, name: str) -> None:
    reason, help = why_missing(draft, name)
    if reason == "law":
        message, code = f"`{draft.law.name}` does not give `{name}`", "L004"
    else:
        message, code = f"`{name}` is not known: {reason}", "C004"
    laws = (draft.named,) if reason == "law" else ()
    draft.findings.append(finding(code, message, constraint.span, help=help, key=constraint.key, laws=laws))


# What gives a quantity, and the statement to add for it.
NEEDS = {
    "cost": ("price", "add `@ PRICE` to the hardware, such as `@ 2.50 USD/GPU/hour`"),
    "energy": (
        "pue",
        "add `pue: 1.1`, the power usage effectiveness of the building, to the hardware's block",
    ),
    "emissions": ("carbon_intensity", "add `carbon_intensity: 385 gCO2eq/kWh` to the hardware's block"),
    "nodes": ("nodes_of", "add `in nodes of 8` to the hardware"),
    "finish": ("start", "add `from 2026-12-01` to the hardware"),
}


def why_missing(draft: Draft, name: str) -> tuple[str, list[str]]:
    """Why nothing gives a quantity, `law` where it is the law's part to give it, and what to add."""
    if name in ("loss", "perplexity", "regret"):
        return "law", ["name a law with a loss surface in `laws`; `plan law` lists what each gives"]
    if name in NEEDS and draft.stage.hardware:
        chain = [name, "energy"] if name == "emissions" else [name]
        lacking = [NEEDS[n] for n in chain if NEEDS[n][0] not in draft.definitions] or [NEEDS[name]]
        return f"no `{lacking[0][0].replace('start', 'from')}` is given", [text for _, text in lacking]
    if name in NEEDS or name in POOLED or name in ("time", "idle_share"):
        return "the plan has no hardware", ["add `hardware: 1000 x H100 for 6 months`"]
    if name.startswith(("tokens.", "epochs.", "share.")) or name == "epochs":
        return "the plan gives no data", ["add `data: 10T tokens`"]
    return "nothing in the plan or the law gives it", []


# ---- what is wanted


def _aims(draft: Draft, line: Op | None) -> tuple[tuple[Aim, ...], str]:
    """The goals in order, ties broken by fewest GPU-hours, shortest time, fewest params; and the first in words."""
    last = tuple(Aim("minimize", Ref(name)) for name in _ties(draft))
    has_loss = "loss" in draft.definitions and not is_frontier(draft)
    if has_loss and len(draft.variables) > 1:
        # A loss of the size alone, or of the tokens alone, cannot weigh one against the other.
        over = names(expand(Ref("loss"), draft.definitions, {}))
        has_loss = {v.name for v in draft.variables if v.name in OF_THE_RUN} <= over
    if draft.plan.goals:
        goal = draft.plan.goals[0]
        mentioned = names(without_lets(goal.expr, draft.plan))
        if mentioned == {"loss"} and goal.sense == "minimize" and not has_loss and line is not None:
            return (*_along(draft, line), *last), "the law's optimum line"
        missing = sorted(name for name in mentioned if not draft.knows(name))
        if missing:
            reason, help = why_missing(draft, missing[0])
            law = reason == "law"
            what = (
                f"`{draft.law.name}` does not give `{missing[0]}`" if law else f"`{missing[0]}` is not known: {reason}"
            )
            code = "L004" if law else "C004"
            draft.findings.append(finding(code, what, goal.span, help=help, laws=(draft.named,) if law else ()))
            return (), ""
        sense: Literal["minimize", "maximize"] = "minimize" if goal.sense == "minimize" else "maximize"
        if "lifetime_compute" in draft.definitions and sense == "minimize" and "compute" in mentioned:
            # What is served belongs to what is minimised.
            whole = substitute(goal.expr, {"compute": Ref("lifetime_compute")})
            return (Aim(sense, whole), *last), f"minimize {shown(goal.expr)}, what is served included"
        return (Aim(sense, goal.expr), *last), f"{goal.sense} {shown(goal.expr)}"
    bounded = any(limit.name == "compute" for limit in draft.limits)
    if "lifetime_compute" in draft.definitions and (not bounded or _loss_is_bounded(draft)):
        return (Aim("minimize", Ref("lifetime_compute")), *last), "minimize lifetime_compute"
    asked = [name for name in draft.asked if name.endswith(("gpus", "reserved_time"))]
    if not asked and not bounded:
        asked = draft.asked
    if asked:
        if len(asked) > 1 and "capacity" in draft.definitions:
            asked = ["cost" if "cost" in draft.definitions else "gpu_hours"]
        first = tuple(Aim("minimize", Ref(name)) for name in asked)
        return (*first, *last), f"the least {asked[0].replace('reserved_', '')}"
    if draft.transfer:
        return (*_transferred(draft, line), *last), "all the fine-tuning data that the budget allows"
    if has_loss and any(limit.equal and Ref("loss") in (limit.left, limit.right) for limit in draft.limits):
        return last, "the loss that is required, at the least compute"
    if has_loss:
        return (Aim("minimize", Ref("loss")), *last), "minimize loss"
    if line is not None:
        return (*_along(draft, line), *last), "the law's optimum line"
    if _pinned(draft):
        return last, "what the plan states"
    if draft.variables and not draft.findings:
        message = f"`{draft.law.name}` gives no loss and no optimum: it cannot choose the size"
        draft.does_not_give(message, draft.law_span(), ["name a law that can, such as `chinchilla`"])
    return (), ""


def _loss_is_bounded(draft: Draft) -> bool:
    """Whether a requirement says how low the loss must be: then what is served counts, and not a lower loss."""
    return any(limit.kind == "require" and limit.left == Ref("loss") for limit in draft.limits)


def _pinned(draft: Draft) -> bool:
    """Whether equalities leave nothing to choose: as many of them as there are variables, and each variable in one."""
    equal = [names(expand(Op("-", (x.left, x.right)), draft.definitions, {})) for x in draft.limits if x.equal]
    free = {v.name for v in draft.variables}
    return len(equal) >= len(free) and free <= frozenset().union(*equal)


def _ties(draft: Draft) -> list[str]:
    """What breaks ties: fewest GPU-hours, then shortest time (without hardware, least compute), then fewest params."""
    variables = {v.name for v in draft.variables}

    def moves(name: str) -> bool:
        return draft.knows(name) and bool(names(expand(Ref(name), draft.definitions, {})) & variables)

    time = "time" if "time" in draft.definitions else "compute"
    first = [name for name in ("gpu_hours", time) if moves(name)]
    return first + [v.name for v in draft.variables if v.name.endswith(("gpus", "params"))]


def _along(draft: Draft, line: Op) -> tuple[Aim, ...]:
    """Spend the budget, as near to the law's line as the limits allow."""
    return (Aim("maximize", Ref("compute")), Aim("near", line.args[0], line.args[1]))


def _transferred(draft: Draft, line: Op | None) -> tuple[Aim, ...]:
    """Use the target's data whole, or what the budget allows of it, at the size of the law's line where it is free."""
    if line is not None and any(v.name in ("params", "law_params") for v in draft.variables):
        draft.limits.append(Limit("optimum line", line.args[0], line.args[1], "line", None, equal=True))
    return (Aim("maximize", Ref("finetune_tokens")),)
