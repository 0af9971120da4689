"""A camera for tests: GStreamer's RTSP server, run by the Python that has its bindings.

Called as ``python3 gst_camera.py PORT`` with JSON on standard input: path to {"launch", "user",
"password"}. Prints "ready" when it listens and then lives until it is killed.
"""

import importlib
import json
import sys
from typing import Any


def factory_of(server: Any, mount: dict[str, str]) -> Any:
    factory = server.RTSPMediaFactory()
    factory.set_shared(True)
    factory.set_launch(mount["launch"])
    if "user" in mount:
        allowed = server.RTSPPermissions()
        allowed.add_permission_for_role("user", "media.factory.access", True)
        allowed.add_permission_for_role("user", "media.factory.construct", True)
        factory.set_permissions(allowed)
    return factory


def guard_of(server: Any, rtsp: Any, mounts: dict[str, dict[str, str]], way: str) -> Any:
    guard = server.RTSPAuth()
    digest = way == "digest"
    methods = rtsp.RTSPAuthMethod
    guard.set_supported_methods(methods.DIGEST if digest else methods.BASIC)
    for mount in mounts.values():
        if "user" in mount:
            token = server.RTSPToken()
            token.set_string("media.factory.role", "user")
            if digest:
                guard.add_digest(mount["user"], mount["password"], token)
            else:
                basic = server.RTSPAuth.make_basic(mount["user"], mount["password"])
                guard.add_basic(basic, token)
    return guard


def main() -> None:
    gi: Any = importlib.import_module("gi")
    for name in ("Gst", "GstRtsp", "GstRtspServer"):
        gi.require_version(name, "1.0")
    gst, rtsp, server, glib = (
        importlib.import_module(f"gi.repository.{name}")
        for name in ("Gst", "GstRtsp", "GstRtspServer", "GLib")
    )
    gst.init(None)
    mounts: dict[str, dict[str, str]] = json.load(sys.stdin)
    camera = server.RTSPServer()
    camera.set_address("127.0.0.1")
    camera.set_service(sys.argv[1])
    for path, mount in mounts.items():
        camera.get_mount_points().add_factory(path, factory_of(server, mount))
    guarded = [mount for mount in mounts.values() if "user" in mount]
    if guarded:
        way = guarded[0].get("way", "digest")
        camera.set_auth(guard_of(server, rtsp, mounts, way))
    if not camera.attach(None):
        sys.exit(3)
    print("ready", flush=True)
    glib.MainLoop().run()


if __name__ == "__main__":
    main()
