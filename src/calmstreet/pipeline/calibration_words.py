"""A calibration in sentences and a table, for people."""

from collections.abc import Iterator
from typing import Any

__all__ = ["told"]

_SPEED_M_PER_PX = 0.15
_EXAMPLE_KMH = 50.0
_VERDICTS = {
    "trusted": "This plane may carry speeds.",
    "sketch": "This plane is a sketch: places in metres, no speeds.",
    "refused": "This plane is refused: do not use it.",
}


def told(report: dict[str, Any]) -> tuple[str, ...]:
    """Return the lines of a calibration's report; the block for SITE.toml comes last."""
    return (
        *_table(report["points"]),
        "",
        *_accuracy(report),
        *_lengths(report["check_lengths"]),
        *_scale(report),
        *_camera(report),
        "",
        _VERDICTS[report["state"]],
        *(f"- {reason}" for reason in report["reasons"]),
        *_advice(report),
        "",
        *(["# into SITE.toml", report["toml"].rstrip()] if report["state"] != "refused" else []),
    )


def _table(points: list[dict[str, Any]]) -> Iterator[str]:
    wide = max(5, *(len(point["name"]) for point in points))
    yield f"{'point':<{wide}}  {'x_px':>7} {'y_px':>7} {'east_m':>9} {'north_m':>9} {_HEADS}"
    for point in points:
        cells = f"{point['x_px']:>7.1f} {point['y_px']:>7.1f} "
        cells += f"{point['east_m']:>9.2f} {point['north_m']:>9.2f} "
        cells += f"{_metres(point['residual_m'])} {_metres(point['left_out_m'])}"
        left = "" if point["used"] else "   left out, does not fit"
        yield f"{point['name']:<{wide}}  {cells}{left}"


_HEADS = f"{'residual_m':>11} {'left_out_m':>11}"


def _metres(value: float | None) -> str:
    return f"{'unknown':>11}" if value is None else f"{value:>11.2f}"


def _accuracy(report: dict[str, Any]) -> Iterator[str]:
    yield (
        "Residuals of fitted points are no accuracy: four points fit exactly whatever their error. "
        "left_out_m is how far a point lies from where the others put it."
    )
    known = sorted(p["left_out_m"] for p in report["points"] if p["left_out_m"] is not None)
    if known:
        yield f"Left out: median {known[len(known) // 2]:.2f} m, worst {known[-1]:.2f} m."
    if report["error_inflation"] > 1:
        yield (
            f"The points scatter {report['error_inflation']:.1f} times as widely as clicks and map "
            "should; all errors below are widened by that."
        )


def _lengths(lengths: list[dict[str, Any]]) -> Iterator[str]:
    for number, check in enumerate(lengths, 1):
        said = f"Check length {number}: {check['measured_m']:.2f} m by hand"
        if check["predicted_m"] is None:
            yield f"{said}; the other measurements do not say."
            continue
        verdict = "agrees" if check["agrees"] else "DISAGREES"
        yield (
            f"{said}, "
            f"{check['predicted_m']:.2f} +- {check['sigma_m']:.2f} m without it "
            f"({100 * check['off_share']:+.1f} %): {verdict}."
        )


def _scale(report: dict[str, Any]) -> Iterator[str]:
    scale, fine = report["scale_sigma_share"], report["metres_per_px"]
    if scale["median"] is None or scale["worst"] is None:
        yield "Scale error over the zone: unbounded."
    else:
        yield (
            "Scale error over the zone (one standard error): median "
            f"{100 * scale['median']:.1f} %, worst {100 * scale['worst']:.1f} %; "
            f"at {_EXAMPLE_KMH:.0f} km/h that is "
            f"{_EXAMPLE_KMH * scale['median']:.1f} and {_EXAMPLE_KMH * scale['worst']:.1f} km/h."
        )
    words = ", ".join(
        f"{name} {'unknown' if fine[name] is None else format(fine[name], '.3f')}" for name in fine
    )
    yield f"Metres per pixel at the points: {words}; speeds are refused above {_SPEED_M_PER_PX}."


def _camera(report: dict[str, Any]) -> Iterator[str]:
    camera = report["camera"]
    if camera["height_m"] is None or camera["focal_px"] is None:
        yield "Height and focal length of the camera do not follow from these points."
        return

    def spread(key: str, digits: int) -> str:
        value = camera[key]
        return "" if value is None else f" +- {value:.{digits}f}"

    yield (
        f"The plane implies a camera {camera['height_m']:.1f}{spread('height_sigma_m', 1)} m above "
        f"the ground with a focal length of {camera['focal_px']:.0f}"
        f"{spread('focal_sigma_px', 0)} px; does that look right?"
    )


def _advice(report: dict[str, Any]) -> Iterator[str]:
    if report["point_to_add_px"] is not None:
        x, y = report["point_to_add_px"]
        yield f"One more point helps most near pixel ({x}, {y}), {report['point_to_add']}."
    if report["suggested_k1"] is not None:
        yield (
            f"With k1 = {report['suggested_k1']:.3f} the points fit much better: is a kerb that is "
            "straight bent in the picture? Then run again with --k1."
        )
