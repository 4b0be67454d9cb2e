"""A node of a definition's tree to its parts by name: the one place that knows at which position a rule has which."""

from __future__ import annotations

from runplan.dsl.syntax.tree import Node, as_node
from runplan.dsl.syntax.views import NodeAt, NodeIf, View, WordAt, WordIf


class LawHead(View):
    """`law NAME [aliases ...] [extends NAME] ["TITLE"] {...}`: a `law`."""

    name = WordAt(0)
    aliases = NodeIf(1)
    parent = WordIf(2)
    title = WordIf(3)
    block = NodeAt(4)


class ConstantSpec(View):
    """`NAME = NUMBER [UNIT] [+- ERROR]`: a `constant`; a `free_constant` has its name alone."""

    name = WordAt(0)
    number = NodeAt(1)
    unit = WordIf(2)
    error = WordIf(3)


class ParameterSpec(View):
    """`QUANTITY LOCAL [in UNIT] [else NUMBER]`: a `parameter`."""

    quantity = WordAt(0)
    local = WordAt(1)
    unit = NodeIf(2)
    default = WordIf(3)


class FunctionSpec(View):
    """`NAME(PARAMETERS) [in UNIT] [for OBJECTIVE] = BODY`: a `law_function`."""

    name = WordAt(0)
    unit = NodeIf(-3)
    objective = NodeIf(-2)
    body = NodeAt(-1)

    @property
    def parameters(self) -> list[Node]:
        """Its inputs."""
        return list(self.node.nodes("parameter"))


class TableSpec(View):
    """`table NAME(PARAMETER) [in UNIT] {ROWS}`: a `law_table`."""

    name = WordAt(0)
    parameter = NodeAt(1)
    unit = NodeIf(2)

    @property
    def rows(self) -> list[Node]:
        """Its lines."""
        return list(map(as_node, self.node.children[3:]))


class GoldenSpec(View):
    """`golden ID [for OBJECTIVE] [at ...] gives ... [within NUMBER]`: a `law_golden`."""

    id = WordAt(0)
    objective = NodeIf(1)
    at = NodeIf(2)
    gives = NodeAt(3)
    within = WordIf(4)


class RangeSpec(View):
    """`QUANTITY in LOW .. HIGH`: a `fitted_range`."""

    quantity = WordAt(0)
    low = NodeAt(1)
    high = NodeAt(2)


class CiteSpec(View):
    """`cites "WORK" [evidence NAME]`: a `law_cites`."""

    work = WordAt(0)
    evidence = WordIf(1)


class DriftSpec(View):
    """`drifts OUTPUT SHARE from "RUNS" [evidence NAME]`: a `law_drifts`."""

    output = WordAt(0)
    share = WordAt(1)
    source = WordAt(2)
    evidence = WordIf(3)


class RuleHead(View):
    """`rule CODE NAME SEVERITY {...}`: a `rule`."""

    code = WordAt(0)
    name = WordAt(1)
    severity = WordAt(2)
    block = NodeAt(3)


class RecordHead(View):
    """`KIND NAME [aliases ...] ["TITLE"] {...}`: a `record`."""

    kind = WordAt(0)
    name = WordAt(1)
    aliases = NodeIf(2)
    title = WordIf(3)
    block = NodeAt(4)


class EntrySpec(View):
    """`KEY [QUALIFIER] VALUE+ [from "..."] [evidence NAME]`: an `entry`."""

    key = WordAt(0)
    qualifier = WordIf(1)
    source = WordIf(-2)
    evidence = WordIf(-1)

    @property
    def values(self) -> list[Node]:
        """Its figures and texts."""
        return list(map(as_node, self.node.children[2:-2]))


class ScheduleHead(View):
    """`schedule NAME ["TITLE"] {...}`: a `schedule_def`."""

    name = WordAt(0)
    title = WordIf(1)
    block = NodeAt(2)


class RampStep(View):
    """`SHARE [until SHARE]`: a `ramp_step`."""

    share = NodeAt(0)
    until = NodeIf(1)


class QuantitySpec(View):
    """`quantity NAME in UNIT [= FORMULA] ["TITLE"] [{...}]`: a `quantity_def`."""

    name = WordAt(0)
    unit = NodeAt(1)
    formula = NodeIf(2)
    title = WordIf(3)
    block = NodeIf(4)
