"""The verbs of the outlook from table to table, picture and page."""

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from tests.forecast.series import a_street
from tests.whole.line import calm

from calmstreet.errors import CalmstreetError, InputError
from calmstreet.forecast.engine import LIGHTGBM, fit
from calmstreet.forecast.grid import Grid
from calmstreet.model.bins import Bins
from calmstreet.model.kinds import Kind
from calmstreet.pipeline.outlook_anomalies import ANOMALY_COLUMNS, find_anomalies
from calmstreet.pipeline.outlook_counts import duration_s, read_counts
from calmstreet.pipeline.outlook_forecast import (
    FORECAST_COLUMNS,
    SCORE_COLUMNS,
    ForecastRequest,
    forecast_counts,
    forecast_rows,
)
from calmstreet.pipeline.outlook_hotspots import HOTSPOT_COLUMNS, find_hotspots
from calmstreet.pipeline.outlook_live import LIVE_COLUMNS, SERIES_COLUMNS, Night, series_rows
from calmstreet.pipeline.outlook_nightly import run_nightly
from calmstreet.pipeline.outlook_place import PLACE_COLUMNS, PlaceRequest, place_sites
from calmstreet.pipeline.outlook_risk import RISK_COLUMNS, risk_of_conflicts
from calmstreet.pipeline.outlook_sites import (
    SCREEN_COLUMNS,
    STUDY_COLUMNS,
    screen_sites,
    study_measure,
)
from calmstreet.pipeline.outlook_tables import read_table, write_table
from calmstreet.pipeline.outlook_wording import sentences
from calmstreet.pipeline.progress import quiet
from calmstreet.store.catalogue import Catalogue
from calmstreet.units import to_iso

DOCS = Path(__file__).resolve().parents[2] / "docs" / "outlook.md"


def a_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    write_table(path, {name: [row.get(name) for row in rows] for name in rows[0]})
    return path


def as_counts(path: Path, grid: Grid, steps: int | None = None) -> Path:
    count = grid.values.shape[1] if steps is None else steps
    stamps = [to_iso(int(t)) for t in grid.times_ns(0, count)]
    return a_table(
        path,
        [
            {"series": name, "time": stamp, "value": float(value)}
            for name, row in zip(grid.names, grid.values, strict=True)
            for stamp, value in zip(stamps, row, strict=False)
        ],
    )


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def checked(done: dict[str, Any], out: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of the answer; check columns, picture, page and sentences."""
    rows = read(out)
    with out.open(encoding="utf-8") as text:
        assert tuple(text.readline().strip().split(",")) == columns
    page = out.with_suffix(".html").read_text(encoding="utf-8")
    assert page.count("<h1>") == 1
    assert ".n:last-child" not in page
    assert "{" not in page[page.index("<body>") :]
    for picture in (name for name in done["files"] if name.endswith(".svg")):
        assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert all(Path(name).is_file() for name in done["files"])
    assert sentences(done)[-1].startswith("written: ")
    json.dumps(done)
    return rows


@pytest.fixture(scope="module")
def street() -> Grid:
    return a_street(series=2, weeks=6)


@pytest.mark.parametrize(
    "columns",
    [FORECAST_COLUMNS, SCORE_COLUMNS[3:], LIVE_COLUMNS, SERIES_COLUMNS, ANOMALY_COLUMNS,
     SCREEN_COLUMNS, RISK_COLUMNS, HOTSPOT_COLUMNS, PLACE_COLUMNS],
)  # fmt: skip
def test_columns_are_documented(columns: tuple[str, ...]) -> None:
    told = DOCS.read_text(encoding="utf-8")
    assert [name for name in columns if f"`{name}`" not in told] == []


def test_a_forecast_with_scores(street: Grid, tmp_path: Path) -> None:
    out = tmp_path / "f.csv"
    request = ForecastRequest(
        counts=as_counts(tmp_path / "counts.csv", street), out=out, backtest=True, folds=2,
        models=("floors",), horizon="6h",
    )  # fmt: skip
    done = forecast_counts(request, progress=quiet)
    rows = checked(done, out, FORECAST_COLUMNS)
    assert len(rows) == 12
    for row in rows:
        low, mid, high = (float(row[name]) for name in ("p05", "p50", "p95"))
        assert low <= mid <= high
        assert row["model"] in ("four-week-mean", "seasonal-naive")
    assert {row["model"] for row in done["scores"]} == {
        "seasonal-naive",
        "four-week-mean",
        "chosen",
    }
    assert (tmp_path / "f.scores.csv").is_file()


def test_forecasts_of_a_hierarchy_add_up(street: Grid, tmp_path: Path) -> None:
    tree = a_table(
        tmp_path / "tree.csv",
        [
            {"series": "gate-0", "parent": "junction"},
            {"series": "gate-1", "parent": "junction"},
            {"series": "junction", "parent": "city"},
        ],
    )
    out = tmp_path / "f.csv"
    counts = as_counts(tmp_path / "counts.csv", street)
    request = ForecastRequest(
        counts=counts, out=out, hierarchy=tree, models=("floors",), horizon="12h", lang="uz"
    )
    rows = checked(forecast_counts(request, progress=quiet), out, FORECAST_COLUMNS)
    median = {name: [float(r["p50"]) for r in rows if r["series"] == name] for name in
              ("city", "junction", "gate-0", "gate-1")}  # fmt: skip
    total = np.add(median["gate-0"], median["gate-1"])
    assert np.abs(total - median["junction"]).max() < 1e-6
    assert np.abs(total - median["city"]).max() < 1e-6


def test_unknown_rows_are_empty_and_flagged(tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    lines = ["series,time,value,exposure_share"]
    for hour in range(24 * 21):
        stamp = f"2026-01-{hour // 24 + 1:02d}T{hour % 24:02d}:00:00Z"
        lines += [f"seen,{stamp},10,1.0", f"dark,{stamp},0,0.1"]
    counts.write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "f.csv"
    done = forecast_counts(ForecastRequest(counts=counts, out=out, horizon="2h"), progress=quiet)
    rows = checked(done, out, FORECAST_COLUMNS)
    dark = [row for row in rows if row["series"] == "dark"]
    assert [row["p50"] for row in dark] == ["", ""]
    assert {row["flag"] for row in dark} == {"unknown"}
    assert {float(row["p50"]) for row in rows if row["series"] == "seen"} == {10.0}


@pytest.mark.slow
def test_nights_score_the_nights_before(street: Grid, tmp_path: Path) -> None:
    out = tmp_path / "night"
    count = street.values.shape[1]
    for steps in (count - 24, count):
        counts = as_counts(tmp_path / "counts.csv", street, steps)
        done = run_nightly(counts, out=out, progress=quiet)
    assert done["fallback"] == {}
    (row,) = read(out / "scores.csv")
    assert tuple(row) == LIVE_COLUMNS
    assert int(row["forecasts"]) == 48
    assert float(row["mae"]) < 2 * float(row["naive_mae"])
    assert sentences(done)


def a_night(
    street: Grid, truth: np.ndarray, *, half_width: float, model: str = "lightgbm"
) -> Night:
    spread = np.array([-1, -0.4, 0, 0.4, 1])[:, None] * half_width
    names = np.repeat(np.array(street.names), len(truth) // len(street.names))
    return Night(
        issued="2026-03-01T00:00:00+00:00",
        series=names,
        model=np.full(len(names), model),
        truth=truth,
        quantiles=np.zeros(len(truth)) + spread,
        naive=np.full(len(truth), 1.0),
    )


def test_each_series_falls_back_by_itself(street: Grid) -> None:
    random = np.random.default_rng(1)
    good, bad = random.uniform(-1, 1, 200), random.uniform(-9, 9, 200)
    nights = [a_night(street, np.concatenate([good, bad]), half_width=0.9)]
    rows = series_rows(nights)
    assert [tuple(row) for row in rows] == [SERIES_COLUMNS] * 2
    assert [row["fallback"] for row in rows] == ["", "coverage"]
    assert (
        series_rows([a_night(street, np.concatenate([good, good]), half_width=50.0)])[0]["fallback"]
        == "coverage"
    )
    missed = np.concatenate([good, 5 + good])
    missed_rows = series_rows([a_night(street, missed, half_width=6.0)])
    assert [row["fallback"] for row in missed_rows] == ["coverage", "errors"]
    assert series_rows([a_night(street, missed, half_width=6.0, model="four-week-mean")]) == []


@pytest.mark.skipif(
    importlib.util.find_spec("lightgbm") is None, reason="the extra forecast is not installed"
)
def test_a_series_left_to_the_floors_is_told(tmp_path: Path) -> None:
    grid = a_street(series=2)
    fitted = fit(grid, horizon=1, models=(LIGHTGBM,))
    assert fitted.groups[0].model == LIGHTGBM
    columns, quantiles = forecast_rows(grid, fitted, floors_for=frozenset(["gate-1"]))
    assert columns["model"].tolist() == ["lightgbm", "four-week-mean"]
    assert columns["flag"].tolist() == ["", "fallback"]
    plain = forecast_rows(grid, fitted)[1]
    assert np.array_equal(plain[:, 0], quantiles[:, 0])
    assert not np.array_equal(plain[:, 1], quantiles[:, 1])


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result folder whose store holds four weeks of quarter hours of one gate, two kinds."""
    folder = tmp_path_factory.mktemp("stored")
    fcd = folder / "x.fcd.csv"
    rows = "".join(f"{k / 10},car,passenger,0,{k},90,10,a\n" for k in range(100))
    header = "timestep_time,vehicle_id,vehicle_type,vehicle_y,vehicle_x,vehicle_angle,"
    fcd.write_text(f"{header}vehicle_speed,vehicle_lane\n{rows}", encoding="utf-8")
    site = folder / "SITE.toml"
    site.write_text(
        '[site]\nid = "street"\nname = "Street"\ntz = "Asia/Tashkent"\n'
        '[[camera]]\nid = "north"\n', encoding="utf-8",
    )  # fmt: skip
    out = folder / "result"
    done = calm("replay", fcd, "--site", site, "--out", out, "--start", "2026-03-02T00:00:00+05:00")
    assert done.code == 0, done.err
    with Catalogue.open(out) as catalogue:
        (run,) = catalogue.runs()
        catalogue.save_bins(run.run_id, four_weeks(run.start_ns, run.site_version))
    return out


def four_weeks(start_ns: int, site_version: str) -> Bins:
    steps = 28 * 96
    slot = np.repeat(np.arange(steps), 2)
    kind = np.tile(np.array([Kind.CAR, Kind.BUS], np.uint8), steps)
    shape = 20 + 15 * np.sin(slot / 96 * 2 * np.pi)
    count = np.where(kind == Kind.CAR, np.round(shape), 2).astype(np.float32)
    return Bins(
        camera_id="north",
        site_version=site_version,
        width_s=900.0,
        what=np.full(len(slot), "gate:a:to_left"),
        kind=kind,
        start_ns=start_ns + slot * 900 * 10**9,
        count=count,
        exposure_s=np.where(slot < 10, 100, 900).astype(np.float32),
        flags=np.full(len(slot), ""),
    )


def test_a_night_straight_from_the_store(stored: Path, tmp_path: Path) -> None:
    grid = read_counts(stored)
    gate = "north/gate:a:to_left"
    assert grid.names == (f"{gate}/all", f"{gate}/bus", f"{gate}/car")
    assert grid.tz == "Asia/Tashkent"
    assert np.isnan(grid.values[:, :10]).all()
    assert np.array_equal(grid.values[0, 10:], grid.values[1, 10:] + grid.values[2, 10:])
    done = run_nightly(stored, out=tmp_path / "night", horizon="2h", progress=quiet)
    assert done["series"] == 3
    (table,) = (tmp_path / "night").glob("forecast-*.csv")
    rows = read(table)
    assert len(rows) == 24
    assert {float(row["p50"]) for row in rows if row["series"].endswith("bus")} == {2.0}
    assert all(row["time"].endswith("+05:00") for row in rows)


def test_the_store_says_how_long_was_watched(stored: Path, tmp_path: Path) -> None:
    rows = [{"type": "crossing", "start": "0", "pet_s": 1.5, "camera": "north"}]
    table = a_table(tmp_path / "conflicts.csv", rows)
    done = risk_of_conflicts(table, exposure=stored, out=tmp_path / "risk.csv")
    assert done["hours"] == pytest.approx(9.9 / 3600, abs=0.2 / 3600)
    assert done["rows"][0]["group"] == "north"


def test_anomalies_are_told_in_a_table(street: Grid, tmp_path: Path) -> None:
    spoiled = street.values.copy()
    spoiled[0, -30:-20] = 5.0
    grid = Grid(
        names=street.names, values=spoiled, start_ns=street.start_ns, step_ns=street.step_ns,
        tz="UTC", wall_ns=street.wall_ns, whole=True,
    )  # fmt: skip
    out = tmp_path / "a.csv"
    done = find_anomalies(as_counts(tmp_path / "counts.parquet", grid), out=out, lang="kk")
    rows = checked(done, out, ANOMALY_COLUMNS)
    assert any(row["series"] == "gate-0" for row in rows)


SITES = [
    {"site": f"s{i}", "observed": 3 + i % 5, "predicted": 3.0, "k": 0.4, "district": "ab"[i % 2]}
    for i in range(12)
]


def test_screening_feeds_placing(tmp_path: Path) -> None:
    out = tmp_path / "s.csv"
    done = screen_sites(a_table(tmp_path / "sites.csv", SITES), out=out, top=3, lang="ru")
    rows = checked(done, out, SCREEN_COLUMNS)
    assert [int(row["rank"]) for row in rows] == list(range(1, 13))
    assert sum(float(row["p_top"]) for row in rows) == pytest.approx(3.0)
    district = {row["site"]: row["district"] for row in SITES}
    more = [{**row, "district": district[row["site"]]} for row in rows]
    sites = a_table(tmp_path / "more.csv", more)
    for aim in ("save", "teach"):
        place = tmp_path / f"{aim}.csv"
        found = place_sites(
            PlaceRequest(sites=sites, out=place, aim=aim, budget=4, min_per_district=2)
        )
        chosen = [r for r in checked(found, place, PLACE_COLUMNS) if r["chosen"] == "True"]
        assert sorted(row["district"] for row in chosen) == ["a", "a", "b", "b"]
        assert found["price_of_fairness"] >= 0
    assert {row["flag"] for row in read(tmp_path / "save.csv")} == {"cmf-assumed"}
    assert {row["cmf"] for row in read(tmp_path / "teach.csv")} == {"1"}


def test_an_own_function_is_fitted_to_traffic(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    traffic = np.exp(random.normal(9, 0.6, 200))
    counts = random.poisson(5 * np.exp(-7.5) * traffic**0.8 * random.gamma(2.0, 0.5, 200))
    rows = [
        {"site": f"s{i}", "observed": int(c), "aadt": round(a), "length_km": 1.0, "years": 5}
        for i, (c, a) in enumerate(zip(counts, traffic, strict=True))
    ]
    done = screen_sites(a_table(tmp_path / "sites.csv", rows), out=tmp_path / "s.parquet")
    assert done["spf"]["enough"]
    assert done["spf"]["coefficients"]["log_aadt"] == pytest.approx(0.8, abs=0.2)
    assert read_table(tmp_path / "s.parquet").words("flag")[0] == "fitted"


def test_a_study_with_comparison_sites(tmp_path: Path) -> None:
    treated = [(20, 12, 9, 9.5), (14, 8, 8, 8.2), (17, 7, 10, 10.1)]
    rows: list[dict[str, Any]] = [
        {"site": f"t{i}", "group": "treated", "before": b, "after": a, "predicted_before": pb,
         "predicted_after": pa, "k": 0.3}
        for i, (b, a, pb, pa) in enumerate(treated)
    ]  # fmt: skip
    plain = study_measure(a_table(tmp_path / "p.csv", rows), out=tmp_path / "p-out.csv")
    assert plain["theta"] == pytest.approx(0.5785, abs=1e-4)
    assert plain["sd"] == pytest.approx(0.1316, abs=1e-4)
    rows += [
        {"site": f"c{i}", "group": "comparison", "before": 10 + i % 4, "after": 9 + i % 4,
         "predicted_before": None, "predicted_after": None, "k": None}
        for i in range(12)
    ]  # fmt: skip
    out = tmp_path / "study.csv"
    done = study_measure(a_table(tmp_path / "both.csv", rows), out=out, lang="kk")
    checked(done, out, STUDY_COLUMNS)
    assert done["theta"] > plain["theta"]
    assert done["sd"] > plain["sd"]
    assert 0.8 < done["mean_alone"] < 0.95


def test_risk_of_each_type(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    rows = [
        {"site": "abc"[i % 3], "type": "crossing" if i % 2 else "following",
         "start": to_iso(int(i * 7e12)), "pet_s": round(float(random.uniform(0.5, 3)), 3),
         "min_ttc_s": round(float(random.uniform(0.5, 4)), 3),
         "rejected_because": "short track" if i % 11 == 0 else ""}
        for i in range(300)
    ]  # fmt: skip
    exposure = a_table(tmp_path / "e.csv", [{"site": s, "hours": 200} for s in "abc"])
    out = tmp_path / "risk.csv"
    done = risk_of_conflicts(
        a_table(tmp_path / "conflicts.csv", rows), exposure=exposure, out=out, lang="ru"
    )
    found = checked(done, out, RISK_COLUMNS)
    assert len(found) == 6
    assert {row["measure"] for row in found if row["type"] == "following"} == {"min_ttc_s"}
    assert {row["verdict"] for row in found} <= {"not-enough", "unstable"}
    assert {row["crashes_per_year"] for row in found} == {""}
    assert sum(int(row["pairs"]) for row in found) == 300 - 28


def test_hot_streets_of_a_grid(tmp_path: Path) -> None:
    features = [
        {
            "type": "Feature",
            "id": f"{way}{i}-{j}",
            "properties": {"name": f"{way}{i}"},
            "geometry": {
                "type": "LineString",
                "coordinates": [[i, j], [i, j + 100]] if way == "n" else [[j, i], [j + 100, i]],
            },
        }
        for way in "ne"
        for i in range(0, 700, 100)
        for j in range(0, 600, 100)
    ]
    for feature in features:
        shape: Any = feature["geometry"]
        shape["coordinates"] = [[500_000 + x, y] for x, y in shape["coordinates"]]
    streets = tmp_path / "streets.geojson"
    streets.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    random = np.random.default_rng(2)
    usual = np.column_stack([100 * random.integers(0, 7, 60), random.uniform(0, 600, 60)])
    hot = np.column_stack([300 + random.normal(0, 2, 40), random.uniform(200, 300, 40)])
    places = np.concatenate([usual, hot])
    places[:, 0] += 500_000
    points = a_table(tmp_path / "p.csv", [{"x_m": x, "y_m": y} for x, y in places.tolist()])
    out = tmp_path / "h.csv"
    rows = checked(find_hotspots(points, network=streets, out=out), out, HOTSPOT_COLUMNS)
    assert rows[0]["hot"] == "True"
    assert "n300-200" in {row["segment"] for row in rows if row["hot"] == "True"}
    assert sum(row["hot"] == "True" for row in rows) < 20
    mass = sum(float(r["density_per_km"]) * float(r["length_m"]) / 1000 for r in rows)
    assert mass == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("series,time\na,2026-01-01\n", "no column value"),
        ("series,time,value\na,2026-01-01,x\n", "'x' at 2026-01-01 is no number"),
        ("series,time,value\na,yesterday,1\nb,today,2\n", "does not read as ISO 8601"),
        ("series,time,value\na,+00:15:00,1\n", "--start"),
        ("series,time,value,crime\na,2026-01-01,1,3\n", "column crime is refused"),
        ("series,time,value\na,2026-01-01,1\n", "two different times"),
        ("series,time,value\n", "no rows"),
        ("series,time,value\n,2026-01-01,1\nb,2026-01-02,1\n", "no series or no time"),
    ],
)
def test_bad_counts_are_refused_in_one_sentence(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CalmstreetError, match=fault) as told:
        read_counts(path)
    assert "\n" not in str(told.value)


def test_bad_tables_are_refused_in_one_sentence(tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    for rows, fault in (
        ([{"site": "a", "observed": -1, "predicted": 1, "k": 1}], "0 or more"),
        ([{"site": "a", "observed": 1, "predicted": 1, "k": 1, "income": 3}], "income is refused"),
        ([{"site": "a", "observed": 1}], "neither predicted and k nor traffic"),
        ([{"site": "a", "observed": 1, "predicted": 1, "k": 1}] * 2, "stands twice"),
        ([{"site": "a", "observed": "many", "predicted": 1, "k": 1}], "no number"),
    ):
        with pytest.raises(CalmstreetError, match=fault):
            screen_sites(a_table(tmp_path / "t.csv", rows), out=out)
    good = a_table(tmp_path / "t.csv", [{"site": "a", "excess": 1.0}])
    with pytest.raises(InputError, match="either --budget"):
        place_sites(PlaceRequest(sites=good, out=out))
    with pytest.raises(InputError, match=r"must end in \.csv"):
        place_sites(PlaceRequest(sites=good, out=tmp_path / "o.txt", budget=1))
    with pytest.raises(InputError, match="not there"):
        read_counts(tmp_path / "none.csv")


def test_parquet_with_real_times_reads_like_csv(street: Grid, tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "counts.parquet"
    connection = duckdb.connect()
    connection.execute(
        "COPY (SELECT 'a' AS series, TIMESTAMP '2026-01-01' + INTERVAL 1 HOUR * i AS time, "
        f"i::DOUBLE AS value FROM range(50) t(i)) TO '{path}' (FORMAT parquet)"
    )
    connection.close()
    grid = read_counts(path, tz="Asia/Almaty")
    assert grid.values[0].tolist() == list(range(50))
    assert to_iso(grid.start_ns, "Asia/Almaty") == "2026-01-01T00:00:00.000+05:00"


def test_an_answer_never_replaces_what_was_handed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = a_table(tmp_path / "study.csv", [{"site": "a", "before": 1, "after": 1}])
    content = before.read_bytes()
    done = calm("study", "study.csv")
    assert done.code == 2
    assert "choose another name" in done.err
    assert before.read_bytes() == content


def test_verbs_print_json(tmp_path: Path) -> None:
    sites = a_table(tmp_path / "sites.csv", SITES)
    done = calm("screen", sites, "--out", tmp_path / "s.csv", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["sites"] == 12


def test_the_hour_that_summer_time_skips_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    lines = [f"2026-03-29T{hour:02d}:00:00,{hour}" for hour in range(24)]
    path.write_text("\n".join(["time,value", *lines]), encoding="utf-8")
    grid = read_counts(path, tz="Europe/Berlin")
    assert grid.repairs == {"skipped_hour": 1}
    assert grid.values[0].tolist() == [0, 1, *range(3, 24)]


def test_periods_read() -> None:
    assert duration_s("7d", option="--horizon") == 604_800
    with pytest.raises(InputError, match="write 15min, 24h or 7d"):
        duration_s("soon", option="--horizon")
