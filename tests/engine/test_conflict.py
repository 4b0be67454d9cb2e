"""Plans that cannot be kept: who takes part in the conflict, and that what is offered makes room."""

from __future__ import annotations

from pathlib import Path

import pytest
from known import LIBRARY

from runplan.dsl.text.finding import Finding
from runplan.dsl.text.reader import Buffer, Disk
from runplan.engine.pipeline import report_of
from runplan.engine.problem.solution import Solution


def solution(text: str) -> Solution:
    reader = Buffer("x.plan", text.encode(), Disk(Path()))
    (found,) = report_of("x.plan", reader, catalogue=LIBRARY, intervals=False).solutions
    return found


def conflict(text: str) -> dict[str, str]:
    """What cannot hold together, each with the change that makes room."""
    found = solution(text)
    assert found.status == "infeasible"
    return {one.text: one.change.said if one.change else "" for one in found.conflict}


def test_a_requirement_that_a_given_decides_is_kept_where_the_given_moves() -> None:
    """255B params would end the conflict, and break `params >= 467.9B` all the same."""
    told = conflict(
        "use laws kaplan.headline\nmodel: 1.371B\nrequire tokens / params <= 50\nrequire tokens >= 12740B\n"
        "require params >= 467.9B\n"
    )
    assert told["model: 1.371B"] == "model >= 467.9B"


def test_what_makes_room_counts_repeats() -> None:
    """Six passes over 20B tokens are worth less than 120B tokens, and take longer for the same loss."""
    text = "hardware: 16 x H100 for {} at 40% MFU\ndata: 20B tokens up to 8 epochs\nmodel: 3B\nrequire loss <= 2.245\n"
    (change,) = (change for what, change in conflict(text.format("2 days")).items() if what.startswith("time"))
    assert solution(text.format(change.removeprefix("time >= "))).status == "solved"


def test_the_figures_shown_beside_a_conflict_count_repeats() -> None:
    text = "compute: 1e22 FLOP\ndata: 20B tokens up to 8 epochs\nrequire loss <= 1.9\n"
    shown = solution(text)
    assert shown.status == "infeasible"
    assert shown.get("loss") == pytest.approx(solution(text.replace("require loss <= 1.9", "")).get("loss") or 0.0)
    assert (shown.get("effective_tokens") or 0.0) < 0.9 * (shown.get("tokens") or 0.0)


def test_a_size_that_is_no_part_of_a_conflict_is_left_out_of_it() -> None:
    """The default rate follows the size: with the size free the compute there is is no product of powers."""
    told = conflict("hardware: up to 155 x A100 for 48.7 days\nmodel: 245.3B\nrequire loss <= 1.952\n")
    assert set(told) == {"time: 48.7 days", "gpus: 155", "loss <= 1.952"}


def findings(text: str) -> list[Finding]:
    reader = Buffer("x.plan", text.encode(), Disk(Path()))
    return [
        f for f in report_of("x.plan", reader, catalogue=LIBRARY, intervals=False).findings if f.severity == "error"
    ]


def test_a_budget_below_a_node_says_what_a_node_comes_to() -> None:
    text = "hardware: up to 64 x H100 for 1 year at 40% MFU @ 2 USD/GPU/hour in nodes of 8\nrequire cost <= 100k USD\n"
    assert conflict(text) == {"time: 1 year": "time <= 0.7134 years", "cost <= 100k USD": "cost <= 140200 USD"}
    (found,) = findings(text)
    assert (found.code, found.notes) == ("B001", ("a node of 8 GPUs for 1 year is 140,160 USD",))


def test_fewer_devices_than_a_node_are_none() -> None:
    text = "hardware: up to 4 x H100 for 30 days at 40% MFU in nodes of 8\n"
    assert conflict(text) == {"gpus: 4": "gpus >= 8"}
    assert findings(text)[0].notes == ("the least is a node of 8 GPUs",)


def test_changes_are_for_whole_devices() -> None:
    """43.1 devices would do, and 44 are bought: 79,200 USD."""
    text = (
        "hardware: ? x H100 for 30 days at 38% MFU @ 2.5 USD/GPU/hour\nmodel: 7B\ntokens: 1T\nrequire cost <= {} USD\n"
    )
    told = conflict(text.format("65k"))
    assert told == {
        "tokens: 1T": "tokens <= 835.3B",
        "model: 7B": "model <= 5.847B",
        "cost <= 65k USD": "cost <= 79200 USD",
    }
    assert solution(text.format("79200")).get("gpus") == 44
    again = conflict(text.format("77580"))
    assert again["cost <= 77580 USD"] == "cost <= 79200 USD"
    assert again["time: 30 days"] == "time >= 30.0685 days", "four digits are past what 43 devices may cost"


def test_whole_nodes_are_shown_beside_a_conflict() -> None:
    text = (
        "hardware: up to 100 x H100 for up to 30 days at 40% MFU @ 2.5 USD/GPU/hour in nodes of 8\n"
        "require loss <= 2.1\nrequire cost <= 2k USD\n"
    )
    found = solution(text)
    assert found.status == "infeasible"
    assert (found.get("gpus") or 0) % 8 == 0


@pytest.mark.parametrize(
    "kept", ["", "require params >= 60B\n", "require tokens / params >= 20\nrequire params >= 60B\n"]
)
def test_a_requirement_that_is_kept_takes_nothing_out_of_a_conflict(kept: str) -> None:
    told = conflict("hardware: 256 x H100 for 30 days at 40% MFU\nmodel: 70B\ntokens: 2T\n" + kept)
    assert set(told) == {"tokens: 2T", "model: 70B", "time: 30 days", "gpus: 256"}
    assert (told["time: 30 days"], told["gpus: 256"]) == ("time >= 95.97 days", "gpus >= 819")


def test_a_change_of_data_is_of_the_amount_or_of_the_epochs() -> None:
    text = "hardware: 256 x H100 for 30 days at 40% MFU\ndata: 100B tokens up to 4 epochs\ntokens: 800B\n"
    (found,) = findings(text)
    assert found.help == (
        "it fits with tokens <= 400B, or data >= 200B tokens, or data up to 8 epochs, one at a time",
        "write `tokens: 400B`, or `data: 200B tokens`, or `data: 100B tokens up to 8 epochs`",
    )


def test_data_that_repeat_take_part() -> None:
    text = "hardware: 256 x H100 for 30 days at 40% MFU\ndata a: 100B tokens up to 4 epochs\nrequire loss <= 2.0\n"
    assert conflict(text)["data a: 100B tokens"] == "data a >= 241.5B tokens"


def test_a_conflict_is_that_of_the_end_that_is_judged() -> None:
    text = "hardware: 64 x H100 for 30 days at 38%..43% MFU\nrequire loss <= 2.045\n"
    assert conflict(text)["time: 30 days"] == "time >= 34.65 days"


def test_dates_can_be_moved() -> None:
    told = conflict("hardware: 64 x H100 from 2026-01-01 until 2026-01-31 at 40% MFU\nmodel: 7B\ntokens: 3T\n")
    assert told["until: 2026-01-31"] == "until >= 2026-02-28"
    assert told["from: 2026-01-01"] == "from <= 2025-12-04"


def test_the_floor_of_a_size_is_named() -> None:
    text = "use laws chinchilla.approach3_rounded\nmodel: 1B\ntokens: ?\nrequire loss <= 1.9366\n"
    assert conflict(text) == {"model: 1B": "model >= 2.896B", "loss <= 1.9366": "loss <= 2.044"}
    assert findings(text)[0].notes == ("with this size, whatever the data, the loss is above 2.044 nat/token",)


def test_the_floor_of_a_law_is_named() -> None:
    text = "use laws chinchilla.approach3_rounded\nrequire loss <= 1.5\nminimize compute\n"
    assert findings(text)[0].notes == (
        "whatever the size and the data, `chinchilla.approach3_rounded` gives a loss above 1.69 nat/token",
    )
    text = "use laws muennighoff\nhardware: ? x H100 for 3 days\ndata: 1B tokens up to 4 epochs\nrequire loss <= 1.9\n"
    (note,) = findings(text)[0].notes
    assert note.startswith("with these data, whatever the size, `muennighoff` gives a loss above"), "more data help"


def test_two_conflicts_are_two_findings() -> None:
    text = "hardware: up to 1 x B200 for 30 days at 35% MFU in nodes of 4\ntokens: 39.73B\ndata: 2.669B tokens\n"
    assert not any(conflict(text).values()), "no change of one figure makes room"
    assert [found.help[0].split(",")[0] for found in findings(text)] == [
        "it fits with gpus >= 4",
        "it fits with tokens <= 2.669B",
    ]


def test_help_on_the_time_of_reserved_hardware_helps() -> None:
    """Twice the devices train more, for as long."""
    text = "hardware: 64 x H100 for {} at 30% MFU\nrequire time <= 10 days\n"
    (found,) = findings(text.format("20 days"))
    assert found.help == ("it fits with time <= 10 days", "write `for 10 days`")
    assert not findings(text.format("10 days"))


def test_a_budget_is_told_in_its_own_currency() -> None:
    text = (
        "rate EUR = 1.10 USD on 2026-01-15\nhardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\n"
        "require cost <= 83700 EUR\n"
    )
    assert "83,700 EUR that the plan allows" in findings(text)[0].message
    assert ", 1x" not in findings(text)[0].message


def test_a_date_is_never_told_in_seconds() -> None:
    text = "hardware: 8 x H100 for 1 month at 40% MFU from 2026-02-01\nrequire finish <= 2026-03-01\n"
    (found,) = findings(text)
    assert found.notes == ("finish = start + time = 2026-02-01 + 30 days",)
    assert "finish" in found.message and "2026-03-03" in found.message


def test_the_active_size_of_a_mixture_takes_part() -> None:
    """64 H100 give 6.565e22 FLOP in 30 days: 6 x 1T tokens x 10.94B."""
    text = "hardware: 64 x H100 for 30 days at 40% MFU\nmodel: 671B params, 37B active\ntokens: 1T\n"
    assert conflict(text)["active: 37B"] == "active <= 10.94B"


def test_a_bound_on_one_of_several_pools_names_it() -> None:
    pools = "up to 64 x H100 for 10 days at 40% MFU + up to 64 x A100 for 20 days at 40% MFU"
    changes = conflict(f"hardware: {pools}\nmodel: 7B\ntokens: 2T\n")
    assert {"pool1.gpus: 64", "pool2.gpus: 64"} <= changes.keys()
    assert changes["pool1.gpus: 64"] == "pool1.gpus >= 206"


def test_what_a_transfer_does_not_give_is_not_sought_from_the_same_law() -> None:
    (found,) = findings(
        "compute: 1e20 FLOP\nobjective: transfer from MLM to CLM of protein\nrequire pretrain_share <= 10%\n"
    )
    assert found.code == "L004" and "`plm`" not in found.help[0]


def test_what_a_law_needs_of_the_data_is_said_once() -> None:
    text = "objective: transfer from text to python\nmodel: 100M\ndata: 1B tokens\nrequire transferred_tokens >= 1M\n"
    assert [found.code for found in findings(text)] == ["C004"]


def test_less_than_is_less() -> None:
    text = "hardware: 10 x H100 for 10 days at 40% MFU @ 2 USD/GPU/hour\nrequire cost {} 4800 USD\n"
    assert not findings(text.format("<="))
    (found,) = findings(text.format("<"))
    assert (found.code, found.message) == ("B001", "`cost` is 4,800 USD; the plan allows less than that")


def test_a_bound_that_is_computed_can_be_moved() -> None:
    """15,028 GPU-hours at 2 USD reach the loss, whatever the budget is written as."""
    hardware = "hardware: up to 64 x H100 for up to 30 days at 40% MFU @ 2 USD/GPU/hour\nrequire loss <= 2.1\n"
    for bound in ("budget / 2", "2 * 10k USD"):
        changes = conflict(f"let budget = 50k USD\n{hardware}require cost <= {bound}\n")
        assert changes[f"cost <= {bound}"] == "cost <= 30060 USD"


def test_no_more_params_are_active_than_there_are() -> None:
    run = "model: 8B params, 1B active\ntokens: 7.51B\nrequire idle_share <= 30%\n"
    (found,) = findings(f"hardware: 8 x A100 for 10 days at 40% MFU\n{run}")
    assert "tokens >= " in found.help[0] and "active" not in found.help[0]


def test_what_is_broken_beside_a_conflict_has_its_own_help() -> None:
    text = "hardware: 64 x H100 for 30 days at 40% MFU @ 2 USD/GPU/hour\nrequire cost <= 80k USD\nrequire loss <= 2.0\n"
    cost, loss = findings(text)
    assert (cost.code, loss.code) == ("B001", "B002")
    assert "price <= 1.73 USD/GPU/hour" in cost.help[0]
