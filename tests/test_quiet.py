"""Libraries that would send something out are told not to, in every process, before they load."""

import os
import subprocess
import sys
from pathlib import Path

import calmstreet


def test_the_runtime_of_the_nets_leaves_no_id_and_sends_nothing(tmp_path: Path) -> None:
    source = str(Path(calmstreet.__file__).parents[1])
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("ORT_", "CI", "GITHUB"))}
    subprocess.run(
        [sys.executable, "-c", "import calmstreet.perception.onnx as o; o.net_is_installed()"],
        env={**environ, "HOME": str(tmp_path), "PYTHONPATH": source},
        check=True,
    )
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
    assert not list(tmp_path.rglob("*onnxruntime*"))
