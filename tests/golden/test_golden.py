"""Stored road users of the rendered street, and what they must be counted as.

`street.txt` holds everybody's true boxes at five steps a second (MOT CSV, from `calmstreet.scene`),
`street.toml` the site and `street.json` the passes that the stage itself knows of. Hysteresis is
small because a van turns round just behind the far gate.
"""

import json
from pathlib import Path

from tests.whole.line import calm

HERE = Path(__file__).parent


def test_the_stored_street_is_counted_as_ever(tmp_path: Path) -> None:
    words = ("--site", HERE / "street.toml", "--out", tmp_path / "out", "--json")
    more = ("--fps", "5", "--size", "960x540", "--start", "2026-03-02T07:30:00")
    done = calm("import", HERE / "street.txt", *words, *more)
    assert done.code == 0, done.err
    golden = json.loads((HERE / "street.json").read_text("utf-8"))
    counted = {
        row["gate"]: [row["to_left"]["total"], row["to_right"]["total"]]
        for row in done.summary["gates"]
    }
    assert counted == golden["gates"]
    moves = {
        f"{row['from']}-{row['to']}": row["counts"]["total"] for row in done.summary["movements"]
    }
    assert {name: moves[name] for name in golden["movements"]} == golden["movements"]
    assert done.summary["exposure_s"] == golden["exposure_s"]
    assert done.summary["tracks"]["parked"] == golden["parked"]
