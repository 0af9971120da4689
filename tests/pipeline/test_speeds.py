"""From stored rows to speeds.csv, and the comparison with a radar or a drive with GPS."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.geometry.roadside import HEIGHT_PX, WIDTH_PX, seen_from
from tests.whole.line import calm

from calmstreet.errors import InputError
from calmstreet.geometry.lonlat import to_lonlat
from calmstreet.model.kinds import Kind, SizeSource
from calmstreet.model.points import TrackPoints, make_points, no_points, track_id_of
from calmstreet.model.run import Run
from calmstreet.model.site import Camera, Gate, PlaneSpec, Site, Zone
from calmstreet.pipeline.judging import judge_run
from calmstreet.pipeline.results import write_results
from calmstreet.pipeline.verifying import verify_speed
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.points import PointWriter
from calmstreet.units import from_iso, to_iso

S = 1_000_000_000
TZ = "Asia/Almaty"
ORIGIN = (76.9, 43.2)
START_NS = from_iso("2026-03-02T07:30:00", TZ)
CARS = 24
LINE_M, FIRST_M = 22.0, 10.0


def a_site() -> Site:
    places = np.array([(x, y) for x in (-6.0, 0.0, 6.0) for y in (11.0, 22.0, 38.0)])
    px = seen_from(8.0, 0.4, 1200.0, places)
    spec = PlaneSpec(
        points_px=tuple((float(u), float(v)) for u, v in px),
        points_m=tuple((float(x), float(y)) for x, y in places),
        size_px=(WIDTH_PX, HEIGHT_PX),
    )
    square = ((-5.0, 12.0), (5.0, 12.0), (5.0, 32.0), (-5.0, 32.0))
    return Site(
        id="street",
        tz=TZ,
        speed_limit_kmh=50.0,
        origin_lonlat=ORIGIN,
        cameras=(Camera(id="north", plane=spec),),
        gates=(Gate(id="stop", camera_id="north", points_m=((-6.0, LINE_M), (6.0, LINE_M))),),
        zones=(Zone(id="lane", camera_id="north", kind="lane", polygon_m=square),),
    )


def speeds_mps() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.linspace(9.0, 17.0, CARS)


def the_cars(run_id: int) -> list[TrackPoints]:
    """Return the steps: a car every 8 s, each at its own steady speed, going north."""
    steps: dict[int, list[tuple[int, float, float]]] = {}
    for car, speed in enumerate(speeds_mps().tolist()):
        for k in range(60):
            y = FIRST_M + speed * k / 10
            if y < 48:
                steps.setdefault(car * 80 + k, []).append((car, y, speed))
    found = []
    for step, rows in sorted(steps.items()):
        n = len(rows)
        foot = seen_from(8.0, 0.4, 1200.0, np.array([(2.0, y) for _, y, _ in rows]))
        found.append(
            make_points(
                camera_id="north",
                run_id=run_id,
                t_ns=np.full(n, START_NS + step * S // 10),
                track_id=[track_id_of(run_id, car) for car, _, _ in rows],
                kind=np.full(n, Kind.CAR),
                score=np.full(n, 0.9),
                box_px=np.concatenate(
                    [foot - np.array([20, 30]), foot + np.array([20, 0])], axis=1
                ),
                xy_m=np.array([(2.0, y) for _, y, _ in rows]),
                velocity_mps=np.array([(0.0, speed) for _, _, speed in rows]),
                heading_rad=np.full(n, np.pi / 2),
                length_m=np.full(n, 4.5),
                width_m=np.full(n, 1.8),
                size_source=np.full(n, SizeSource.GIVEN),
                cov_m2=np.full((n, 3), [0.01, 0.0, 0.01]),
            )
        )
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out, site = tmp_path / "out", a_site()
    with Catalogue.open(out, create=True) as catalogue:
        catalogue.save_site(site)
        run = Run(
            run_id=0,
            camera_id="north",
            site_version=site.site_version,
            source="cars.csv",
            start_ns=START_NS,
            end_ns=START_NS + (CARS * 80 + 40) * S // 10,
            state="complete",
            time_known="given",
            width_px=WIDTH_PX,
            height_px=HEIGHT_PX,
            declared_fps=10.0,
            delivered_fps=10.0,
            detector="none",
        )
        run = replace(run, run_id=catalogue.new_run(run))
        with PointWriter(
            folder=out, camera_id="north", run_id=run.run_id, on_file=catalogue.add_file
        ) as writer:
            seen = {int(points.t_ns[0]): points for points in the_cars(run.run_id)}
            nobody = no_points(camera_id="north", run_id=run.run_id)
            for t_ns in range(START_NS, START_NS + CARS * 8 * S, S // 10):
                writer.append(t_ns, seen.get(t_ns, nobody))
        judge_run(catalogue, run, site)
        catalogue.publish([run.run_id])
        write_results(catalogue, lang="en")
    return out


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def a_radar(folder: Path, path: Path, *, more_kmh: float = 0.0, rows: int = CARS) -> Path:
    passes = table(folder / "speeds.csv")[:rows]
    lines = ["time,gate,speed_kmh"]
    for car, row in enumerate(passes):
        t_ns = from_iso(row["time"]) + 300_000_000
        lines.append(f"{to_iso(t_ns, TZ)},stop,{speeds_mps()[car] * 3.6 + more_kmh:.2f}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_speeds_stand_in_the_folder_and_say_they_are_unverified(folder: Path) -> None:
    rows = table(folder / "speeds.csv")
    assert list(rows[0])[:7] == ["camera", "gate", "track_id", "kind", "time", "to", "speed_kmh"]
    assert len(rows) == CARS
    for row, truth in zip(rows, speeds_mps() * 3.6, strict=True):
        assert float(row["speed_kmh"]) == pytest.approx(truth, abs=0.1)
        assert float(row["high95_kmh"]) - float(row["speed_kmh"]) >= 2.99
        assert float(row["length_m"]) >= 15
        assert row["flag"] == "unverified"
    (quarter,) = table(folder / "speed_quarters.csv")
    assert float(quarter["v85_kmh"]) == pytest.approx(
        np.percentile(speeds_mps(), 85) * 3.6, abs=0.1
    )
    flow = float(quarter["flow_per_h"])
    space_mean = CARS / (1 / speeds_mps()).sum() * 3.6
    assert float(quarter["density_per_km"]) == pytest.approx(flow / space_mean, rel=0.01)
    (zone,) = table(folder / "zone_quarters.csv")
    assert float(zone["median_s"]) == pytest.approx(20 / 13.0, abs=0.15)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["speeds"]
    (gate,) = summary["gates"]
    assert gate["all"]["indicative"]
    assert gate["free"]["n"] == CARS - 1
    assert gate["all"]["over_limit_share"] == pytest.approx(
        np.mean(speeds_mps() * 3.6 > 50), abs=1e-3
    )
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "unverified" in report
    assert 'id="speeds"' in report


def test_a_radar_that_agrees_verifies_the_camera(folder: Path, tmp_path: Path) -> None:
    radar = a_radar(folder, tmp_path / "radar.csv")
    done = calm("verify-speed", folder, "--reference", radar, "--json")
    assert done.code == 0, done.err
    (camera,) = done.summary["cameras"]
    assert (camera["n"], camera["unmatched"], camera["verified"]) == (CARS, 0, True)
    assert abs(camera["bias_kmh"]) < 0.1
    assert camera["coverage"] == 1.0
    rows = table(folder / "speeds.csv")
    assert {row["flag"] for row in rows} == {""}
    assert float(rows[0]["high95_kmh"]) - float(rows[0]["speed_kmh"]) < 2.9
    assert "verified on" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("more_kmh", "rows"), [(6.0, CARS), (0.0, 5)])
def test_a_radar_that_disagrees_or_says_little_verifies_nothing(
    folder: Path, tmp_path: Path, more_kmh: float, rows: int
) -> None:
    radar = a_radar(folder, tmp_path / "radar.csv", more_kmh=more_kmh, rows=rows)
    result = verify_speed(folder, reference=radar)
    assert "still unverified" in result["text"]
    assert not result["cameras"][0]["verified"]
    assert table(folder / "speeds.csv")[0]["flag"] == "unverified"
    assert "still unverified" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_drive_with_gps_is_matched_where_it_crosses_the_gate(
    folder: Path, tmp_path: Path
) -> None:
    car, speed = 10, float(speeds_mps()[10])
    t_s = np.arange(-4.0, 8.0)
    front_m = FIRST_M + 2.25 + speed * t_s
    lonlat = to_lonlat(np.stack([np.full(len(t_s), 2.0), front_m], axis=1), origin_lonlat=ORIGIN)
    lines = ["time,lon,lat"]
    for t, (lon, lat) in zip(t_s.tolist(), lonlat.tolist(), strict=True):
        lines.append(f"{to_iso(START_NS + round((car * 8 + t) * S), TZ)},{lon:.8f},{lat:.8f}")
    drive = tmp_path / "drive.csv"
    drive.write_text("\n".join(lines), encoding="utf-8")
    (camera,) = verify_speed(folder, reference=drive)["cameras"]
    assert camera["n"] == 1
    assert abs(camera["bias_kmh"]) < 0.2
    assert not camera["verified"]


def test_what_matches_nothing_is_told_with_its_cure(folder: Path, tmp_path: Path) -> None:
    def told(text: str, window_s: float = 2.0) -> str:
        path = tmp_path / "reference.csv"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as fault:
            verify_speed(folder, reference=path, window_s=window_s)
        return str(fault.value)

    head = "time,gate,speed_kmh\n"
    assert "the gates are stop" in told(head + "2026-03-02T07:30:02,bridge,50\n")
    assert "outside the video" in told(head + "2026-03-02T09:30:02,stop,50\n")
    assert "raise --window" in told(head + "2026-03-02T07:30:06,stop,50\n", window_s=0.1)
    assert "--window" in told(head, window_s=0.0)
    assert "crosses no gate" in told(
        "time,lon,lat\n2026-03-02T07:30:00,76.95,43.2\n2026-03-02T07:30:09,76.95,43.21\n"
    )
