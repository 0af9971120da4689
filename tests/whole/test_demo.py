"""The rendered street through both eyes, end to end: the demo, offline."""

import re
import socket
from pathlib import Path

import pytest
from tests.whole.line import calm

from calmstreet.perception.onnx import net_is_installed
from calmstreet.scene.film import render_film
from calmstreet.scene.script import demo_street

pytestmark = pytest.mark.skipif(not net_is_installed(), reason="the net is not installed")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("somebody called the network")

    for name in ("create_connection", "create_server", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    for name in ("connect", "connect_ex", "bind", "listen", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_the_demo_prints_counts_beside_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shorter(path: Path, **more: object) -> object:
        return render_film(demo_street(14.0, 7), path, fps=10.0)

    monkeypatch.setattr("calmstreet.pipeline.demo.render_demo", shorter)
    done = calm("demo", "--out", tmp_path / "demo")
    assert done.code == 0, done.err
    counted, true = map(int, re.findall(r"all gates: (\d+) of (\d+)", done.out)[0])
    assert true >= 5
    assert abs(counted - true) <= 2
    assert (tmp_path / "demo" / "result" / "report.html").is_file()
    assert (tmp_path / "demo" / "SITE.toml").is_file()
