"""`place`: screened sites in; where the next cameras teach most or measures save most out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError
from calmstreet.forecast.placement import (
    DEFAULT_CMF,
    DEFAULT_CMF_SD,
    benefits,
    best_cover,
    best_sites,
    chance_chosen,
    chance_covering,
)
from calmstreet.forecast.streets import metres_of
from calmstreet.pipeline.outlook_out import told
from calmstreet.pipeline.outlook_tables import Table, read_table
from calmstreet.report.outlook import Finding, Listing, Note
from calmstreet.report.outlook_risk import place_map
from calmstreet.report.texts import texts

__all__ = ["PLACE_COLUMNS", "PlaceRequest", "place_sites"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
PLACE_COLUMNS = (
    "site", "chosen", "order", "gain", "gain_low", "gain_high", "p_chosen", "cost",
    "benefit_cost_ratio", "district", "cmf", "cmf_source", "flag",
)  # fmt: skip
_AIMS = ("teach", "save")
_REPRESENTATIVE_SHARE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRequest:
    """What ``calmstreet place`` was asked for."""

    sites: Path
    out: Path
    aim: str = "save"
    budget: int | None = None
    money: float | None = None
    radius_m: float | None = None
    min_per_district: int = 0
    life_years: float = 10.0
    discount_percent: float = 3.0
    seed: int = 1
    lang: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sites:
    """The table as arrays (n,)."""

    table: Table
    names: list[str]
    excess: Floats
    variance: Floats
    cost: Floats
    district: list[str]
    groups: dict[str, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Plan:
    """What was found: which sites, their gains, what fairness costs, what is assumed."""

    chosen: Bools
    gain: Floats
    low: Floats
    high: Floats
    chance: Floats
    total: float
    unbound: float
    flags: list[str]
    cmf: Floats
    cmf_source: list[str]
    warnings: list[Note]


def place_sites(request: PlaceRequest) -> dict[str, Any]:
    """Choose sites and write table, picture and page.

    SITES have ``site`` and ``excess`` with ``variance`` (the answer of ``screen``). Raises
    InputError or FormatError with one sentence.
    """
    _check(request)
    sites = _sites(request)
    plan = _to_save(sites, request) if request.aim == "save" else _to_teach(sites, request)
    rows = _rows(sites, plan)
    order = np.lexsort((-plan.gain, ~plan.chosen))
    columns = {name: [rows[name][i] for i in order] for name in PLACE_COLUMNS}
    summary = _summary(request, sites, plan, columns)
    finding = _finding(request, sites, plan, columns, summary)
    return told(summary, out=request.out, columns=columns, finding=finding, lang=request.lang)


def _check(request: PlaceRequest) -> None:
    if request.aim not in _AIMS:
        raise InputError(f"--aim {request.aim!r} is not known; write teach or save")
    if (request.budget is None) == (request.money is None):
        raise InputError("give either --budget (number of sites) or --money")
    if request.aim == "teach" and request.budget is None:
        raise InputError("--aim teach needs --budget, the number of cameras")
    if request.budget is not None and request.budget < 1:
        raise InputError(f"--budget is {request.budget}; it must be 1 or more")
    if request.money is not None and not request.money > 0:
        raise InputError(f"--money is {request.money:g}; it must be above 0")
    if not 0 < request.life_years <= 100 or not 0 <= request.discount_percent <= 50:
        raise InputError(
            "--life-years must be within 0 and 100, --discount within 0 and 50 percent"
        )


def _sites(request: PlaceRequest) -> _Sites:
    table = read_table(request.sites)
    names = table.names("site")
    excess = table.numbers("excess")
    cost = table.numbers("cost", low=0) if table.has("cost") else np.ones(len(names))
    if request.money is not None and not table.has("cost"):
        raise FormatError(f"{table.source} has no column cost; --money needs what each site costs")
    if request.budget is not None:
        cost = np.ones(len(names))
    if (cost <= 0).any():
        raise FormatError(f"{table.source} line {int(np.argmin(cost)) + 2}: cost must be above 0")
    district = table.words("district") if table.has("district") else [""] * len(names)
    if request.min_per_district and not table.has("district"):
        raise FormatError(f"{table.source} has no column district; --min-per-district needs it")
    groups: dict[str, list[int]] = {}
    for i, name in enumerate(district):
        groups.setdefault(name, []).append(i)
    return _Sites(
        table=table,
        names=names,
        excess=excess,
        variance=table.numbers("variance", low=0, default=0.0),
        cost=cost,
        district=district,
        groups=groups,
    )


def _limit(sites: _Sites, request: PlaceRequest) -> float:
    if request.money is not None:
        return request.money
    return float(min(request.budget or 0, len(sites.names)))


def _to_save(sites: _Sites, request: PlaceRequest) -> _Plan:
    """Choose where the measure saves most money (or, without crash costs, most crashes)."""
    table = sites.table
    assumed = not table.has("cmf")
    cmf = table.numbers("cmf", low=0, default=DEFAULT_CMF)
    cmf_sd = table.numbers("cmf_sd", low=0, default=DEFAULT_CMF_SD if assumed else 0.0)
    priced = table.has("crash_cost")
    found = benefits(
        sites.excess,
        variance=sites.variance,
        cmf=cmf,
        cmf_sd=cmf_sd,
        crash_cost=table.numbers("crash_cost", low=0, default=1.0),
        crash_cost_sd=table.numbers("crash_cost_sd", low=0, default=0.0),
        years=_years(table),
        life_years=request.life_years,
        discount_share=request.discount_percent / 100,
        seed=request.seed,
    )
    limit = _limit(sites, request)
    least = request.min_per_district
    chosen = best_sites(found.mean, cost=sites.cost, budget=limit, groups=sites.groups, least=least)
    free = best_sites(found.mean, cost=sites.cost, budget=limit)
    source = table.words("cmf_source") if table.has("cmf_source") else [""] * len(cmf)
    if assumed:
        source = ["assumed default"] * len(cmf)
    warnings = [
        *([Note(key="cmf_assumed")] if assumed else []),
        *([Note(key="no_crash_cost")] if not priced else []),
        *([Note(key="no_source")] if not assumed and not all(source) else []),
        *([Note(key="cmf_one")] if (cmf >= 1).any() else []),
    ]
    flags = ["cmf-assumed" if assumed else "" if s else "cmf-without-source" for s in source]
    return _Plan(
        chosen=chosen,
        gain=found.mean,
        low=found.low,
        high=found.high,
        chance=chance_chosen(found.drawn, cost=sites.cost, budget=limit),
        total=float(found.mean[chosen].sum()),
        unbound=float(found.mean[free].sum()),
        flags=flags,
        cmf=cmf,
        cmf_source=source,
        warnings=warnings,
    )


def _years(table: Table) -> Floats:
    years = table.numbers("years", low=0, default=1.0)
    if (years <= 0).any():
        raise FormatError(f"{table.source} line {int(np.argmin(years)) + 2}: years must be above 0")
    return years


def _to_teach(sites: _Sites, request: PlaceRequest) -> _Plan:
    """Choose where cameras cover most excess and most doubt; a fifth is drawn, to stay honest."""
    sd = np.sqrt(sites.variance)
    weight = np.maximum(sites.excess, 0) + sd
    near = _near(sites.table, request.radius_m)
    count = min(request.budget or 0, len(sites.names))
    drawn = _representative(sites, count, request.seed)
    least = request.min_per_district
    chosen, total = best_cover(
        weight, near=near, count=count, groups=sites.groups, least=least, taken=drawn
    )
    _, unbound = best_cover(weight, near=near, count=count, taken=drawn)
    flags = ["representative" if i in drawn else "" for i in range(len(weight))]
    random = np.random.default_rng(request.seed)
    drawings = np.maximum(sites.excess + sd * random.normal(size=(2000, len(sd))), 0) + sd
    covered = (drawings @ near.astype(float)) if len(sd) <= 3000 else drawings
    ones = np.ones(len(sd))
    return _Plan(
        chosen=chosen,
        gain=weight @ near.astype(float),
        low=np.quantile(covered, 0.025, axis=0),
        high=np.quantile(covered, 0.975, axis=0),
        chance=chance_covering(drawings[:100], near=near, count=count, taken=drawn),
        total=total,
        unbound=unbound,
        flags=flags,
        cmf=ones,
        cmf_source=["a measuring camera informs, it does not save by itself"] * len(sd),
        warnings=[] if request.radius_m or not _places(sites.table) else [Note(key="no_radius")],
    )


def _places(table: Table) -> bool:
    return table.has("lon", "lat") or table.has("x_m", "y_m")


def _near(table: Table, radius_m: float | None) -> Bools:
    """Return (n, n): which site a camera at which site covers; itself without a radius."""
    if radius_m is None:
        return np.eye(len(table), dtype=bool)
    if table.has("lon", "lat"):
        lonlat = np.column_stack([table.numbers("lon", low=-180), table.numbers("lat", low=-90)])
        middle = lonlat.mean(axis=0)
        place = metres_of(lonlat, origin_deg=(float(middle[0]), float(middle[1])))
    elif table.has("x_m", "y_m"):
        place = np.column_stack([table.numbers("x_m"), table.numbers("y_m")])
    else:
        raise FormatError(f"{table.source} has no lon and lat nor x_m and y_m; --radius needs them")
    gap = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    return np.asarray(gap <= radius_m)


def _representative(sites: _Sites, count: int, seed: int) -> list[int]:
    """Return sites drawn by chance, a fifth of the cameras: only worst sites would mislead."""
    wanted = int(np.ceil(_REPRESENTATIVE_SHARE * count)) if count >= 3 else 0
    order = np.argsort(sites.excess, kind="stable")
    random = np.random.default_rng(seed)
    return [int(random.choice(part)) for part in np.array_split(order, wanted)] if wanted else []


def _rows(sites: _Sites, plan: _Plan) -> dict[str, Any]:
    place = np.full(len(sites.names), np.nan)
    ranked = [i for i in np.argsort(-plan.gain, kind="stable") if plan.chosen[i]]
    place[ranked] = np.arange(1, len(ranked) + 1)
    values = (
        sites.names, plan.chosen, place, plan.gain, plan.low, plan.high, plan.chance, sites.cost,
        plan.gain / sites.cost, sites.district, plan.cmf, plan.cmf_source, plan.flags,
    )  # fmt: skip
    return dict(zip(PLACE_COLUMNS, values, strict=True))


def _summary(
    request: PlaceRequest, sites: _Sites, plan: _Plan, columns: dict[str, list[Any]]
) -> dict[str, Any]:
    price = plan.unbound - plan.total
    return {
        "verb": "place",
        "source": sites.table.source,
        "aim": request.aim,
        "sites": len(sites.names),
        "chosen": [name for name, own in zip(sites.names, plan.chosen, strict=True) if own],
        "spent": float(sites.cost[plan.chosen].sum()),
        "gain": plan.total,
        "gain_unbound": plan.unbound,
        "price_of_fairness": price,
        "price_of_fairness_share": price / plan.unbound if plan.unbound > 0 else float("nan"),
        "districts": _districts(sites, plan),
        "warnings": [note.key for note in plan.warnings],
        "first": [
            {n: _plain(columns[n][i]) for n in PLACE_COLUMNS}
            for i in range(min(10, len(columns["site"])))
        ],
    }


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _districts(sites: _Sites, plan: _Plan) -> list[dict[str, Any]]:
    """Return sites, chosen and gain by district, and per 100,000 people where known."""
    if not any(sites.district):
        return []
    people = sites.table.numbers("population", low=0, empty=True, default=float("nan"))
    found = []
    for name, members in sorted(sites.groups.items()):
        taken = int(plan.chosen[members].sum())
        known = people[members][np.isfinite(people[members])]
        heads = float(known.max()) if len(known) else float("nan")
        positive = np.maximum(plan.gain, 0)
        whole = float(positive[members].sum())
        covered = float(positive[members][plan.chosen[members]].sum())
        found.append(
            {
                "district": name,
                "sites": len(members),
                "chosen": taken,
                "covered_share": covered / whole if whole > 0 else float("nan"),
                "chosen_per_100000": taken / heads * 1e5 if heads > 0 else float("nan"),
            }
        )
    return found


def _finding(
    request: PlaceRequest,
    sites: _Sites,
    plan: _Plan,
    columns: dict[str, list[Any]],
    summary: dict[str, Any],
) -> Finding:
    shown = ("site", "gain", "gain_low", "gain_high", "p_chosen", "cost", "district", "flag")
    count = int(plan.chosen.sum())
    listings = [
        Listing(
            caption="place",
            columns=shown,
            rows=[[_told(columns[n][i]) for n in shown] for i in range(min(count, 30))],
            tails=2,
        )
    ]
    if summary["districts"]:
        keys = ("district", "sites", "chosen", "covered_share", "chosen_per_100000")
        listings.append(
            Listing(
                caption="districts",
                columns=keys,
                rows=[[_told(row[key]) for key in keys] for row in summary["districts"]],
            )
        )
    chart = place_map(
        plan.gain, plan.low, plan.high, names=sites.names, chosen=plan.chosen.tolist(),
        texts=texts(request.lang),
    )  # fmt: skip
    fairness = Note(
        key="fairness",
        values={"least": request.min_per_district, "price": round(summary["price_of_fairness"], 2)},
    )
    aim = [Note(key="save")] if request.aim == "save" else [Note(key="teach")]
    return Finding(
        verb=f"place_{request.aim}",
        source=sites.table.source,
        cards=(
            ("sites", len(sites.names)),
            ("taken", count),
            ("gain", round(plan.total, 2)),
            ("price_of_fairness", round(summary["price_of_fairness"], 2)),
        ),
        listings=listings,
        charts={"chart_place": chart},
        warnings=plan.warnings,
        notes=[*aim, fairness, Note(key="no_people")],
    )


def _told(value: Any) -> Any:
    return round(float(value), 3) if isinstance(value, (float, np.floating)) else value
