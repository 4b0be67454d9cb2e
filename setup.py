"""What the wheel has beside the sources: files that are made of them, each by a module of the package itself."""

import os
import subprocess
import sys

from setuptools import setup
from setuptools.command.build_py import build_py

# The module that writes a file, and the file's path in the wheel. An editable install has none: it reads the sources.
GENERATED = (
    ("runplan.dsl.syntax.tables", "runplan/dsl/syntax/plan_tables.py"),
    ("runplan.make_patterns", "runplan/dsl/text/pattern_table.py"),
    ("runplan.dsl.units.make_table", "runplan/dsl/units/unit_table.py"),
    ("runplan.engine.problem.make_seeded", "runplan/engine/problem/seeded_table.py"),
    ("runplan.dsl.packs.make_image", "runplan/stdlib/image.bin"),
    ("runplan.make_modules", "runplan/modules.bin"),  # last: it has the modules that are made
)


class BuildWithGenerated(build_py):
    """Lays the package out, and lets it write the rest of itself."""

    def run(self) -> None:
        """Raises `CalledProcessError` where a file cannot be made: a wheel has all or is none."""
        super().run()
        if self.editable_mode:
            return
        root = os.path.abspath(self.build_lib)
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": path, "RUNPLAN_NO_CACHE": "1"}
        for module, target in GENERATED:
            # -B: what stands beside the modules would go into the wheel.
            command = [sys.executable, "-B", "-m", module, os.path.join(root, target)]
            subprocess.run(command, cwd=root, env=environment, check=True)


setup(cmdclass={"build_py": BuildWithGenerated})
