"""Tiles beneath the map: none, a PMTiles file given in ranges by its id, or an address."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.web.desks import Person, a_node, add_person, app_of, signed_in, the_result
from tests.web.tiles import VECTOR, a_tiles_file

from calmstreet.config.node import parse_node
from calmstreet.errors import ConfigError, InputError
from calmstreet.web.app import create_app
from calmstreet.web.knocking import Knocker
from calmstreet.web.node import Node, node_of

VIEWER = Person(role="viewer", cameras=("north",))


def configured(place: Path, line: str) -> Node:
    (place / "results").mkdir(exist_ok=True)
    config = place / "calmstreet.toml"
    config.write_text(f"[node]\n{line}\n")
    return node_of(config)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    a_tiles_file(tmp_path / "city.pmtiles")
    made = a_node(tmp_path, days=(0,))
    add_person(made, VIEWER)
    told = configured(tmp_path, 'tiles_file = "city.pmtiles"')
    return replace(made, folders=told.folders, settings=told.settings)


def address(knocker: Knocker) -> str:
    found: str = knocker.ask("GET", "/api/node").json()["tiles_url"]
    return found


def test_a_file_is_given_by_its_id_whole_or_in_ranges(node: Node) -> None:
    viewer = signed_in(node, app_of(node), VIEWER)
    target, kept = address(viewer), (node.folders.tiles or Path()).read_bytes()
    assert target.startswith("/api/tiles/")
    assert target.endswith(".pmtiles")
    assert "city" not in target
    whole = viewer.ask("GET", target)
    assert (whole.status, whole.body) == (200, kept)
    assert whole.headers["content-type"] == "application/vnd.pmtiles"
    assert "no-store" in whole.headers["cache-control"]
    part = viewer.ask("GET", target, headers={"range": "bytes=0-16383"})
    assert (part.status, part.body[:8]) == (206, b"PMTiles\x03")
    assert part.headers["content-range"] == f"bytes 0-{len(kept) - 1}/{len(kept)}"
    assert part.headers["etag"] == whole.headers["etag"]
    tail = viewer.ask("GET", target, headers={"range": "bytes=127-130"})
    assert tail.body == kept[127:131]
    assert viewer.ask("GET", target, headers={"range": "bytes=999999-"}).status == 416


def test_nobody_without_a_session_and_no_other_name_gets_tiles(node: Node) -> None:
    app = app_of(node)
    viewer, target = signed_in(node, app, VIEWER), address(Knocker(app))
    assert Knocker(app).ask("GET", target).status == 401
    for other in ("/api/tiles/city.pmtiles", "/api/tiles/0123456789abcdef.pmtiles",
                  "/api/tiles/..%2fcity.pmtiles", f"{target}/x", "/api/tiles/"):  # fmt: skip
        assert viewer.ask("GET", other).status in (404, 422), other


def test_a_file_that_was_replaced_has_another_id_and_a_lost_one_none(node: Node) -> None:
    viewer = signed_in(node, app_of(node), VIEWER)
    before, path = address(viewer), node.folders.tiles
    assert path is not None
    os.utime(path, ns=(1, 1))
    after = address(viewer)
    assert after != before
    assert viewer.ask("GET", before).status == 404
    assert viewer.ask("GET", after).status == 200
    path.unlink()
    assert address(viewer) == ""
    assert viewer.ask("GET", after).status == 404


def test_without_tiles_the_map_is_streets_and_gates_of_our_own(tmp_path: Path) -> None:
    node = a_node(tmp_path, days=(0,))
    add_person(node, VIEWER)
    viewer = signed_in(node, app_of(node), VIEWER)
    assert address(viewer) == ""
    assert viewer.ask("GET", "/api/tiles/0123456789abcdef.pmtiles").status == 404
    page = viewer.ask("GET", f"/api/results/{the_result(node).result_id}/map").json()
    assert page["frame"] == "lonlat"
    for layer, shape in (("gates", "LineString"), ("zones", "Polygon"), ("flows", "LineString")):
        features = page[layer]["features"]
        assert features, layer
        assert {f["geometry"]["type"] for f in features} == {shape}
    for policy in policies(node):
        assert "http" not in policy


def policies(node: Node) -> list[str]:
    asker = Knocker(create_app(node))
    return [asker.ask("GET", t).headers["content-security-policy"] for t in ("/", "/api/results")]


def test_only_the_server_that_is_configured_may_be_asked(tmp_path: Path) -> None:
    url = "https://tiles.example:8443/{z}/{x}/{y}.png"
    node = configured(tmp_path, f'tiles_url = "{url}"')
    assert address(Knocker(create_app(node))) == url
    for policy in policies(node):
        rules = dict(part.split(" ", 1) for part in policy.split("; "))
        asked = {name for name, value in rules.items() if "https://tiles.example:8443" in value}
        assert asked == {"img-src", "connect-src"}
        assert policy.count("http") == 2
        assert rules["script-src"] == "'self'"


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("file:///etc/passwd", "tiles_file"),
        ("tiles/city.pmtiles", "tiles_file"),
        ("https://a.example/{z}/{x}.png", "{y}"),
        ("https://a.example/tiles", "{z}"),
        ("https://me:secret@a.example/{z}/{x}/{y}", "password"),
        ("https://a.example; script-src *//{z}/{x}/{y}", "no address"),
        ("https://a.example 'unsafe-inline'/{z}/{x}/{y}", "no address"),
        ("https:///{z}/{x}/{y}", "no address"),
        ("https://[::1/{z}/{x}/{y}", "no address"),
        ("https://a.example/{z}/{x}/{y} x", "no address"),
        ("javascript:{z}{x}{y}", "http"),
    ],
)
def test_an_address_that_is_none_is_refused_with_the_reason(url: str, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_node(f"[node]\ntiles_url = {url!r}".replace("'", '"') if "'" not in url
                   else f'[node]\ntiles_url = "{url}"')  # fmt: skip
    (fault,) = caught.value.faults
    assert "node.tiles_url" in fault
    assert word in fault
    assert "secret" not in fault


@pytest.mark.parametrize(
    ("content", "word"),
    [(None, "cannot be read"), (b"", "version 3"), (b"PMTiles\x02" + bytes(200), "version 3"),
     (b"PMTiles\x03" + bytes(200), "does not say"), (b"x" * 500, "version 3")],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_at_the_start(
    tmp_path: Path, content: bytes | None, word: str
) -> None:
    if content is not None:
        (tmp_path / "x.pmtiles").write_bytes(content)
    with pytest.raises(InputError, match=word) as caught:
        configured(tmp_path, 'tiles_file = "x.pmtiles"')
    assert "node.tiles_file" in str(caught.value)


def test_vector_tiles_are_told_by_their_layers(tmp_path: Path) -> None:
    a_tiles_file(tmp_path / "v.pmtiles", tile_type=VECTOR)
    facts = Knocker(create_app(configured(tmp_path, 'tiles_file = "v.pmtiles"'))).ask(
        "GET", "/api/node"
    )
    assert facts.json()["tiles_layers"] == ["water"]
    a_tiles_file(tmp_path / "p.pmtiles")
    pictures = configured(tmp_path, 'tiles_file = "p.pmtiles"')
    assert Knocker(create_app(pictures)).ask("GET", "/api/node").json()["tiles_layers"] == []


@pytest.mark.parametrize(("tile_type", "packed", "word"), [(6, 2, "not drawn"), (1, 4, "gzip")])
def test_what_browsers_cannot_read_is_refused(
    tmp_path: Path, tile_type: int, packed: int, word: str
) -> None:
    a_tiles_file(tmp_path / "x.pmtiles", tile_type=tile_type, packed=packed)
    with pytest.raises(InputError, match=word):
        configured(tmp_path, 'tiles_file = "x.pmtiles"')


def test_layers_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    kept = bytearray(a_tiles_file(tmp_path / "x.pmtiles", tile_type=VECTOR).read_bytes())
    kept[24:32] = (2**63).to_bytes(8, "little")
    (tmp_path / "x.pmtiles").write_bytes(kept)
    with pytest.raises(InputError, match="does not name its layers"):
        configured(tmp_path, 'tiles_file = "x.pmtiles"')


def test_two_maps_are_refused(tmp_path: Path) -> None:
    both = 'tiles_file = "v.pmtiles"\ntiles_url = "https://a.example/{z}/{x}/{y}"'
    with pytest.raises(ConfigError, match="keep one"):
        configured(tmp_path, both)
