"""A statement to its part of the plan: hardware, data, model, objective, schedule, optimizer, reserve."""

from __future__ import annotations

from collections.abc import Mapping

from runplan.dsl.expr.text import shown
from runplan.dsl.expr.tree import Num, Op
from runplan.dsl.plan.figures import Figures
from runplan.dsl.plan.ir import (
    Amount,
    DataSource,
    Given,
    MixItem,
    Model,
    Objective,
    Optimizer,
    Phase,
    Pool,
    Reserve,
    Schedule,
)
from runplan.dsl.syntax.tree import Mention, Node, Word, leaves, name_of, unquoted
from runplan.dsl.text.finding import Label, finding
from runplan.dsl.text.nearest import did_you_mean
from runplan.dsl.text.source import Span
from runplan.dsl.typed.fields import (
    ALSO_KNOWN,
    ARCHITECTURE,
    DATA,
    EPOCHS,
    HARDWARE,
    OBJECTIVES,
    PARAMS,
    RESERVE,
    SETTINGS,
    SHARE,
    SHARE_OR_NONE,
    TOKENS,
    WEIGHT,
    Field,
)
from runplan.dsl.units.base import DATE, SEQUENCE, TOKEN, dim_of
from runplan.dsl.units.dims import NONE, over
from runplan.dsl.units.show import said_dim
from runplan.dsl.units.table import Quantity

# How one says that a run has several objectives.
MIXED = ("mixed", "joint")


class Statements(Figures):
    """Reads one statement at a time; what a statement may stand beside is not looked at here."""

    # ---- hardware

    def _hardware(self, node: Node) -> tuple[Pool, ...]:
        spec = next(node.nodes())
        return tuple(
            self._pool_text(item) if item.rule == "pool" else self._pool_block(item)
            for item in spec.nodes("pool", "hw_block")
        )

    def _pool_text(self, node: Node) -> Pool:
        up_to_count, count, _, device, precision, up_to_time, time, *options = node.children
        figures: dict[str, Amount | None] = {
            "gpus": self.amount(count, HARDWARE["gpus"], up_to_count is not None),
            "time": self.amount(time, HARDWARE["time"], up_to_time is not None),
        }
        dates: dict[str, Given] = {}
        seen: dict[str, Span] = {}
        for option in options:
            assert isinstance(option, Node)
            rule = {"achieved": "rate", "mfu": "mfu", "price": "price"}.get(option.rule, option.rule)
            slot = "mfu" if rule == "rate" else rule
            if slot in seen:
                also = [Label(seen[slot], "the first is here")]
                self.findings.append(finding("N005", f"`{rule}` is given twice", option.span, also=also))
                continue
            seen[slot] = option.span
            inner = option.children[-1]
            if rule in ("from_date", "until_date"):
                assert isinstance(inner, Word)
                moment = self.date(inner)
                dates[rule.removesuffix("_date")] = Given(Quantity(moment.value, DATE), moment, inner.span)
            else:
                figures[rule] = self.amount(inner, HARDWARE[rule])
        return self._pool(self._device(device), precision, figures, dates, node.span)

    def _pool_block(self, node: Node) -> Pool:
        figures: dict[str, Amount | None] = {}
        dates: dict[str, Given] = {}
        seen: dict[str, Span] = {}
        device: Mention | None = None
        precision: Word | None = None
        unknown = False
        for item in node.nodes():
            key = item.word(0).text if item.rule == "hw_pair" else item.rule.removeprefix("hw_")
            if key in seen:
                also = [Label(seen[key], "the first is here")]
                self.findings.append(finding("N005", f"`{key}` is given twice", item.span, also=also))
                continue
            seen[key] = item.span
            if item.rule == "hw_device":
                device = self._device(item.children[-1])
            elif item.rule == "hw_precision":
                precision = item.word(0)
            elif item.rule in ("hw_from", "hw_until"):
                moment = self.date(item.word(0))
                dates[key] = Given(Quantity(moment.value, DATE), moment, item.span)
            elif key in HARDWARE:
                figures[key] = self.amount(item.children[1], HARDWARE[key])
            else:
                unknown = True
                self.unknown_field(item.word(0), "hardware", [*HARDWARE, "device", "precision", "from", "until"])
        return self._pool(device, precision, figures, dates, node.span, unknown)

    def _pool(
        self,
        device: Mention | None,
        precision: Node | Word | None,
        figures: Mapping[str, Amount | None],
        dates: dict[str, Given],
        span: Span,
        unknown: bool = False,
    ) -> Pool:
        if "from" in dates and "until" in dates and dates["from"].value.value >= dates["until"].value.value:
            message = f"the hardware ends {shown(dates['until'].expr)}, before it begins"
            also = [Label(dates["from"].span, "it begins here")]
            self.findings.append(finding("U004", message, dates["until"].span, also=also))
        if device is None and not {"rate", "peak"} & figures.keys() and not self.broken and not unknown:
            help = ["add `device: H100`, or `rate` or `peak`"]
            self.findings.append(finding("C004", "the hardware names no device", span, help=help))
        name = Mention(precision.text.lower(), precision.span) if isinstance(precision, Word) else None
        return Pool(device, name, {k: v for k, v in figures.items() if v is not None}, dates, span)

    def _device(self, node: Node | Word | None) -> Mention:
        assert isinstance(node, Node)
        name = Mention(unquoted(node.word(0).text), node.span)
        self._must_be_known("device", name, self.vocabulary.devices)
        return name

    # ---- data

    def _data(self, nodes: list[Node]) -> tuple[DataSource, ...]:
        out = [source for node in nodes if (source := self._source(node))]
        all_read = len(out) == len(nodes) and not self.file.broken
        # A source is for the target's stage unless it says otherwise, and each stage has a mix of its own.
        for before in (True, False):
            self._weights([source for source in out if (source.stage == "pretrain") == before], all_read)
        return tuple(out)

    def _weights(self, sources: list[DataSource], all_read: bool) -> None:
        """The weights of one stage's sources are shares of one whole."""
        weights = [source.weight for source in sources if source.weight]
        total = sum(weight.value.value for weight in weights)
        if weights and (total > 1 + 1e-9 or (all_read and len(weights) == len(sources) and total < 1 - 1e-9)):
            stages = {source.stage for source in sources if source.weight}
            whose = f"`for {sources[0].stage}`" if len(stages) == 1 and sources[0].stage else "of the sources"
            message = f"the weights {whose} sum to {total * 100:.4g} %, {'more' if total > 1 else 'less'} than 100 %"
            also = [Label(weight.span) for weight in weights[1:]]
            help = ["each stage has a mix of its own: the amounts say what goes into which"] if stages != {None} else []
            self.findings.append(finding("U004", message, weights[0].span, also=also, help=help))

    def _source(self, node: Node) -> DataSource | None:
        name = name_of(node).text if node.rule == "data_named" else ""
        spec = node.node("data_spec")
        assert spec is not None
        amount_node, *options = spec.children
        parts: dict[str, Node] = {}
        for option in options:
            assert isinstance(option, Node)
            if option.rule in parts:
                also = [Label(parts[option.rule].span, "the first is here")]
                what = option.rule.replace("_", " ")
                self.findings.append(finding("N005", f"`{what}` is given twice", option.span, also=also))
            parts[option.rule] = option

        def figure(rule: str, field: Field) -> Given | None:
            if rule not in parts:
                return None
            inner = parts[rule].children[-1]
            assert inner is not None
            return self.given(self.expr(inner), field, inner.span)

        def word(rule: str, allowed: tuple[str, ...] = ()) -> str | None:
            if rule not in parts:
                return None
            leaf = parts[rule].word(-1)
            if allowed and leaf.text not in allowed:
                help = did_you_mean(leaf.text, allowed) or ["it is one of " + ", ".join(allowed)]
                what = rule.replace("_", " ").removesuffix(" stage")
                self.findings.append(finding("N002", f"unknown {what} `{leaf.text}`", leaf.span, help=help))
            return unquoted(leaf.text)

        density: Given | None = None
        field = DATA
        if "at_density" in parts:
            inner = parts["at_density"].children[-1]
            assert inner is not None
            expr = self.expr(inner)
            per = {over(dim_of(u), TOKEN): dim_of(u) for u in ("character", "byte")}
            dim = self._checked(expr)
            if dim is not None and dim not in per:
                help = ["write `at 4.2 characters/token` or `at 4.2 bytes/token`"]
                message = f"`{shown(expr)}` is {said_dim(dim)}; here are characters or bytes a token"
                self.findings.append(finding("U001", message, inner.span, help=help))
                return None
            if dim is None:
                return None
            density = self.given(expr, Field("density", dim, "4.2 characters/token"), inner.span)
            if not self._in_tokens(amount_node):
                field = Field("data", per[dim], "300 GB" if per[dim] == dim_of("byte") else "3e12 characters")
        amount = self._data_amount(amount_node, field, density)
        if amount is None:
            return None
        return DataSource(
            name,
            amount,
            density,
            figure("up_to", EPOCHS),
            figure("weight", WEIGHT),
            word("quality", ("high", "ordinary", "sft")),
            word("domain"),
            word("for_stage", ("finetune", "pretrain")),
            node.span,
        )

    def _in_tokens(self, node: Node | Word | None) -> bool:
        """Whether an amount of data is in tokens: then its density only says what they are to a law of characters."""
        stated = isinstance(node, Node) and node.rule not in ("hole", "between")
        return stated and isinstance(node, Node) and self._checked(self.expr(node)) == TOKEN

    def _data_amount(self, node: Node | Word | None, field: Field, density: Given | None) -> Amount | None:
        assert isinstance(node, Node)
        if node.rule not in ("hole", "between"):
            expr = self.expr(node)
            dim = self._checked(expr)
            if dim is None:
                return None
            if density is None and dim in (dim_of("character"), dim_of("byte")):
                unit_name = "characters" if dim == dim_of("character") else "bytes"
                message = f"`{shown(expr)}` is in {unit_name}; how many {unit_name} a token has is not said"
                help = [f"add `at 4.2 {unit_name}/token` with the figure of your tokenizer"]
                self.findings.append(finding("C004", message, node.span, help=help))
                return None
            if dim == NONE:
                help = [f"write `{shown(expr)} tokens`"]
                message = f"`{shown(expr)}` has no unit; data are in tokens, characters or bytes"
                self.findings.append(finding("U003", message, node.span, help=help))
                return None
        return self.amount(node, field)

    # ---- model, objective, schedule

    def _model(self, node: Node) -> Model | None:
        spec = next(node.nodes())
        block = spec.node("model_block")
        if block is None:
            size, active = spec.children
            params = self.amount(size, PARAMS)
            active_given = self.given(self.expr(active), ARCHITECTURE["active"], active.span) if active else None
            return Model(params, active_given, {}, node.span)
        figures: dict[str, Amount] = {}
        for pair in block.nodes():
            word = pair.word(0)
            if word.text == "tied":
                said = pair.children[1]
                words = [leaf.text.lower() for leaf in leaves(said)] if isinstance(said, Node) else []
                value = words[0] if len(words) == 1 else ""
                if "tied" in figures:
                    self.findings.append(finding("N005", "`tied` is given twice", pair.span))
                elif value in ("true", "yes", "false", "no"):
                    number = Num(1.0 if value in ("true", "yes") else 0.0)
                    figures["tied"] = Given(Quantity(number.value, NONE), number, pair.span)
                else:
                    self.findings.append(finding("U003", "`tied` is true or false", pair.span))
            elif word.text in figures:
                self.findings.append(finding("N005", f"`{word.text}` is given twice", pair.span))
            elif word.text in ARCHITECTURE:
                found = self.amount(pair.children[1], ARCHITECTURE[word.text])
                if found:
                    figures[word.text] = found
            else:
                self.unknown_field(word, "model", [*ARCHITECTURE, "tied"])
        active_amount = figures.pop("active", None)
        return Model(
            figures.pop("params", None),
            active_amount if isinstance(active_amount, Given) else None,
            figures,
            node.span,
        )

    def _objective(self, node: Node) -> Objective | None:
        spec = next(node.nodes())
        words = [child if isinstance(child, Word) else None for child in spec.children]
        domain = words[-1].text if words[-1] else "text"
        if spec.rule == "transfer":
            start, target = words[0], words[1]
            assert start is not None and target is not None
            ends = [OBJECTIVES.get(w.text.lower(), w.text) for w in (start, target)]
            if ends[0] == ends[1]:
                self.findings.append(finding("C001", f"a transfer from {ends[0]} to itself", spec.span))
            return Objective("transfer", ends[0], ends[1], domain, spec.span)
        if spec.rule == "mixed":
            return self._mixed(spec, domain)
        assert words[0] is not None
        if words[0].text.lower() in MIXED:
            return self._mixed(spec, domain)
        kind = OBJECTIVES.get(words[0].text.lower())
        if kind is None:
            self._unknown_objective(words[0])
            return None
        return Objective(kind, None, None, domain, spec.span)

    def _mixed(self, spec: Node, domain: str) -> Objective | None:
        """Several objectives in one run: read, so that rules can say what is wrong with them."""
        parts = list(spec.nodes("mixed_part"))
        named = [next(part.words()) for part in parts]
        unknown = [word for word in named if word.text.lower() not in OBJECTIVES]
        if isinstance(lead := spec.children[0], Word) and lead.text.lower() not in MIXED:
            unknown.append(lead)
        for word in unknown:
            self._unknown_objective(word)
        for part in parts:
            for share in part.nodes():
                self.given(self.expr(share), SHARE, share.span)
        if unknown:
            return None
        return Objective("mixed", None, None, domain, spec.span)

    def _unknown_objective(self, word: Word) -> None:
        help = ["it is CLM, MLM, or `transfer from CLM to MLM`"]
        self.findings.append(finding("N002", f"unknown objective `{word.text[:60]}`", word.span, help=help))

    def _schedule(self, statements: list[Node]) -> Schedule | None:
        named = next((node for node in statements if node.rule == "schedule"), None)
        phases = [self._phase(node) for node in statements if node.rule == "phase"]
        if named is not None:
            spec = next(named.nodes())
            name = spec.word(0)
            quality = spec.children[1]
            self._must_be_known("schedule", Mention(name.text, name.span), self.vocabulary.schedules)
            if isinstance(quality, Word) and quality.text not in ("late", "early", "throughout"):
                help = ["it is late, early or throughout"]
                message = f"unknown placement of quality `{quality.text}`"
                self.findings.append(finding("N002", message, quality.span, help=help))
            placed = Mention(quality.text, quality.span) if isinstance(quality, Word) else None
            return Schedule(Mention(name.text, name.span), placed, (), named.span)
        made = tuple(phase for phase in phases if phase)
        if not made:
            return None
        shares = [phase.share for phase in made if phase.share.value.dim == NONE]
        total = sum(share.value.value for share in shares)
        all_read = len(made) == len(phases) and not self.file.broken
        if total > 1 + 1e-9 or (all_read and len(shares) == len(made) and total < 1 - 1e-9):
            more = "more" if total > 1 else "less"
            message = f"the phases share {total * 100:.4g} % of the tokens, {more} than 100 %"
            also = [Label(share.span) for share in shares[:-1]]
            self.findings.append(finding("U004", message, shares[-1].span, also=also))
        return Schedule(None, None, made, made[0].span)

    def _phase(self, node: Node) -> Phase | None:
        spec = node.node("phase_spec")
        assert spec is not None
        share_node, shape, mix = spec.children
        assert share_node is not None and isinstance(shape, Word)
        expr = self.expr(share_node)
        dim = self._checked(expr)
        share = self.given(expr, TOKENS if dim == TOKEN else SHARE, share_node.span) if dim is not None else None
        items: list[MixItem] = []
        seen: set[str] = set()
        for item in mix.nodes() if isinstance(mix, Node) else ():
            source, start_node, end_node = item.children
            assert isinstance(source, Word) and start_node is not None
            start = self.given(self.expr(start_node), SHARE_OR_NONE, start_node.span)
            end = self.given(self.expr(end_node), SHARE_OR_NONE, end_node.span) if end_node is not None else start
            name = Mention(unquoted(source.text), source.span)
            if sources := self.words.parts.get("source"):
                self._must_be_known("source", name, sources)
            if name.text in seen:
                self.findings.append(finding("N005", f"`{name.text}` is given twice", item.span))
            seen.add(name.text)
            if start and end:
                items.append(MixItem(name, start, end))
        for which in ("start", "end"):
            total = sum((item.start if which == "start" else item.end).value.value for item in items)
            if isinstance(mix, Node) and len(items) == len(list(mix.nodes())) and abs(total - 1) > 1e-9:
                message = f"the mix of `{name_of(node).text}` sums to {total * 100:.4g} % at its {which}, not 100 %"
                self.findings.append(finding("U004", message, mix.span))
                break
        if share is None:
            return None
        return Phase(name_of(node).text, share, Mention(shape.text, shape.span), tuple(items), node.span)

    # ---- optimizer, reserve

    def _optimizer(self, node: Node, context: Amount | None) -> Optimizer:
        spec = next(node.nodes())
        name = spec.word(0)
        settings: dict[str, Amount] = {}
        seen: set[str] = set()
        for pair in spec.children[1].nodes() if isinstance(spec.children[1], Node) else ():
            word = pair.word(0)
            if word.text in seen:
                self.findings.append(finding("N005", f"`{word.text}` is given twice", pair.span))
            seen.add(word.text)
            # Momenta and the like are plain numbers; the batch and the learning rate are quantities of the plan.
            key = ALSO_KNOWN.get(word.text.lower(), word.text)
            known = SETTINGS.get(key, Field(word.text, NONE, "0.1", zero=True))
            found = self._batch(pair.children[1], context) if key == "batch" else self.amount(pair.children[1], known)
            if found:
                settings[key if key in SETTINGS else word.text] = found
        return Optimizer(Mention(name.text, name.span), settings, node.span)

    def _batch(self, node: Node | Word | None, context: Amount | None) -> Amount | None:
        """The tokens of a step; a batch in sequences has as many as the model's block says of one."""
        field = SETTINGS["batch"]
        if not isinstance(node, Node) or node.rule != "amount":
            return self.amount(node, field)
        expr = self.expr(node)
        if self._checked(expr) != SEQUENCE:
            return self.amount(node, field)
        if not isinstance(context, Given):
            message = f"`{shown(expr)}` is in sequences; how many tokens one has is not said"
            help = ["add `context: 4096 tokens` to the model's block, or write the batch in tokens"]
            self.findings.append(finding("C004", message, node.span, help=help))
            return None
        length = Num(context.value.value, over(TOKEN, SEQUENCE), f"{shown(context.expr)}/sequence")
        return self.given(Op("*", (expr, length), node.span), field, node.span)

    def _reserve(self, node: Node) -> Reserve | None:
        spec = next(node.nodes())
        share_node, because = spec.children
        assert share_node is not None
        share = self.given(self.expr(share_node), RESERVE, share_node.span)
        if share is not None and share.value.value >= 1.0:
            self.findings.append(finding("U004", "the reserve is all of the hardware", share_node.span))
            return None
        text = unquoted(because.text) if isinstance(because, Word) else None
        return Reserve(share, text, node.span) if share else None
