"""`task.yaml`, held to SkyPilot's schema and made a task."""

import json
import os
import sys
from pathlib import Path

sys.path.pop(0)
os.environ["SKYPILOT_DISABLE_USAGE_COLLECTION"] = "1"
try:
    import sky
    import yaml

    task = sky.Task.from_yaml_config(yaml.safe_load(Path(sys.argv[1], "task.yaml").read_text()))
    print(json.dumps({"nodes": task.num_nodes}))
except (Exception, SystemExit) as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
