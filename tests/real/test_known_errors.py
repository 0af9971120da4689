"""The errors that reports show are those that this version makes: every clip is counted again."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.shared_data import shared_data

from calmstreet.pipeline.analyse import analyse_videos
from calmstreet.pipeline.planning import Request
from calmstreet.report.known_errors import KnownError, known_errors

pytestmark = [pytest.mark.real, pytest.mark.slow]


def measured(row: KnownError, folder: Path) -> int:
    """Count a clip with default settings, at its gate or all road users."""
    site = None
    if "points_px" in row:
        site = folder / "SITE.toml"
        points = json.dumps(row["points_px"])
        site.write_text(
            '[site]\nid = "clip"\n[[camera]]\nid = "c"\n'
            f'[[gate]]\nid = "line"\npoints_px = {points}\n',
            encoding="utf-8",
        )
    film = shared_data(f"video/{row['file']}")
    request = Request(videos=(film,), out=folder / "out", site=site, video="none")
    summary: dict[str, Any] = analyse_videos(request)
    if site is None:
        return int(summary["tracks"]["total"])
    return sum(int(g[side]["total"]) for g in summary["gates"] for side in ("to_left", "to_right"))


@pytest.mark.parametrize("row", known_errors(), ids=lambda row: row["clip"].replace(" ", "-"))
def test_every_clip_still_counts_as_written(row: KnownError, tmp_path: Path) -> None:
    found = measured(row, tmp_path)
    assert found == row["counted"], (
        f"{row['file']} now counts {found}; write it into report/known_errors.toml and the "
        "table of docs/accuracy.md"
    )
