"""What a config leaves out is what its class in transformers has then: held to the classes themselves."""

from __future__ import annotations

import json
import subprocess

import pytest
from tools import python_of

from runplan.cli.importing.hf.defaults import sizes_of
from runplan.cli.importing.hf.kinds import KINDS, REFUSED

ASKED = """
import json, sys
from transformers import AutoConfig
sizes = json.load(sys.stdin)
classes = {kind: AutoConfig.for_model(kind).to_dict() for kind in sizes}
print(json.dumps({kind: {name: classes[kind].get(name) for name in names} for kind, names in sizes.items()}))
"""


def test_sizes_that_a_config_leaves_out_are_those_of_its_class() -> None:
    sizes = {kind: dict(found) for kind in KINDS if (found := sizes_of(kind))}
    done = subprocess.run(
        [python_of("hf"), "-c", ASKED], input=json.dumps(sizes), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == sizes


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_what_is_refused_is_not_read(kind: str) -> None:
    assert kind not in KINDS and "plan" in REFUSED[kind]


def test_every_size_is_of_an_architecture_that_is_read() -> None:
    from runplan.cli.importing.hf import defaults

    assert set(defaults._SIZES) <= set(KINDS)
