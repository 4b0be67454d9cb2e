"""Every document of `job.yaml`, held strictly to the schemas of Kubernetes."""

import sys
from pathlib import Path

sys.path.pop(0)
import kubernetes_validate
import yaml

try:
    for document in yaml.safe_load_all(Path(sys.argv[1], "job.yaml").read_text()):
        kubernetes_validate.validate(document, "1.31", strict=True)
except Exception as error:
    print(f"{type(error).__name__}: {error}"[:2000])
    sys.exit(1)
print("{}")
