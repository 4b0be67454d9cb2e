"""Arguments of Megatron-LM to what its own parser makes of them, as JSON; exits 1 where it refuses them.

The parser is in no wheel of NVIDIA's; that of FlagScale has Megatron-LM whole, with a few lines of its own that import
what it runs devices by: these are stood in for, and so is a device, as the parser asks what it can do.
"""

import importlib.machinery
import json
import os
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

import torch
from flag_scale import __file__ as flag_scale

WORLD, *WORDS = sys.argv[1:]


class Absent(types.ModuleType):
    """A module that is not there, of which everything may be imported."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()


class Finder:
    """Finds what FlagScale's own lines import."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        absent = name.partition(".")[0] in ("flagscale", "hydra", "flag_gems")
        return importlib.machinery.ModuleSpec(name, Finder, is_package=True) if absent else None

    @staticmethod
    def create_module(spec):
        return Absent(spec.name)

    @staticmethod
    def exec_module(module):
        pass


sys.meta_path.insert(0, Finder)
sys.path.insert(0, str(Path(flag_scale).parent / "third_party" / "Megatron-LM"))
os.environ |= {"WORLD_SIZE": WORLD, "RANK": "0"}
torch.cuda.is_available = lambda: True
torch.cuda.get_device_capability = lambda *_: (9, 0)
torch.cuda.get_device_properties = lambda *_: types.SimpleNamespace(major=9, minor=0)

from megatron.training.arguments import core_transformer_config_from_args, parse_args, validate_args  # noqa: E402

# Kernels that are not here, and change nothing of what is asked.
sys.argv = ["pretrain_gpt.py", *WORDS, "--no-gradient-accumulation-fusion", "--transformer-impl", "local"]
sys.argv += ["--no-persist-layer-norm", "--no-rope-fusion"]
try:
    arguments = parse_args()
    validate_args(arguments)
    config = core_transformer_config_from_args(arguments)
except (Exception, SystemExit) as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
plain = {name: value for name, value in vars(config).items() if isinstance(value, bool | int | float | str | list)}
told = {name: value for name, value in vars(arguments).items() if isinstance(value, bool | int | float | str)}
print(json.dumps({"kind": type(config).__name__, "config": plain, "arguments": told}))
