"""Random plans that ask for too much, and a change that makes room put in the place of what a plan says."""

from __future__ import annotations

from hypothesis import strategies as st

from runplan.engine.problem.solution import Change

DAYS = 86400.0
PEAKS = {"H100": 989e12, "A100": 312e12, "B200": 2250e12}
LAWS = ("", "chinchilla", "llama3", "kaplan.joint", "chinchilla.approach3")


def figure(value: float) -> str:
    """A figure of four digits with a suffix."""
    for suffix, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6)):
        if value >= scale:
            return f"{float(f'{value / scale:.4g}'):g}{suffix}"
    return f"{value:.4g}"


@st.composite
def plans(draw: st.DrawFn) -> str:
    """A plan of hardware, size, tokens, data and requirements that need not go together."""

    def times(low: float, high: float) -> float:
        return float(10 ** (draw(st.integers(round(low * 100), round(high * 100))) / 100))

    law = draw(st.sampled_from(LAWS))
    compute = times(20, 23.5)
    params = (compute / 120) ** 0.5 * times(-0.4, 0.4)
    tokens = compute / 6 / params * times(-0.3, 0.3)
    days = draw(st.sampled_from((10, 30, 60, 180)))
    device = draw(st.sampled_from(sorted(PEAKS)))
    node = draw(st.sampled_from((0, 4, 8)))
    gpus = max(1, node, round(compute / (PEAKS[device] * 0.4 * days * DAYS) * times(-0.6, 0.5)))
    count = draw(st.sampled_from((f"{gpus}", f"up to {gpus}", "?")))
    time = draw(st.sampled_from((f"for {days} days", f"for up to {days} days")))
    if draw(st.integers(0, 4)) == 0 and count != "?":
        time = f"from 2026-03-01 until 2026-{3 + days // 30:02d}-28"
    rate = draw(st.sampled_from(("at 40% MFU", "at 36% .. 42% MFU", "")))
    lines = [f"use laws {law}"] if law else []
    hardware = f"{count} x {device} {time} {rate} @ 2 USD/GPU/hour" + (f" in nodes of {node}" if node else "")
    if draw(st.integers(0, 6)) == 0:
        hardware += f" + up to {gpus} x A100 for {days} days at 35% MFU @ 1 USD/GPU/hour"
    lines.append(f"hardware: {hardware}")
    if draw(st.booleans()):
        lines.append(f"model: {figure(params)}")
    if draw(st.booleans()):
        lines.append(draw(st.sampled_from((f"tokens: {figure(tokens)}", f"tokens: at least {figure(tokens)}"))))
    names = draw(st.sampled_from(((), (), ("",), ("web",), ("web", "code"))))
    for name in names:
        epochs = draw(st.sampled_from(("", " up to 3 epochs")))
        amount = figure(tokens * times(-0.8, 0.2) / len(names))
        lines.append(f"data {name}".strip() + f": {amount} tokens{epochs}")
    cost = gpus * days * 24 * 2.0 * times(-0.6, 0.2)
    wishes = (
        f"loss <= {draw(st.integers(180, 260)) / 100}",
        f"cost <= {figure(cost)} USD",
        f"tokens / params >= {tokens / params * times(-0.2, 0.4):.3g}",
        f"params >= {figure(params * times(-0.3, 0.3))}",
        f"tokens >= {figure(tokens * times(-0.3, 0.4))}",
        f"gpus <= {max(1, round(gpus * times(-0.6, 0.2)))}",
        f"time <= {days * times(-0.4, 0.1):.3g} days",
    )
    chosen = draw(st.lists(st.sampled_from(wishes), min_size=1, max_size=3, unique_by=lambda wish: wish.split()[0]))
    lines += [f"require {wish}" for wish in chosen]
    return "\n".join(lines) + "\n"


def applied(text: str, change: Change) -> str:
    """A plan with a change pasted in the place of what it says."""
    assert change.edits, f"{change.text} stands nowhere"
    for span, new in sorted(change.edits, key=lambda edit: -edit[0].start):
        text = text[: span.start] + new + text[span.end :]
    return text
