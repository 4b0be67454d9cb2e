"""The variables that choose the run; the others choose the hardware."""

from __future__ import annotations

# Variables that choose the run; the others choose the hardware.
OF_THE_RUN = ("params", "law_params", "tokens", "finetune_tokens")
