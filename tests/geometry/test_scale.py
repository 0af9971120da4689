import numpy as np
import pytest

from calmstreet.geometry.scale import metres_per_px, px_from_m
from calmstreet.model.kinds import HEIGHT_M, Kind


def box(width: float, height: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array([[10, 20, 10 + width, 20 + height]], np.float32)


@pytest.mark.parametrize("kind", [k for k in Kind if k is not Kind.UNKNOWN])
def test_a_named_box_is_as_high_as_its_kind(kind: Kind) -> None:
    found = metres_per_px(np.array([kind], np.uint8), box(40, 50))
    assert found[0] * 50 == pytest.approx(HEIGHT_M[kind])


def test_an_unknown_blob_from_above_is_measured_by_its_shorter_side() -> None:
    kind = np.array([Kind.UNKNOWN], np.uint8)
    lying, standing = metres_per_px(kind, box(90, 36)), metres_per_px(kind, box(36, 90))
    assert lying[0] == standing[0] == pytest.approx(HEIGHT_M[Kind.UNKNOWN] / 36)


def test_an_empty_box_has_no_scale_and_an_odd_kind_is_unknown() -> None:
    assert np.isnan(px_from_m(0.5, kind=np.array([4], np.uint8), box_px=box(40, 0)))[0]
    assert np.isfinite(metres_per_px(np.array([200], np.uint8), box(40, 30)))[0]
