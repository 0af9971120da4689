"""Lines of JSON and figures: no secret, no NaN, one line each."""

import io
import json
import urllib.request

import pytest

from calmstreet.errors import InputError
from calmstreet.pipeline.lines import clean, read_line, tell_line
from calmstreet.pipeline.metrics import MetricsServer, metrics_text

SECRET = "rtsp://admin:p4ss:w/ord@10.0.0.7/live"


def test_no_address_with_a_password_gets_into_a_line() -> None:
    stream = io.StringIO()
    tell_line(stream, says=f"cannot open {SECRET}", more=[{"url": SECRET}], fps=float("inf"))
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert "p4ss" not in text
    assert "10.0.0.7" not in text or "***@10.0.0.7" in text
    assert json.loads(text)["fps"] is None


def test_what_is_no_line_is_none() -> None:
    assert read_line("[1]") is None
    assert read_line("Traceback (most recent call last):") is None
    assert clean(("a", 1.5)) == ["a", 1.5]


def test_figures_are_served_on_this_machine_alone() -> None:
    server = MetricsServer(port=0, text=lambda: metrics_text({"x": 1}, {}))
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
            assert answer.read().decode().endswith("calmstreet_x 1\n")
        with pytest.raises(InputError, match=r"node\.metrics_port"):
            MetricsServer(port=server.port, text=lambda: "")
    finally:
        server.close()
