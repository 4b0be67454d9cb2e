"""Plans of many kinds, and their reports, for what shows a report."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from known import LIBRARY

from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.comparison.compare import Comparison, compared_laws
from runplan.engine.layout.fit import ALL, Look
from runplan.engine.pipeline import report_of
from runplan.engine.report import Report

ROOT = Path(__file__).resolve().parents[1]
BUDGET = "compute: 1e21 FLOP\n"
H100 = """\
plan "Thousand H100s, half a year"
use laws chinchilla, llama3

let budget = 30M USD

hardware: 1000 x H100 for 6 months at 40% MFU @ 2.50 USD/GPU/hour
data web:  10T tokens
data code: 800B tokens up to 4 epochs
data math: 200B tokens up to 4 epochs quality high
objective: CLM
schedule:  WSD

require cost <= budget because "board, 2026-03"
require tokens / params >= 20
minimize loss
"""
SMALL = """\
plan "Sixty-four"
hardware: 64 x H100 for 30 days at 40% MFU @ 3 USD/GPU/hour
"""
PLANS = {
    "a rate that is needed": "hardware: 512 x A100-SXM-80GB for 20 days\nmodel: 13B\ntokens: 1.95T\n",
    "h100": H100,
    "one line": "hardware: 1000 x H100 for 6 months\n",
    "over budget": SMALL + "require cost <= 100k USD\n",
    "contradiction": "hardware: 64 x H100 for 20 days at 40% MFU\nmodel: 30B\ntokens: 3T\n",
    "requirement": "compute: 3e19 FLOP\nuse laws chinchilla, llama3\nrequire loss <= 2.5\n",
    "how many": "hardware: ? x A100 for 30 days at 50% MFU\nmodel: 3B\ntokens: 300B\n",
    "energy": """\
hardware: {
  gpus: 512; device: H100; time: 60 days; mfu: 40%; pue: 1.1  # measured
  carbon_intensity: 385 gCO2eq/kWh
  from: 2026-12-01
}
reserve: 15% because "ablations"
""",
    "pools": "hardware: 256 x H100 for 60 days at 40% MFU + 128 x A100 for 50 days at 45% MFU\ndata: 1T tokens\n",
    "free": "model: 7B\n",
    "many laws": "compute: 1e23 FLOP\nuse laws chinchilla, chinchilla.approach1, chinchilla.approach2, llama3\n",
    "served": "hardware: 64 x H100 for 60 days at 40% MFU\nuse laws chinchilla, kaplan.joint\ninference: 2T tokens\n",
    "transfer": """\
use laws plm, plm.refit
objective: transfer from CLM to MLM of protein
model: 85M params
data: 48B tokens
""",
    "repeats": "hardware: 32 x H100 for 21 days at 38% MFU\ndata: 40B tokens up to 4 epochs\nschedule: cosine\n",
    "small": "compute: 1e22 FLOP\nmodel: 100M params\n",
    "wrong": "hardware: 64 x H1000 for 30 days\n",
}


@lru_cache(None)
def solved(text: str, *settings: str) -> Report:
    """The report of a plan that stands in no file; it cannot change, and is shared by the tests."""
    here = Path(__file__).parent
    return report_of(
        "small.plan", Buffer("small.plan", text.encode(), Disk(here)), catalogue=LIBRARY, settings=settings
    )


def under(text: str, *laws: str, name: str = "a.plan", look: Look | None = None) -> Report:
    """A plan under laws in place of its own, without intervals."""
    reader = Buffer(name, text.encode(), Disk(ROOT))
    return report_of(name, reader, catalogue=LIBRARY, laws=laws or None, intervals=False, look=look)


def laid_out(text: str, *laws: str, look: Look = ALL) -> Report:
    """The same, with how the model lies on its devices."""
    return under(text, *laws, look=look)


def compared(text: str, *laws: str, most: float | None = None) -> Comparison:
    """The laws of a plan, or others, side by side."""
    return compared_laws(under(text, *laws), most)
