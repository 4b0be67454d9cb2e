"""The settings of a project as text and as JSON text, each with where it comes from."""

from __future__ import annotations

from runplan.cli.show.text.json_text import document_text
from runplan.cli.show.text.look import PLAIN, Look
from runplan.cli.show.text.page import columns
from runplan.dsl.dataclass import dataclass

Value = str | bool | list[str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        key: As a configuration has it; of a table with the key in that, such as `severity.H004`.
        file, line: Where it stands; empty and 0 where nothing says it.
    """

    key: str
    value: Value
    file: str = ""
    line: int = 0

    @property
    def origin(self) -> str:
        """Where it comes from, for people."""
        return f"{self.file}:{self.line}" if self.file else "default"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a project.

    Attributes:
        root: Its folder.
        file: Its configuration; empty where there is none.
        origins: Whether people are told where each comes from.
    """

    root: str
    file: str
    settings: tuple[Setting, ...]
    origins: bool = False


def listed(shown: Settings, look: Look = PLAIN) -> str:
    """A line a setting, as a configuration has them."""
    head = [("project", shown.root), ("configuration", shown.file or "none")]
    rows = [(one.key, *((one.origin,) if shown.origins else ()), _said(one.value)) for one in shown.settings]
    return f"{columns(head, width=look.width)}\n{columns(rows, width=look.width)}"


def _said(value: Value) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_said, value))}]"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def listed_json(shown: Settings, look: Look = PLAIN) -> str:
    """Every setting, `plan.config/v1`; without an origin what is a default."""
    settings = [
        {
            "key": one.key,
            "value": one.value,
            **({"origin": {"file": one.file, "line": one.line}} if one.file else {}),
        }
        for one in shown.settings
    ]
    document = {"schema": "plan.config/v1", "root": shown.root, "settings": settings}
    return document_text({**document, **({"file": shown.file} if shown.file else {})})
