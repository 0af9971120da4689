"""Every number of the closed forms: following, crossing, exposure to short TTC, Delta-V."""

import numpy as np
import pytest

from calmstreet.geometry.surrogates import (
    crossing_drac_mps2,
    delta_v_mps,
    drac_mps2,
    extended_delta_v_mps,
    following_ttc_s,
    mdrac_mps2,
    mttc_s,
    pet_s,
    t2_s,
    tet_s,
    tit_s2,
)


@pytest.mark.parametrize(
    ("gap_m", "ttc", "drac", "mdrac"), [(35, 7.0, 0.3571, 0.4167), (25, 5.0, 0.5, 0.625)]
)
def test_following(gap_m: float, ttc: float, drac: float, mdrac: float) -> None:
    assert following_ttc_s(gap_m, closing_mps=5)[0] == pytest.approx(ttc, abs=1e-12)
    assert drac_mps2(gap_m, closing_mps=5)[0] == pytest.approx(drac, abs=5e-5)
    assert mdrac_mps2(ttc, closing_mps=5)[0] == pytest.approx(mdrac, abs=5e-5)


@pytest.mark.parametrize(
    ("closing", "surge", "expected"),
    [(5, 0, 4.0), (5, 2, 2.62348), (5, -0.5, 5.52786), (5, -1, np.inf), (-2, 2, 5.58258)],
)
def test_mttc(closing: float, surge: float, expected: float) -> None:
    found = mttc_s(20, closing_mps=closing, closing_mps2=surge)[0]
    assert found == pytest.approx(expected, abs=5e-6)


def test_exposure_to_short_ttc() -> None:
    t_s = np.arange(71) * 0.1
    assert tet_s(7 - t_s, t_s=t_s) == pytest.approx(3.0, abs=1e-9)
    assert tit_s2(7 - t_s, t_s=t_s) == pytest.approx(4.5, abs=1e-9)
    left_riemann = float((0.1 * np.maximum(3 - (7 - t_s), 0.0))[:-1].sum())
    assert left_riemann == pytest.approx(4.35, abs=1e-9)


@pytest.mark.parametrize(
    ("mass_a", "mass_b", "expected"),
    [(1500, 1500, (9.014, 9.014)), (1500, 80, (0.913, 17.115)), (12000, 1500, (2.003, 16.025))],
)
def test_delta_v(mass_a: float, mass_b: float, expected: tuple[float, float]) -> None:
    one, two = delta_v_mps([[15, 0]], velocity_b_mps=[[0, 10]], mass_a_kg=mass_a, mass_b_kg=mass_b)
    assert (one[0], two[0]) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(("braking", "expected"), [(0, 9.014), (4, 5.725), (8, 2.707)])
def test_extended_delta_v(braking: float, expected: float) -> None:
    one, two = extended_delta_v_mps(
        [[15, 0]],
        velocity_b_mps=[[0, 10]],
        mass_a_kg=1500,
        mass_b_kg=1500,
        t2_s=[1.2],
        braking_mps2=braking,
    )
    assert one[0] == two[0] == pytest.approx(expected, abs=5e-4)


def test_crossing_pet_and_deceleration() -> None:
    """A's rear leaves x = 202.5 at 10.75 s, B's front comes to y = 197.5 at 11.25 s."""
    assert pet_s(10.75, entry_second_s=11.25)[0] == 0.5
    needed = crossing_drac_mps2(10, distance_m=12, clear_s=1.5)[0]
    assert needed == pytest.approx(2 * (10 - 8) / 1.5)
    # braking by that much from 10 m/s covers exactly the 12 m in the 1.5 s
    assert 10 * 1.5 - needed * 1.5**2 / 2 == pytest.approx(12)


def test_nothing_raises_and_unknown_stays_unknown() -> None:
    assert following_ttc_s([10, -1], closing_mps=[-3, 2]).tolist() == [np.inf, 0.0]
    assert drac_mps2([0, 5], closing_mps=[2, -2]).tolist() == [np.inf, 0.0]
    assert crossing_drac_mps2([5], distance_m=[50], clear_s=[1]).tolist() == [0.0]
    assert t2_s([1.0, 4.0], arrival_b_s=[3.0, 2.0]).tolist() == [3.0, 4.0]
    assert np.isnan(following_ttc_s(np.nan, closing_mps=1)).all()
    assert np.isnan(mttc_s(5, closing_mps=np.nan, closing_mps2=0)).all()
    assert np.isnan(mdrac_mps2(np.nan, closing_mps=1)).all()
