"""All schemas by name, each with the versions that it has."""

from __future__ import annotations

from runplan.cli.schemas.outputs import DOCUMENTS, LINE, line_schema, output_schema
from runplan.cli.schemas.parts import Schema
from runplan.cli.schemas.plan import plan_schema
from runplan.dsl.packs.vocabulary import Vocabulary

# What is no document of ours but read by us: a plan in YAML.
PLAN = "plan"
PLAN_VERSION = 1


def titles() -> dict[str, tuple[str, str]]:
    """Of each schema the text by which a document says that it is one, and what it is of."""
    written = {name: (f"plan.{name}/v{version}", title) for name, (version, title, _) in DOCUMENTS.items()}
    line = (f"plan.{LINE}/v{DOCUMENTS['check'][0]}", "A line of `plan check -o jsonl`")
    return {PLAN: (f"{PLAN}/v{PLAN_VERSION}", "A plan as YAML, for editors"), **written, LINE: line}


def schema(name: str, vocabulary: Vocabulary) -> Schema:
    """The schema that goes by a name.

    Args:
        vocabulary: The names that plans may use here.
    """
    if name == PLAN:
        return plan_schema(vocabulary)
    return line_schema() if name == LINE else output_schema(name)
