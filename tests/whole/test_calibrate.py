"""`calmstreet calibrate` as a traffic engineer uses it, on a rendered street with known metres."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.whole.line import calm

from calmstreet.config.site import parse_site
from calmstreet.model.site import PlaneSpec
from calmstreet.scene.film import render_film
from calmstreet.scene.script import measured_plane, nobody
from calmstreet.scene.stage import Stage

SCENE = nobody(duration_s=1.5)
SPEC = measured_plane(SCENE.street, SCENE.camera)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "street.mp4"
    render_film(SCENE, path, fps=6.0)
    return path


def points_csv(folder: Path, spec: PlaneSpec = SPEC) -> Path:
    rows = ["x_px,y_px,x_m,y_m,sigma_m"]
    for px, place in zip(spec.points_px, spec.points_m, strict=True):
        rows.append(f"{px[0]},{px[1]},{place[0]},{place[1]},0.03")
    path = folder / "points.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def lengths_csv(folder: Path, share: float = 1.0) -> Path:
    rows = ["ax_px,ay_px,bx_px,by_px,length_m"]
    for c in SPEC.check_lengths:
        rows.append(f"{c.a_px[0]},{c.a_px[1]},{c.b_px[0]},{c.b_px[1]},{c.length_m * share}")
    path = folder / "lengths.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def picture_of(path: Path) -> NDArray[np.int64]:
    bgr = cv2.imread(str(path))
    assert bgr is not None
    return bgr.astype(np.int64)


def test_the_block_can_be_pasted_and_the_picture_shows_the_grid(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "grid.png"
    words = ("calibrate", "--points", points_csv(tmp_path), "--frame", film, "--camera", "north")
    done = calm(*words, "--check-lengths", lengths_csv(tmp_path), "--out", out)
    assert done.code == 0, done.err
    assert "This plane may carry speeds." in done.out
    assert "Residuals of fitted points are no accuracy" in done.out
    assert "without it" in done.out
    assert "agrees" in done.out
    block = done.out.split("# into SITE.toml\n")[1]
    site = parse_site('[site]\nid = "a"\n' + block)
    assert site.cameras[0].id == "north"
    plane = site.cameras[0].plane
    assert plane is not None
    assert plane.points_m == SPEC.points_m
    bgr = picture_of(out)
    assert bgr.shape == (720, 1280, 3)
    street = cv2.resize(Stage(SCENE).picture(0.0)[0], (1280, 720)).astype(int)
    changed = (np.abs(bgr - street).max(axis=2) > 60).mean()
    assert 0.005 < changed < 0.2


def test_json_has_the_numbers(film: Path, tmp_path: Path) -> None:
    lengths = lengths_csv(tmp_path)
    words = ("calibrate", "--points", points_csv(tmp_path), "--frame", film, "--json")
    found = calm(*words, "--check-lengths", lengths).summary
    assert found["state"] == "trusted"
    assert [point["used"] for point in found["points"]] == [True] * 8
    assert max(point["left_out_m"] for point in found["points"]) < 0.5
    assert found["camera"]["height_m"] == pytest.approx(SCENE.camera.height_m, abs=0.3)
    assert found["camera"]["focal_px"] == pytest.approx(SCENE.camera.focal_px, abs=40)
    assert found["check_lengths"][0]["agrees"] is True
    assert 0 < found["scale_sigma_share"]["median"] < 0.02
    assert found["metres_per_px"]["near"] < found["metres_per_px"]["far"]


def test_five_points_are_a_sketch(film: Path, tmp_path: Path) -> None:
    five = replace(SPEC, points_px=SPEC.points_px[:5], points_m=SPEC.points_m[:5])
    done = calm("calibrate", "--points", points_csv(tmp_path, five), "--frame", film)
    assert done.code == 0
    assert "places in metres, no speeds" in done.out
    assert "5 points and no check length are a sketch" in done.out
    assert "One more point helps most near pixel" in done.out


def test_a_length_that_disagrees_is_told_and_refused(film: Path, tmp_path: Path) -> None:
    lengths = lengths_csv(tmp_path, share=1.1)
    words = ("calibrate", "--points", points_csv(tmp_path), "--frame", film)
    done = calm(*words, "--check-lengths", lengths)
    assert done.code == 2
    assert "DISAGREES" in done.out
    assert "into SITE.toml" not in done.out
    assert len(done.faults) == 1
    assert "check length 1 is 13.2" in done.faults[0]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (replace(SPEC, points_m=tuple((y, x) for x, y in SPEC.points_m)), "is mirrored"),
        (replace(SPEC, points_px=SPEC.points_px[:3], points_m=SPEC.points_m[:3]), "counts only"),
        (
            replace(SPEC, points_px=(SPEC.points_px[1], *SPEC.points_px[1:])),
            "names a pixel twice",
        ),
        (
            replace(SPEC, points_px=tuple((x * 2, y * 2) for x, y in SPEC.points_px)),
            "outside the picture",
        ),
    ],
)
def test_what_is_no_plane_is_refused_in_one_sentence(
    film: Path, tmp_path: Path, spec: PlaneSpec, said: str
) -> None:
    done = calm("calibrate", "--points", points_csv(tmp_path, spec), "--frame", film)
    assert done.code == 2
    assert len(done.faults) == 1
    assert said in done.faults[0]
    assert "points.csv" in done.faults[0]
    assert done.out == ""


def test_a_still_is_made_coarse(tmp_path: Path) -> None:
    still = tmp_path / "still.png"
    stripes = np.zeros((540, 960, 3), np.uint8)
    stripes[:, np.arange(960) % 4 < 2] = 255
    cv2.imwrite(str(still), stripes)
    out = tmp_path / "grid.png"
    done = calm("calibrate", "--points", points_csv(tmp_path), "--frame", still, "--out", out)
    assert done.code == 0, done.err
    grey = picture_of(out)[..., 1]
    assert ((grey > 60) & (grey < 200)).mean() > 0.85


@pytest.mark.parametrize(
    ("option", "value"), [("--k1", "-1.5"), ("--k1", "nan"), ("--focal-px", "0")]
)
def test_a_lens_that_is_none(film: Path, tmp_path: Path, option: str, value: str) -> None:
    done = calm("calibrate", "--points", points_csv(tmp_path), "--frame", film, option, value)
    assert done.code == 2
    assert done.faults[0].startswith(f"calmstreet: {option} ")


@pytest.mark.parametrize("name", ["none.png", "none.mp4", "text.png"])
def test_a_frame_that_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    done = calm("calibrate", "--points", points_csv(tmp_path), "--frame", tmp_path / name)
    assert done.code == 2
    assert name in done.faults[0]


def test_site_draws_the_grid_and_tells_of_a_mirrored_plane(film: Path, tmp_path: Path) -> None:
    from calmstreet.config.site import dump_site_toml
    from calmstreet.model.site import Camera, Site

    file = tmp_path / "SITE.toml"
    pictures = {}
    for name, spec in (("none", None), ("plane", SPEC)):
        file.write_text(
            dump_site_toml(Site(id="a", cameras=(Camera(id="stage", plane=spec),))),
            encoding="utf-8",
        )
        done = calm("site", file, "--video", film, "--out", tmp_path / f"{name}.png")
        assert done.code == 0, done.err
        pictures[name] = picture_of(tmp_path / f"{name}.png")
    changed = (np.abs(pictures["plane"] - pictures["none"]).max(axis=2) > 30).mean()
    assert 0.005 < changed < 0.2
    mirrored = replace(SPEC, points_m=tuple((y, x) for x, y in SPEC.points_m))
    file.write_text(
        dump_site_toml(Site(id="a", cameras=(Camera(id="stage", plane=mirrored),))),
        encoding="utf-8",
    )
    for verb in (("site", file, "--video", film), ("analyse", film, "--site", file)):
        done = calm(*verb, "--out", tmp_path / "out")
        assert done.code == 2
        assert done.faults == [
            'calmstreet: SITE.toml: camera "stage": the plane is mirrored: on the ground the '
            "points turn the other way round than in the picture; write east before north and "
            "longitude before latitude"
        ]
