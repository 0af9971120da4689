"""conflicts.csv: the columns in their order, unknown empty, names in the place of numbers."""

import csv
from pathlib import Path

from tests.safety.crossing_street import at_once, driven

from calmstreet.model.conflicts import no_conflicts
from calmstreet.report.conflicts_csv import CSV_COLUMNS, write_conflicts_csv
from calmstreet.safety.conflicts import ConflictWatch


def test_columns_begin_as_agreed() -> None:
    agreed = (
        "user_a,user_b,kind_a,kind_b,start,end,x_m,y_m,type,min_ttc_s,max_drac_mps2,pet_s,t2_s,"
        "delta_v_mps,angle_deg,is_conflict,level,rejected_because"
    )
    assert ",".join(CSV_COLUMNS).startswith(agreed)
    for name in ("min_ttc_s", "max_drac_mps2", "pet_s", "t2_s", "delta_v_mps", "angle_deg"):
        assert f"sigma_{name}" in CSV_COLUMNS


def test_rows_read_back(tmp_path: Path) -> None:
    watch = ConflictWatch()
    watch.update(
        at_once(
            driven(1, (-50, 0), (50, 0), speed_mps=10),
            driven(2, (0, -50), (0, 50), speed_mps=10, start_s=1.0),
        )
    )
    found = watch.close()
    labels = {int(found.user_a[0]): "veh_1"}
    path = tmp_path / "conflicts.csv"
    write_conflicts_csv(path, [found, found[:0]], tz="Asia/Almaty", labels=labels)
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found) == 1
    row = rows[0]
    assert (row["user_a"], row["kind_a"], row["type"]) == ("veh_1", "car", "crossing")
    assert row["start"].startswith("2026-01-01T05:00:")
    assert row["min_ttc_s"] == "inf"
    assert row["rejected_because"] == row["time_gap_s"] == ""
    assert row["is_conflict"] == "true"
    assert float(row["pet_s"]) == round(float(found.pet_s[0]), 4)


def test_nothing_watched_is_a_head_alone(tmp_path: Path) -> None:
    path = tmp_path / "conflicts.csv"
    write_conflicts_csv(path, [no_conflicts(camera_id="north", run_id=1)], tz="UTC")
    assert path.read_text(encoding="utf-8") == ",".join(CSV_COLUMNS) + "\n"
