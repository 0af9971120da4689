"""`calmstreet verify-speed`: the speeds of a result beside those of a radar or a drive with GPS."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.clock import Clock, SystemClock
from calmstreet.errors import InputError
from calmstreet.geometry.shapes import make_line
from calmstreet.interop.speed_reference import DriveBy, RadarSpeeds, read_speed_reference
from calmstreet.model.run import Run
from calmstreet.model.site import Gate
from calmstreet.model.speeds import GateSpeeds, SpeedCheck, concat_speeds
from calmstreet.pipeline.audit import language_of
from calmstreet.pipeline.collected import Collected, collect
from calmstreet.pipeline.planes import camera_plane
from calmstreet.pipeline.results import write_results
from calmstreet.pipeline.summary import plain
from calmstreet.safety.speed_check import FEWEST_MATCHED, compare, drive_through, match_times
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import only_writer
from calmstreet.units import kmh_from_mps

__all__ = ["verify_speed"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Passages of the reference at the gates of one camera."""

    t_ns: NDArray[np.int64]
    gate_id: NDArray[np.str_]
    speed_mps: NDArray[np.float64]


def verify_speed(
    folder: Path, *, reference: Path, window_s: float = 2.0, clock: Clock | None = None
) -> dict[str, Any]:
    """Compare a result with a reference, keep the comparison and write the report anew.

    Passages are matched one to one by gate and time, at most ``window_s`` apart. Raises InputError
    for a reference that cannot be used or matches nothing.
    """
    if not 0 < window_s <= 60:
        raise InputError(f"--window {window_s:g} must be more than 0 and at most 60 seconds")
    now_ns = (clock or SystemClock()).now_ns()
    with only_writer(folder), Catalogue.open(folder) as catalogue:
        found = collect(catalogue)
        if found.tz is None:
            raise InputError(
                f"{folder} has no known clock time, so nothing can be matched; analyse the video "
                "again with --start"
            )
        given = read_speed_reference(reference, tz=found.tz)
        checks = []
        for camera in found.camera_ids:
            rows = _rows_of(given, found, camera)
            if len(rows.t_ns):
                speeds = _measured(catalogue, found, camera)
                checks.append(_check(speeds, rows, window_s, found, reference.name, now_ns))
        _refuse_nothing(checks, given, found, reference, window_s)
        for check in checks:
            catalogue.save_speed_check(check)
        write_results(catalogue, lang=language_of(folder))
    return {"cameras": [_row(check) for check in checks], "text": "\n".join(map(_text, checks))}


def _measured(catalogue: Catalogue, found: Collected, camera: str) -> GateSpeeds:
    runs = [run for run in found.runs if run.camera_id == camera]
    speeds = concat_speeds([catalogue.speeds(run.run_id, camera) for run in runs])
    return speeds[speeds.measured]


def _rows_of(given: RadarSpeeds | DriveBy, found: Collected, camera: str) -> _Rows:
    gates = [gate for gate in found.site.gates if gate.camera_id == camera]
    if isinstance(given, RadarSpeeds):
        mine = np.isin(given.gate_id, [gate.id for gate in gates])
        return _Rows(
            t_ns=given.t_ns[mine], gate_id=given.gate_id[mine], speed_mps=given.speed_mps[mine]
        )
    run = next(run for run in found.runs if run.camera_id == camera)
    passes = [
        (gate.id, *crossing) for gate in gates for crossing in _crossings(given, gate, run, found)
    ]
    return _Rows(
        t_ns=np.array([t_ns for _, t_ns, _ in passes], np.int64),
        gate_id=np.array([gate_id for gate_id, _, _ in passes], np.str_),
        speed_mps=np.array([speed for _, _, speed in passes], np.float64),
    )


def _crossings(drive: DriveBy, gate: Gate, run: Run, found: Collected) -> list[tuple[int, float]]:
    """Return when and how fast a drive crossed a gate; its own speed where it gives one."""
    plane = camera_plane(
        found.site, run.camera_id, width_px=run.width_px, height_px=run.height_px
    ).plane
    if plane is None or plane.origin_lonlat is None:
        raise InputError(
            f"camera {run.camera_id} has no place on the map, so a drive with GPS cannot be laid "
            "over its gates; calibrate it with points_lonlat, or give a radar's list"
        )
    ends = np.array(gate.points_m) if gate.points_m else plane.to_m(np.array(gate.points_px))
    if not np.isfinite(ends).all():
        return []
    crossed = drive_through(
        drive.t_ns, plane.from_lonlat(drive.lonlat_deg), make_line(ends, y_up=True)
    )
    told = np.isfinite(drive.speed_mps)
    if told.sum() < 2:
        return crossed
    return [
        (at, float(np.interp(at, drive.t_ns[told], drive.speed_mps[told]))) for at, _ in crossed
    ]


def _check(
    speeds: GateSpeeds, rows: _Rows, window_s: float, found: Collected, name: str, now_ns: int
) -> SpeedCheck:
    pairs: list[tuple[int, int]] = []
    for gate_id in np.unique(rows.gate_id).tolist():
        ours = np.flatnonzero(speeds.gate_id == gate_id)
        others = np.flatnonzero(rows.gate_id == gate_id)
        matched = match_times(speeds.t_ns[ours], rows.t_ns[others], window_s=window_s)
        pairs += [(int(ours[a]), int(others[b])) for a, b in matched]
    mine, other = (np.array([pair[k] for pair in pairs], np.int64) for k in (0, 1))
    numbers: dict[str, Any] = compare(
        speeds.speed_mps[mine],
        speeds.half95_mps[mine],
        speeds.sigma_site_mps[mine],
        rows.speed_mps[other],
    )
    return SpeedCheck(
        camera_id=speeds.camera_id,
        site_version=found.site.site_version,
        reference=name,
        t_ns=now_ns,
        unmatched=len(rows.t_ns) - len(pairs),
        **numbers,
    )


def _refuse_nothing(
    checks: list[SpeedCheck],
    given: RadarSpeeds | DriveBy,
    found: Collected,
    reference: Path,
    window_s: float,
) -> None:
    if any(check.n for check in checks):
        return
    if checks:
        first, last = found.runs[0].start_ns, found.runs[-1].end_ns
        outside = bool(((given.t_ns < first) | (given.t_ns > last)).all())
        why = (
            "all its times lie outside the video; check the clock and the offset of its times"
            if outside
            else f"no measured passage lies within {window_s:g} s of it; check the clocks or raise "
            "--window"
        )
    elif isinstance(given, RadarSpeeds):
        names = ", ".join(gate.id for gate in found.site.gates) or "none"
        why = f"it names no gate of the site; the gates are {names}"
    else:
        why = "the drive crosses no gate; check lon and lat, or where the gates lie"
    raise InputError(f"{reference} matches nothing: {why}")


def _row(check: SpeedCheck) -> dict[str, Any]:
    return {
        "camera": check.camera_id,
        "reference": check.reference,
        "n": check.n,
        "unmatched": check.unmatched,
        "bias_kmh": plain(kmh_from_mps(check.bias_mps)),
        "bias_half95_kmh": plain(kmh_from_mps(check.bias_half95_mps)),
        "spread_kmh": plain(kmh_from_mps(check.spread_mps)),
        "coverage": plain(check.coverage),
        "verified": check.passed,
    }


def _text(check: SpeedCheck) -> str:
    verdict = "verified"
    if not check.passed:
        few = check.n < FEWEST_MATCHED
        verdict = (
            f"still unverified: {FEWEST_MATCHED} matched passages are needed"
            if few
            else "still unverified: the bias is greater than its uncertainty allows; check the "
            "calibration"
        )
    half = (
        f" +- {kmh_from_mps(check.bias_half95_mps):.1f}"
        if np.isfinite(check.bias_half95_mps)
        else ""
    )
    return (
        f"{check.camera_id}: n = {check.n}, bias {kmh_from_mps(check.bias_mps):+.1f}{half} km/h, "
        f"spread {kmh_from_mps(check.spread_mps):.1f} km/h, our 95 % intervals hold "
        f"{check.coverage:.0%}, unmatched {check.unmatched}; {verdict}"
    )
