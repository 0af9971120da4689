"""Road users of one event from above and on the picture, as columns for drawing."""

from collections.abc import Iterator, Mapping

import numpy as np

from calmstreet.model.kinds import KIND_NAMES
from calmstreet.model.points import Track
from calmstreet.store.evidence import Evidence
from calmstreet.web.answers_review import TrackPath
from calmstreet.web.numbers import plain, plains

__all__ = ["track_paths"]

_MOST_OTHERS = 40


def track_paths(evidence: Evidence, labels: Mapping[int, str]) -> list[TrackPath]:
    """Return the involved road users first, then those who were nearby in time."""
    involved = set(evidence.event.track_ids)
    tracks = sorted(evidence.points.tracks(), key=lambda track: track.track_id not in involved)
    return list(_paths(evidence, tracks[: len(involved) + _MOST_OTHERS], labels))


def _paths(
    evidence: Evidence, tracks: list[Track], labels: Mapping[int, str]
) -> Iterator[TrackPath]:
    event = evidence.event
    has_picture = evidence.size_px[0] > 0
    for track in tracks:
        rows = track.points
        speed = np.hypot(*rows.velocity_mps.astype(np.float64).T) * 3.6
        heading = np.round(90 - np.degrees(rows.heading_rad.astype(np.float64)), 1) % 360
        sigma = np.sqrt(np.maximum(rows.cov_m2[:, 0], rows.cov_m2[:, 2]).astype(np.float64))
        foot = rows.foot_px().astype(np.float64).round(1).tolist() if has_picture else []
        yield TrackPath(
            track_id=str(track.track_id),
            label=labels.get(track.track_id, str(track.track_id & 0xFFFFFFFF)),
            kind=KIND_NAMES[track.kind],
            involved=track.track_id in event.track_ids,
            t_s=((rows.t_ns - event.start_ns) / 1e9).round(3).tolist(),
            x_m=plains(rows.xy_m[:, 0]),
            y_m=plains(rows.xy_m[:, 1]),
            foot_px=[(x, y) if np.isfinite([x, y]).all() else None for x, y in foot],
            speed_kmh=plains(speed, 2),
            sigma_m=plains(sigma),
            heading_deg=plains(heading, 1),
            length_m=plain(float(rows.length_m[-1]), 2),
            width_m=plain(float(rows.width_m[-1]), 2),
        )
