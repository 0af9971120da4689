"""Score our conflicts against SUMO's encounters over many generated seeds, pooled, per type.

``PYTHONPATH=src:. python tests/bench-peers/sumo/score.py FOLDER SEED [SEED ...]`` after
``generate.py``. Truth of a seed: unordered vehicle pairs with PET <= 2 s, or TTC < 1.5 s of a
type other than 111. SUMO's device sees no pedestrians: those pairs are counted apart.
"""

import collections
import json
import math
import sys
from pathlib import Path

from tests.sumo_rows import read_csv

from calmstreet.model.conflicts import Conflicts
from calmstreet.safety.conflicts import ConflictWatch
from calmstreet.safety.learn_paths import learn_paths

GROUPS = {"2": "following", "3": "following", "6": "merging", "7": "merging"}


def truth_of(
    path: Path,
) -> tuple[dict[frozenset[str], str], dict[frozenset[str], dict[str, float]]]:
    """Return the pairs that count with their type, and what SUMO says of every pair."""
    said: dict[frozenset[str], dict[str, float]] = collections.defaultdict(dict)
    pairs: dict[frozenset[str], str] = {}
    for row in json.loads(path.read_text())["encounters"]:
        pair = frozenset((row["ego"], row["foe"]))
        if row.get("PET", math.inf) <= 2.0:
            pairs[pair] = "crossing"
        if row.get("minTTC", math.inf) < 1.5 and row["minTTC_type"] != "111":
            pairs.setdefault(pair, GROUPS.get(row["minTTC_type"], "crossing"))
        for name in ("PET", "minTTC"):
            if name in row:
                said[pair][name] = min(row[name], said[pair].get(name, math.inf))
        if row.get("minTTC_type") == "111":
            said[pair]["overlap in the lane model"] = 0.0
    return pairs, said


def reason(found: Conflicts, k: int, said: dict[str, float]) -> str:
    """Return why a conflict of ours is none in SUMO's list."""
    why = str(found.why[k])
    if found.type[k] == "pedestrian":
        return "a pedestrian: SUMO's device sees vehicles only"
    if bool(found.contact[k]):
        return "the footprints touch"
    if "pet" in why and "PET" in said:
        return "PET: SUMO measures it on the first conflict area of the lane and gives over 2 s"
    if "pet" in why and found.type[k] == "merging":
        return "PET where lanes merge: SUMO gives PET of crossings only"
    if "pet" in why:
        return "PET of a pair that SUMO's lane model does not list"
    if "ttc" in why:
        return "TTC along usual paths <= 1.5 s for 0.3 s: SUMO's lane model has no such encounter"
    return "braking >= 3 m/s2 begun on a TTC <= 3 s: not part of SUMO's truth"


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share."""
    if not n:
        return 0.0, 1.0
    z, p = 1.959964, hits / n
    mid, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (mid - half) / (1 + z * z / n), (mid + half) / (1 + z * z / n)


def share(hits: int, n: int) -> str:
    """Return hits/n with its interval as text."""
    low, high = wilson(hits, n)
    return f"{hits}/{n} = {hits / n if n else math.nan:.2f} ({low:.2f} to {high:.2f})"


class Score:
    """Counts over all seeds."""

    def __init__(self) -> None:
        self.hits: collections.Counter[str] = collections.Counter()
        self.wanted: collections.Counter[str] = collections.Counter()
        self.ours: collections.Counter[str] = collections.Counter()
        self.right: collections.Counter[str] = collections.Counter()
        self.reasons: collections.Counter[tuple[str, str]] = collections.Counter()
        self.crashes = [0, 0]

    def add_truth(
        self, found: Conflicts, rows: dict[frozenset[str], int], pairs: dict[frozenset[str], str]
    ) -> list[frozenset[str]]:
        """Count which pairs of the truth are conflicts of ours; return those that are not."""
        missed = []
        for pair, kind in pairs.items():
            hit = pair in rows and bool(found.is_conflict[rows[pair]])
            self.wanted[kind] += 1
            self.hits[kind] += hit
            if not hit:
                missed.append(pair)
        return missed

    def add_ours(
        self,
        found: Conflicts,
        rows: dict[frozenset[str], int],
        pairs: dict[frozenset[str], str],
        said: dict[frozenset[str], dict[str, float]],
    ) -> None:
        """Count our conflicts by type and part of the definition, and why some are extra."""
        for pair, k in rows.items():
            if not found.is_conflict[k]:
                continue
            for part in str(found.why[k]).split("+"):
                self.ours[f"{found.type[k]} by {part}"] += 1
                self.right[f"{found.type[k]} by {part}"] += pair in pairs
            if pair not in pairs:
                self.reasons[str(found.type[k]), reason(found, k, said.get(pair, {}))] += 1

    def add_crashes(
        self, found: Conflicts, rows: dict[frozenset[str], int], crashes: list[dict[str, str]]
    ) -> None:
        """Count the collisions that are conflicts, or are told as walks into a standing car."""
        for crash in crashes:
            k = rows.get(frozenset((crash["collider"], crash["victim"])))
            stood = float(crash["colliderSpeed"]) < 0.5
            told = k is not None and (bool(found.is_conflict[k]) or stood)
            self.crashes[0] += told
            self.crashes[1] += 1
            if not told:
                print("  collision missed", crash["collider"], crash["victim"], crash["time"])

    def show(self) -> None:
        """Print the shares with their intervals and the reasons of the extra pairs."""
        print("recall", share(sum(self.hits.values()), sum(self.wanted.values())))
        for kind in sorted(self.wanted):
            print("  recall", kind, share(self.hits[kind], self.wanted[kind]))
        for kind in sorted(self.ours):
            print("  in SUMO's list", kind, share(self.right[kind], self.ours[kind]))
        print(f"collisions told {self.crashes[0]} of {self.crashes[1]}")
        for (kind, text), n in sorted(self.reasons.items(), key=lambda item: -item[1]):
            print(f"  extra {n:4d} {kind}: {text}")


def main() -> None:
    """Print recall and precision pooled over seeds, and the reasons of all extra pairs."""
    folder, score = Path(sys.argv[1]), Score()
    for seed in sys.argv[2:]:
        points, names = read_csv(folder / f"rand{seed}.fcd.csv.gz")
        pairs, said = truth_of(folder / f"rand{seed}.truth.json")
        watch = ConflictWatch(paths=learn_paths(points))
        watch.update(points)
        found = watch.close()
        users = zip(found.user_a.tolist(), found.user_b.tolist(), strict=True)
        rows = {frozenset((names[a], names[b])): k for k, (a, b) in enumerate(users)}
        missed = score.add_truth(found, rows, pairs)
        score.add_ours(found, rows, pairs, said)
        truth = json.loads((folder / f"rand{seed}.truth.json").read_text())
        score.add_crashes(found, rows, truth["collisions"])
        print(
            f"seed {seed}: {len(pairs) - len(missed)} of {len(pairs)} found,",
            f"{int(found.is_conflict.sum())} conflicts of {len(found)} pairs, {found.rejections()}",
        )
        for pair in missed:
            k = rows.get(pair)
            ours = "" if k is None else f"TTC {found.min_ttc_s[k]:.2f}, PET {found.pet_s[k]:.2f}"
            print(f"  missed {sorted(pair)}: SUMO {said[pair]}, ours {ours or 'no row'}")
    score.show()


if __name__ == "__main__":
    main()
