"""Generate random junctions with careless drivers and SUMO's own list of encounters.

Run in an environment of its own (requirements.txt beside this file); SUMO is a tool of the tests
and never a dependency: ``python generate.py OUT SEED [SEED ...]``. Each seed gives
``randSEED.fcd.csv.gz`` (front bumper, compass degrees, 10 Hz) and ``randSEED.truth.json``.
"""

import csv
import gzip
import importlib
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

HOME = Path(importlib.import_module("sumo").SUMO_HOME)
BIN = HOME / "bin"
END_S = "300"
CAR = (
    '<additional><vType id="car" vClass="passenger" length="4.5" width="1.8" sigma="0.5" '
    'minGap="2" speedFactor="normc(1.05,0.12,0.6,1.6)" jmDriveAfterRedTime="2" '
    'jmDriveRedSpeed="15" jmIgnoreFoeProb="0.02" jmIgnoreFoeSpeed="8" impatience="0.5"/>'
    "</additional>"
)
LIGHT = ' type="traffic_light"'
PLACES = {"C": (0, 0), "N": (0, 200), "S": (0, -200), "E": (200, 0), "W": (-200, 0)}


def run(*words: str, folder: Path) -> None:
    """Run one tool in ``folder`` and stop on a fault."""
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def make_net(folder: Path) -> None:
    """Write rand.net.xml: four arms of two lanes with lights and crossings."""
    nodes = "".join(
        f'<node id="{name}" x="{x}" y="{y}"{LIGHT if name == "C" else ""}/>'
        for name, (x, y) in PLACES.items()
    )
    edges = "".join(
        f'<edge id="{a}{b}" from="{a}" to="{b}" numLanes="2" speed="13.89" sidewalkWidth="2"/>'
        for arm in "NSEW"
        for a, b in ((arm, "C"), ("C", arm))
    )
    (folder / "x.nod.xml").write_text(f"<nodes>{nodes}</nodes>")
    (folder / "x.edg.xml").write_text(f"<edges>{edges}</edges>")
    (folder / "vt.add.xml").write_text(CAR)
    run(
        str(BIN / "netconvert"), "--node-files", "x.nod.xml", "--edge-files", "x.edg.xml",
        "--crossings.guess", "--walkingareas", "-o", "rand.net.xml", folder=folder,
    )  # fmt: skip


def make_trips(folder: Path, seed: int) -> None:
    """Write routes of cars and pedestrians for one seed."""
    tool = [sys.executable, str(HOME / "tools" / "randomTrips.py"), "-n", "rand.net.xml"]
    times = ["-b", "0", "-e", END_S, "--validate"]
    run(
        *tool, *times, "-o", "trips.xml", "-r", "veh.rou.xml", "-p", "1.2", "--seed", str(seed),
        "--fringe-factor", "100", "--additional-files", "vt.add.xml", "--trip-attributes",
        'departLane="best" departSpeed="max" type="car"', folder=folder,
    )  # fmt: skip
    run(
        *tool, *times, "-o", "ptrips.xml", "-r", "ped.rou.xml", "-p", "6", "--seed",
        str(seed + 1), "--pedestrians", "--prefix", "p", folder=folder,
    )  # fmt: skip


def simulate(folder: Path, seed: int) -> None:
    """Run SUMO with its device for surrogate safety measures."""
    run(
        str(BIN / "sumo"), "-n", "rand.net.xml", "-r", "veh.rou.xml,ped.rou.xml", "-b", "0",
        "-e", END_S, "--step-length", "0.1", "--seed", str(seed), "--precision", "4",
        "--no-step-log", "true", "--no-warnings", "true", "--fcd-output", "fcd.xml",
        "--device.ssm.probability", "1", "--device.ssm.file", "ssm.xml",
        "--device.ssm.measures", "TTC DRAC PET MDRAC",
        "--device.ssm.thresholds", "3.0 3.0 5.0 3.4", "--device.ssm.range", "50",
        "--device.ssm.extratime", "5", "--collision.check-junctions", "true",
        "--collision.action", "warn", "--collision-output", "coll.xml", folder=folder,
    )  # fmt: skip


def write_trajectories(folder: Path, into: Path) -> None:
    """Write the trajectories as rows t, id, kind, place, angle, speed."""
    with gzip.open(into, "wt", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["t_s", "id", "kind", "x_m", "y_m", "angle_deg", "speed_mps"])
        for _, step in ET.iterparse(folder / "fcd.xml"):
            if step.tag != "timestep":
                continue
            for user in step:
                kind = "car" if user.tag == "vehicle" else "pedestrian"
                place = [user.get(name) for name in ("x", "y", "angle", "speed")]
                rows.writerow([step.get("time"), user.get("id"), kind, *place])
            step.clear()


def write_truth(folder: Path, into: Path) -> None:
    """Write SUMO's encounters (each twice, ego and foe swapped) and collisions."""
    encounters = []
    for conflict in ET.parse(folder / "ssm.xml").getroot().iter("conflict"):
        row: dict[str, object] = {"ego": conflict.get("ego"), "foe": conflict.get("foe")}
        for name in ("minTTC", "PET"):
            found = conflict.find(name)
            if found is not None and found.get("value") not in (None, "NA"):
                row[name] = float(found.get("value", "nan"))
                row[f"{name}_type"] = found.get("type")
                row[f"{name}_t_s"] = float(found.get("time", "nan"))
        encounters.append(row)
    collisions = [dict(one.attrib) for one in ET.parse(folder / "coll.xml").getroot()]
    into.write_text(json.dumps({"encounters": encounters, "collisions": collisions}))


def main() -> None:
    """Generate every seed named on the command line."""
    out = Path(sys.argv[1]).resolve()
    for seed in map(int, sys.argv[2:]):
        folder = out / f"work{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        make_net(folder)
        make_trips(folder, seed)
        simulate(folder, seed)
        write_trajectories(folder, out / f"rand{seed}.fcd.csv.gz")
        write_truth(folder, out / f"rand{seed}.truth.json")
        for scrap in folder.iterdir():
            scrap.unlink()
        folder.rmdir()
        print(f"seed {seed} done", flush=True)


if __name__ == "__main__":
    main()
