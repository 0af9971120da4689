"""SITE.toml: every fault at once with its cure, and the same site after writing and reading."""

import json
import math
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calmstreet.config.site import (
    check_frame,
    default_site,
    dump_site_toml,
    load_site,
    parse_site,
    site_json_schema,
)
from calmstreet.config.toml import to_toml
from calmstreet.errors import ConfigError
from calmstreet.model.site import (
    CONTROLS,
    FOOT,
    TURNS,
    ZONE_KINDS,
    Camera,
    CheckLength,
    Gate,
    Mask,
    Movement,
    PlaneSpec,
    Point,
    Signal,
    Site,
    Zone,
)

DOCS = Path(__file__).resolve().parents[1] / "docs"

WHOLE = """
[site]
id = "abay-dostyk"
name = "Abay / Dostyk"
tz = "Asia/Almaty"
speed_limit_kmh = 50
strict = true
[[camera]]
id = "north"
[camera.plane]
points_px = [[0, 0], [100, 0], [100, 100], [0, 100]]
points_m = [[0, 0], [10, 0], [10, 10], [0, 10]]
check_lengths = [{ a_px = [0, 0], b_px = [100, 0], length_m = 10.1 }]
k1 = -0.1
[[gate]]
id = "stop-line"
points_px = [[120, 410], [560, 395]]
signal = "head"
[[gate]]
id = "metres"
points_m = [[1, 2], [3, 4]]
anchor = [0.5, 0.75]
[[zone]]
id = "n"
kind = "approach"
polygon_px = [[80, 300], [300, 300], [280, 420], [60, 420]]
[[zone]]
id = "zebra"
kind = "crossing"
control = "zebra"
polygon_px = [[0, 0], [9, 0], [9, 9]]
[[movement]]
id = "n-u"
from = "n"
to = "n"
turn = "u"
[[movement]]
id = "n-s"
from = "n"
to = "stop-line"
[[mask]]
polygon_px = [[0, 0], [200, 0], [200, 60], [0, 60]]
[[signal]]
id = "head"
lamps_px = { red = [10, 10, 20, 20], green = [10, 30, 20, 40] }
[rules.counting]
hysteresis_m = 0.5
"""

HEAD = '[site]\nid = "a"\n'
GATE = '[[gate]]\nid = "g"\npoints_px = [[0, 0], [9, 0]]\n'
ZONE = '[[zone]]\nid = "z"\nkind = "lane"\npolygon_px = [[0, 0], [9, 0], [9, 9]]\n'


def test_the_whole_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "SITE.toml"
    path.write_text(WHOLE, encoding="utf-8")
    site, text = load_site(path)
    assert text == WHOLE
    assert (site.id, site.tz, site.speed_limit_kmh, site.strict_blur) == (
        "abay-dostyk",
        "Asia/Almaty",
        50.0,
        True,
    )
    assert site.gates[0] == Gate(
        id="stop-line",
        camera_id="north",
        points_px=((120.0, 410.0), (560.0, 395.0)),
        signal="head",
    )
    assert site.gates[1].points_m == ((1.0, 2.0), (3.0, 4.0))
    assert site.gates[1].anchor == (0.5, 0.75)
    assert [zone.kind for zone in site.zones] == ["approach", "crossing"]
    assert math.isnan(site.zones[0].direction_deg)
    assert site.movements[1].turn == ""
    assert site.signals[0].lamps_px == {"red": (10, 10, 20, 20), "green": (10, 30, 20, 40)}
    assert site.rules == {"counting": {"hysteresis_m": 0.5}}
    plane = site.cameras[0].plane
    assert plane is not None
    assert [(c.a_px, c.b_px, c.length_m) for c in plane.check_lengths] == [
        ((0.0, 0.0), (100.0, 0.0), 10.1)
    ]
    assert parse_site(dump_site_toml(site)).site_version == site.site_version


@pytest.mark.parametrize(
    ("text", "path", "cure"),
    [
        ("[site]\nname = 'a'\n", "site.id", "is missing"),
        ("", "site", "add [site]"),
        (HEAD + "tz = 'Asia/Nowhere'", "site.tz", "write one such as Asia/Almaty"),
        (HEAD + "speed_limit_kmh = 0", "site.speed_limit_kmh", "more than 0"),
        (HEAD + "speed_limit_kmh = '50'", "site.speed_limit_kmh", "without quotes"),
        (HEAD + "strict = 1", "site.strict", "true or false"),
        (HEAD + "speed_limit = 50", "site.speed_limit", 'did you mean "speed_limit_kmh"?'),
        (HEAD + "[[gates]]\nid = 'g'", "gates", 'did you mean "gate"?'),
        (HEAD + GATE.replace("[[gate]]", "[gate]"), "gate", "write [[gate]] with double brackets"),
        (HEAD.replace("[site]", "[[site]]"), "site", "write [site] with single brackets"),
        (HEAD + GATE.replace('"g"', '"G!"'), "gate[0].id", "a-z, 0-9 and -"),
        (HEAD + GATE.replace('"g"', f'"{"g" * 41}"'), "gate[0].id", "1 to 40"),
        (HEAD + GATE + "anchor = [0.5, 1.2]", "gate[0].anchor[1]", "must be 1 or less"),
        (HEAD + GATE + "anchor = 'head'", "gate[0].anchor", "is 'head'"),
        (HEAD + GATE + "point_px = []", "gate[0].point_px", 'did you mean "points_px"?'),
        (HEAD + GATE + "points_m = [[0, 0], [1, 1]]", "gate[0]", "both are given"),
        (HEAD + "[[gate]]\nid = 'g'", "gate[0]", "none is given"),
        (HEAD + GATE.replace("[9, 0]", "[0, 0]"), "gate[0].points_px", "has length zero"),
        (HEAD + GATE.replace(", [9, 0]", ""), "gate[0].points_px", "at least two"),
        (HEAD + GATE.replace("[9, 0]", "[nan, 0]"), "gate[0].points_px[1][0]", "finite number"),
        (HEAD + GATE.replace("[9, 0]", "[9, inf]"), "gate[0].points_px[1][1]", "finite number"),
        (HEAD + GATE.replace("[9, 0]", "[9]"), "gate[0].points_px[1][1]", "written as [x, y]"),
        (HEAD + GATE.replace("[9, 0]", "[9, true]"), "gate[0].points_px[1][1]", "write a number"),
        (
            HEAD + GATE.replace("[9, 0]", "[9, 0], [4, 0]"),
            "gate[0].points_px",
            "draw it in one direction",
        ),
        (
            HEAD + GATE.replace("[9, 0]", "[9, 0], [9, 9], [4, -9]"),
            "gate[0].points_px",
            "does not meet itself",
        ),
        (HEAD + GATE + "signal = 'h'", "gate[0].signal", "add it under [[signal]]"),
        (HEAD + GATE + "camera = 'north'", "gate[0].camera", "add it under [[camera]]"),
        (HEAD + ZONE.replace(", [9, 9]", ""), "zone[0].polygon_px", "at least three"),
        (
            HEAD + ZONE.replace("[9, 9]", "[0, 9], [9, 9]"),
            "zone[0].polygon_px",
            "in order around the area",
        ),
        (HEAD + ZONE.replace("[9, 9]", "[5, 0]"), "zone[0].polygon_px", "on one line"),
        (HEAD + ZONE.replace("[9, 9]", "[9, 9], [0, 0]"), "zone[0].polygon_px", "leave the last"),
        (HEAD + ZONE.replace('"lane"', '"lain"'), "zone[0].kind", "'lane'"),
        (HEAD + ZONE + "control = 'zebra'", "zone[0]", "remove control"),
        (HEAD + ZONE + "direction_deg = 360", "zone[0].direction_deg", "less than 360"),
        (
            HEAD + "[[camera]]\nid = 'a'\n" + ZONE.replace("polygon_px", "polygon_m"),
            "zone[0].polygon_m",
            "add the plane",
        ),
        (
            HEAD + GATE.replace("points_px", "points_m").replace("9", "0.0004"),
            "gate[0].points_m",
            "looks like degrees",
        ),
        (HEAD + ZONE + "signal = 'h'", "zone[0]", "remove signal"),
        (HEAD + GATE + ZONE.replace('"z"', '"g"'), "zone[0].id", "already the id at gate[0].id"),
        (
            HEAD + ZONE + "[[movement]]\nid = 'm'\nfrom = 'z'\nto = 'zz'",
            "movement[0].to",
            'did you mean "z"?',
        ),
        (
            HEAD + ZONE + "[[movement]]\nid = 'm'\nfrom = 'z'\nto = 'z'",
            "movement[0].to",
            'turn = "u"',
        ),
        (HEAD + "[rules.counting]\nhysteresis_m = -1", "rules.counting.hysteresis_m", "0 or more"),
        (HEAD + "[rules.stopped]\nafter_s = 5", "rules.stopped", 'mean "stopped-vehicle"'),
        (HEAD + "[rules.red-light]\ndelay_s = 9", "rules.red-light.delay_s", "5 or less"),
        (HEAD + "[rules.queue]\non = 1", "rules.queue.on", "write true or false"),
        (
            HEAD + "[[signal]]\nid = 's'\nlamps_px = { red = [9, 0, 0, 9] }",
            "signal[0].lamps_px.red",
            "[left, top, right, bottom]",
        ),
        (HEAD + "[[signal]]\nid = 's'\nlamps_px = {}", "signal[0].lamps_px", "holds no lamp"),
        (
            HEAD + "[[camera]]\nid = 'a'\n[[camera]]\nid = 'b'\n" + GATE,
            "gate[0].camera",
            "write one of a, b",
        ),
        (
            HEAD + "[[camera]]\nid = 'a'\n[camera.plane]\npoints_px = []\npoints_m = []",
            "camera[0].plane.points_px",
            "at least 1",
        ),
        (
            HEAD + "[[camera]]\nid = 'a'\n[camera.plane]\n"
            "points_px = [[0, 0], [1, 0], [1, 1], [0, 1]]\npoints_lonlat = [[0, 0]]",
            "camera[0].plane",
            "every picture point",
        ),
    ],
)
def test_a_fault_names_file_key_and_cure(text: str, path: str, cure: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_site(text)
    faults = [fault for fault in caught.value.faults if fault.startswith(f"SITE.toml: {path} ")]
    assert faults, caught.value.faults
    assert any(cure in fault for fault in faults), faults


def test_all_faults_come_at_once() -> None:
    text = (
        HEAD
        + "colour = 1\n"
        + GATE.replace("[9, 0]", "[0, 0]")
        + ZONE.replace(", [9, 9]", "")
        + "[[movement]]\nid = 'm'\nfrom = 'z'\nto = 'nobody'\n"
    )
    with pytest.raises(ConfigError) as caught:
        parse_site(text)
    assert [fault.split()[1] for fault in caught.value.faults] == [
        "site.colour",
        "gate[0].points_px",
        "zone[0].polygon_px",
        "movement[0].to",
    ]
    assert '("z")' in caught.value.faults[2]


def test_a_syntax_error_names_its_line() -> None:
    with pytest.raises(ConfigError, match=r"line 2"):
        parse_site("[site]\nid = \n")


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"give the path of a SITE\.toml"):
        load_site(tmp_path / "nowhere.toml")
    broken = tmp_path / "latin.toml"
    broken.write_bytes(b"[site]\nid = \xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_site(broken)


def test_two_cameras_are_not_joined() -> None:
    cameras = "[[camera]]\nid = 'a'\n[[camera]]\nid = 'b'\n"
    two = GATE + "camera = 'a'\n" + ZONE + "camera = 'b'\n"
    movement = "[[movement]]\nid = 'm'\nfrom = 'g'\nto = 'z'\n"
    assert len(parse_site(HEAD + cameras + two).cameras) == 2
    with pytest.raises(ConfigError, match="nobody is followed across cameras"):
        parse_site(HEAD + cameras + two + movement)


def test_what_lies_outside_the_frame_is_refused() -> None:
    site = parse_site(WHOLE)
    check_frame(site, "north", 640, 480)
    check_frame(site, "north", 559, 420)
    check_frame(site, "south", 10, 10)
    with pytest.raises(ConfigError) as caught:
        check_frame(site, "north", 320, 35)
    text = str(caught.value)
    assert "320 x 35 px" in text
    for name in ('gate "stop-line"', 'zone "n"', "mask[0]", 'the green lamp of signal "head"'):
        assert name in text
    assert 'gate "metres"' not in text
    assert "the red lamp" not in text


def test_the_published_schema_is_the_models() -> None:
    published = json.loads((DOCS / "site.schema.json").read_text(encoding="utf-8"))
    assert published == site_json_schema()


def test_every_key_is_in_the_reference() -> None:
    names = ("site.md", "rules.md", "conflicts.md")
    text = "".join((DOCS / name).read_text(encoding="utf-8") for name in names)
    schema = site_json_schema()
    tables = [schema, *schema["$defs"].values()]
    for table in tables:
        for key in table.get("properties", {}):
            told = (f"`{key}`", f"[{key}]", f"[rules.{key}]")
            assert any(word in text for word in told), key


def test_the_example_of_the_reference_is_read() -> None:
    text = (DOCS / "site.md").read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in text.split("```toml\n")[1:]]
    assert blocks
    for block in blocks:
        parse_site(block)


def test_the_words_of_the_model_are_the_words_of_the_file() -> None:
    definitions = site_json_schema()["$defs"]
    zone = definitions["ZoneTable"]["properties"]
    assert tuple(zone["kind"]["enum"]) == ZONE_KINDS
    assert tuple(zone["control"]["anyOf"][0]["enum"]) == CONTROLS
    turn = definitions["MovementTable"]["properties"]["turn"]
    assert tuple(turn["anyOf"][0]["enum"]) == TURNS


def test_without_a_file_there_is_one_camera() -> None:
    site = default_site()
    assert [camera.id for camera in site.cameras] == ["camera"]
    assert parse_site(dump_site_toml(site)).site_version == site.site_version


numbers = st.floats(-4000, 4000, allow_nan=False).map(lambda x: x + 0.0)
names = st.text(max_size=20).filter(lambda s: s.encode("utf-8", "ignore").decode() == s)


@st.composite
def polygons(draw: st.DrawFn) -> tuple[Point, ...]:
    """Corners on a circle, so that the area never crosses itself."""
    x, y = draw(numbers), draw(numbers)
    radius = draw(st.floats(1, 500))
    corners = draw(st.integers(3, 7))
    turns = [2 * math.pi * (i + draw(st.floats(0, 0.5))) / corners for i in range(corners)]
    return tuple((x + radius * math.cos(a), y + radius * math.sin(a)) for a in turns)


@st.composite
def polylines(draw: st.DrawFn) -> tuple[Point, ...]:
    """Points from left to right, so that the line never meets itself."""
    x = draw(numbers)
    steps = draw(st.lists(st.floats(0.5, 100), min_size=2, max_size=5))
    return tuple((x + sum(steps[:i]), draw(numbers)) for i in range(len(steps)))


limits = st.one_of(st.just(math.nan), st.floats(1, 200))
sigmas = st.one_of(st.just(math.nan), st.floats(0.01, 9))
ids = st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True)


@st.composite
def planes(draw: st.DrawFn) -> PlaneSpec:
    points = tuple(draw(st.lists(st.tuples(numbers, numbers), min_size=4, max_size=6, unique=True)))
    ground = tuple(draw(st.tuples(st.floats(-90, 90), st.floats(-90, 90))) for _ in points)
    metres = draw(st.booleans())
    return PlaneSpec(
        points_px=points,
        points_m=ground if metres else (),
        points_lonlat=() if metres else ground,
        check_lengths=tuple(
            CheckLength(a_px=points[0], b_px=points[1], length_m=length, sigma_m=draw(sigmas))
            for length in draw(st.lists(st.floats(0.1, 9)))
        ),
        k1=draw(st.floats(-1, 1)),
        focal_px=draw(sigmas),
        size_px=draw(st.sampled_from([(), (1920.0, 1080.0)])),
        sigma_px=draw(sigmas),
        sigma_m=draw(st.sampled_from([(), (0.2,), tuple(0.1 for _ in points)])),
    )


@st.composite
def sites(draw: st.DrawFn) -> Site:
    cameras = draw(st.lists(ids, min_size=1, max_size=3, unique=True))
    places = draw(st.lists(ids, min_size=2, max_size=6, unique=True))
    of = st.sampled_from(cameras)
    heads = tuple(
        Signal(id=f"head-{i}", camera_id=camera, lamps_px={"red": (0, 0, 4, draw(st.floats(1, 9)))})
        for i, camera in enumerate(cameras)
    )
    cut = draw(st.integers(1, len(places) - 1))
    gates = tuple(
        Gate(
            id=name,
            camera_id=cameras[0],
            points_px=draw(polylines()),
            anchor=draw(st.sampled_from([FOOT, (0.25, 0.5)])),
            signal=draw(st.sampled_from(["", "head-0"])),
            name=draw(names),
        )
        for name in places[:cut]
    )
    zones = tuple(
        Zone(
            id=name,
            camera_id=draw(of),
            kind="lane",
            polygon_px=draw(polygons()),
            direction_deg=draw(st.one_of(st.just(math.nan), st.floats(0, 359))),
            speed_limit_kmh=draw(limits),
            name=draw(names),
        )
        for name in places[cut:]
    )
    hysteresis = draw(st.floats(0, 20))
    return Site(
        id=draw(ids),
        name=draw(names),
        tz=draw(st.sampled_from(["UTC", "Asia/Almaty", "Asia/Tashkent"])),
        speed_limit_kmh=draw(limits),
        strict_blur=draw(st.booleans()),
        origin_lonlat=draw(st.sampled_from([None, (76.95, 43.25)])),
        cameras=tuple(
            Camera(id=name, plane=draw(st.one_of(st.none(), planes()))) for name in cameras
        ),
        gates=gates,
        zones=zones,
        movements=(Movement(id="m", from_id=places[0], to_id=places[0], turn="u"),),
        masks=(Mask(camera_id=draw(of), polygon_px=draw(polygons())),),
        signals=heads,
        rules=draw(
            st.sampled_from(
                [
                    {},
                    {"counting": {"hysteresis_m": hysteresis}},
                    {"red-light": {"delay_s": 0.5, "on": False}, "signals": {"clock_sigma_s": 1.0}},
                ]
            )
        ),
    )


@settings(max_examples=40)
@given(sites())
def test_a_written_site_reads_back_as_the_same(site: Site) -> None:
    assert parse_site(dump_site_toml(site)).site_version == site.site_version


def shuffled(value: Any, dice: random.Random) -> Any:
    """Return the same document with the keys of every table in another order."""
    if isinstance(value, dict):
        keys = list(value)
        dice.shuffle(keys)
        return {key: shuffled(value[key], dice) for key in keys}
    return [shuffled(item, dice) for item in value] if isinstance(value, list) else value


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(dice: random.Random) -> None:
    text = to_toml(shuffled(tomllib.loads(WHOLE), dice))
    assert parse_site(text).site_version == parse_site(WHOLE).site_version


values = st.recursive(
    st.one_of(st.text(max_size=3), st.integers(), st.floats(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["id", "camera", "from", "to", "kind", "x"]), inner),
    ),
    max_leaves=8,
)
tops = ["site", "camera", "gate", "zone", "movement", "mask", "signal", "rules", "x"]


@given(st.dictionaries(st.sampled_from(tops), values))
def test_nonsense_is_refused_in_words(document: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_site(to_toml({**document, "nonsense": 1}))
    assert any("nonsense" in fault for fault in caught.value.faults)


def test_a_site_in_metres_without_a_camera_reads_back() -> None:
    site = parse_site(
        '[site]\nid = "x"\n[[gate]]\nid = "g"\npoints_m = [[0, 0], [10, 0]]\n'
        '[[zone]]\nid = "n"\nkind = "approach"\npolygon_m = [[0, 0], [10, 0], [10, 10]]\n'
    )
    assert parse_site(dump_site_toml(site)).site_version == site.site_version
