"""calmstreet.toml with cameras: every fault at once, no secret in a sentence, schema published."""

import json
from pathlib import Path

import pytest

from calmstreet.config.cameras import camera_url
from calmstreet.config.node import node_json_schema, parse_node
from calmstreet.errors import ConfigError, InputError

DOCS = Path(__file__).resolve().parents[1] / "docs"
NORTH = '[[camera]]\nid = "north"\n'


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_node(text)
    return list(caught.value.faults)


def test_a_camera_has_defaults() -> None:
    (camera,) = parse_node(NORTH + 'url = "rtsp://10.0.0.4:554/low"').camera
    assert (camera.record, camera.retention_h, camera.analysed_fps) == ("events", 72.0, 10.0)
    assert (camera.audit_windows_per_hour, camera.audit_window_s) == (4, 15.0)


def test_every_fault_is_told_at_once() -> None:
    found = faults(
        NORTH + 'net_evry = 3\npre_roll_s = 100\n[[camera]]\nid = "Süd"\nurl = "file:a.mp4"\n'
        '[node]\ncamera_networks = ["here"]\n'
    )
    text = "\n".join(found)
    assert 'camera[0].net_evry is not a known key; did you mean "net_every"?' in text
    assert "camera[0].pre_roll_s is 100; it must be 20 or less" in text
    assert "camera[1].id is 'Süd', which is no id" in text
    assert "node.camera_networks holds 'here', which is no network" in text


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("", "wants either url or url_env, none is given"),
        ('url = "file:a"\nurl_env = "A"', "wants either url or url_env, both are given"),
        ('url = "file:a"\nrecord = "continuous"', "needs a purpose"),
        ('url = "file:a"\nmain_url = "file:b"\nmain_url_env = "B"', "both main_url and"),
        ('url = "file:a"\nmain_url = "file:b"\nrecord = "none"', "only clips of events use"),
        ('url = "file:a"\nrecord = "continuous"\npurpose = " "', "needs a purpose"),
    ],
)
def test_what_belongs_together(more: str, says: str) -> None:
    (found,) = faults(NORTH + more)
    assert says in found


def test_udp_needs_a_fence() -> None:
    loose = NORTH + 'url = "rtsp://10.0.0.4/low"\ntransport = "udp"\n'
    (found,) = faults(loose)
    assert "'north' has transport = \"udp\"" in found
    assert "fenced_network = true" in found
    (camera,) = parse_node("[node]\nfenced_network = true\n" + loose).camera
    assert camera.transport == "udp"


def test_an_id_stands_once() -> None:
    one = NORTH + 'url = "file:a.mp4"\n'
    assert "the id 'north' twice" in faults(one + one)[0]


@pytest.mark.parametrize("key", ["url", "url_env", "main_url", "main_url_env"])
def test_a_password_in_the_file_is_refused_and_not_repeated(key: str) -> None:
    (found,) = faults(NORTH + f'{key} = "rtsp://admin:hunter2/x@10.0.0.4/low"')
    assert f"camera[0].{key}" in found
    assert "hunter2" not in found


def test_addresses_come_from_the_environment_or_a_credential(tmp_path: Path) -> None:
    (camera,) = parse_node(NORTH + 'url_env = "NORTH_URL"').camera
    source = tmp_path / "calmstreet.toml"
    with pytest.raises(InputError, match=r"calmstreet\.toml.*north.*NORTH_URL, which is not set"):
        camera_url(camera, source=source, environ={})
    assert camera_url(camera, source=source, environ={"NORTH_URL": " rtsp://a "}) == "rtsp://a"
    (tmp_path / "NORTH_URL").write_text("rtsp://u:p@10.0.0.4/low\n", encoding="utf-8")
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert camera_url(camera, source=source, environ=given) == "rtsp://u:p@10.0.0.4/low"


def test_a_main_stream_is_read_where_one_is_named(tmp_path: Path) -> None:
    (camera,) = parse_node(NORTH + 'url = "file:a"\nmain_url_env = "NORTH_MAIN"').camera
    source = tmp_path / "calmstreet.toml"
    with pytest.raises(InputError, match="main_url_env names NORTH_MAIN, which is not set"):
        camera_url(camera, source=source, environ={}, main=True)
    given = {"NORTH_MAIN": "rtsp://u:p@10.0.0.4/main"}
    assert camera_url(camera, source=source, environ=given, main=True) == given["NORTH_MAIN"]
    (plain,) = parse_node(NORTH + 'url = "file:a"').camera
    assert camera_url(plain, source=source, environ={}, main=True) == ""


def test_the_published_schema_is_the_models() -> None:
    published = json.loads((DOCS / "node.schema.json").read_text(encoding="utf-8"))
    assert published == node_json_schema()
