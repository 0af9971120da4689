"""A radar's list and a drive with GPS are read; faults are told with their line and cure."""

from pathlib import Path

import numpy as np
import pytest

from calmstreet.errors import FormatError, InputError
from calmstreet.interop.speed_reference import DriveBy, RadarSpeeds, read_speed_reference
from calmstreet.units import from_iso

TZ = "Asia/Almaty"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "reference.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_radar(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "time,gate,speed_kmh,kind\n2026-03-02T07:30:01,near,36.0,car\n"
        "2026-03-02T02:30:05+00:00,far,54,\n",
    )
    found = read_speed_reference(path, tz=TZ)
    assert isinstance(found, RadarSpeeds)
    assert found.t_ns.tolist() == [
        from_iso("2026-03-02T07:30:01", TZ),
        from_iso("2026-03-02T07:30:05", TZ),
    ]
    assert found.gate_id.tolist() == ["near", "far"]
    np.testing.assert_allclose(found.speed_mps, [10.0, 15.0])


def test_a_drive(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "\ufefftime,lon,lat,speed_kmh\n2026-03-02T07:30:01,76.9,43.2,36\n"
        "2026-03-02T07:30:02,76.91,43.2,\n",
    )
    found = read_speed_reference(path, tz=TZ)
    assert isinstance(found, DriveBy)
    assert found.lonlat_deg.tolist() == [[76.9, 43.2], [76.91, 43.2]]
    assert found.speed_mps[0] == pytest.approx(10.0)
    assert np.isnan(found.speed_mps[1])


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("when,what\n1,2\n", "a radar needs time, gate, speed_kmh"),
        ("", "a radar needs"),
        ("time,gate,speed_kmh\n", "add the measured speeds"),
        ("time,gate,speed_kmh\n2026-03-02T07:30:01,a,fast\n", "line 2: speed_kmh 'fast'"),
        ("time,gate,speed_kmh\n2026-03-02T07:30:01,a,-3\n", "from 0 to 300"),
        ("time,gate,speed_kmh\nsoon,a,50\n", "line 2: time 'soon'"),
        ("time,lon,lat\n2026-03-02T07:30:01,43.2,176.9\n", "lat '176.9'"),
        (
            "time,lon,lat\n2026-03-02T07:30:02,76.9,43.2\n2026-03-02T07:30:02,76.9,43.2\n",
            "line 3: its time is not later",
        ),
    ],
)
def test_faults_are_told_with_their_cure(tmp_path: Path, text: str, cure: str) -> None:
    with pytest.raises(FormatError) as told:
        read_speed_reference(written(tmp_path, text), tz=TZ)
    assert cure in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_speed_reference(tmp_path / "none.csv", tz=TZ)
