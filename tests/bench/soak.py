"""Soak: a whole node over RTSP for a long time, with a random fault every minute.

``python -m tests.bench.soak --cameras 6 --minutes 30`` sends real clips as 360p sub-streams from
one RTSP server per camera, runs ``calmstreet watch`` over them and breaks something each minute.
It tells accounted time, memory and open files of each process, pictures looked at per second, and
the processor time of each camera as a ratio to decoding its stream and nothing else.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from tests.faults.camera_clips import a_camera_clip, filmed
from tests.faults.rtsp_server import RtspServer
from tests.shared_data import shared_data

from calmstreet.pipeline.closing import judge_waiting
from calmstreet.pipeline.node_health import HEALTH_NAME
from calmstreet.store.accounting import accounted
from calmstreet.store.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[2]
CLIPS = (
    ("ozlu_input_video.mp4", 24, 37.0),
    ("intel_car-detection.mp4", 12, 30.0),
    ("opencv_vtest_pets09_s2l1.mp4", 10, 79.0),
)
WIDTH_PX, HEIGHT_PX = 640, 360
SITE = """
[site]
id = "{name}"

[[camera]]
id = "{name}"

[[gate]]
id = "across"
points_px = [[20, 220], [620, 220]]

[[gate]]
id = "along"
points_px = [[320, 40], [320, 350]]

[[zone]]
id = "everywhere"
kind = "no-stopping"
polygon_px = [[10, 60], [630, 60], [630, 350], [10, 350]]
"""


@dataclass(slots=True, kw_only=True)
class Sample:
    """One look at the node."""

    at_s: float
    cameras: dict[str, dict[str, Any]]
    supervisor: dict[str, float]


@dataclass(slots=True, kw_only=True)
class Soak:
    """The node under test."""

    folder: Path
    servers: dict[str, RtspServer]
    environ: dict[str, str]
    log: Any
    process: "subprocess.Popen[bytes] | None" = None
    samples: list[Sample] = field(default_factory=list)
    faults: list[tuple[float, str, str]] = field(default_factory=list)
    begun_s: float = 0.0
    later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "calmstreet.toml"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "calmstreet.cli", "watch", "-c", str(self.config)],
            env=self.environ,
            stderr=self.log,
            stdout=self.log,
        )

    def health(self) -> dict[str, dict[str, Any]]:
        try:
            text = (self.folder / "results" / HEALTH_NAME).read_text(encoding="utf-8")
        except OSError:
            return {}
        found: dict[str, dict[str, Any]] = json.loads(text)["cameras"]
        return found

    def sample(self, now_s: float) -> None:
        pid = self.process.pid if self.process else 0
        self.samples.append(
            Sample(at_s=now_s - self.begun_s, cameras=self.health(), supervisor=of_process(pid))
        )

    def pid_of(self, name: str) -> int:
        return int(self.health().get(name, {}).get("pid") or 0)


def of_process(pid: int) -> dict[str, float]:
    """Return memory, open files and processor seconds of a process; {} for one that is gone."""
    try:
        place = Path(f"/proc/{pid}")
        pages = int((place / "statm").read_text(encoding="ascii").split()[1])
        words = (place / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return {
            "rss_bytes": pages * os.sysconf("SC_PAGE_SIZE"),
            "open_files": sum(1 for _ in (place / "fd").iterdir()),
            "cpu_s": (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"),
        }
    except (OSError, ValueError, IndexError):
        return {}


def streams(folder: Path, minutes: float) -> list[tuple[Path, int]]:
    """Encode the sub-streams once, long enough that none ends on its own."""
    made = []
    for name, fps, seconds in CLIPS:
        path = folder / f"{Path(name).stem}-{minutes:g}.mp4"
        if not path.exists():
            clip = shared_data(f"video/{name}")
            pictures = filmed(clip, width=WIDTH_PX, height=HEIGHT_PX, seconds=seconds, fps=fps)
            repeats = int((minutes + 5) * 60 / seconds) + 1
            a_camera_clip(path, pictures, fps=fps, repeats=repeats)
        made.append((path, fps))
    return made


def bare_decode_share(path: Path, *, seconds: float = 60.0) -> float:
    """Return the processor time of decoding a second of a stream, as a share of that second."""
    begun_s, last_s = time.process_time(), 0.0
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for frame in container.decode(video=0):
            last_s = float(frame.time or 0.0)
            if last_s >= seconds:
                break
    return (time.process_time() - begun_s) / max(last_s, 1e-3)


def write_node(folder: Path, names: list[str], *, analysed_fps: float, record: str) -> None:
    """Write calmstreet.toml and the sites."""
    (folder / "results").mkdir(parents=True, exist_ok=True)
    lines = ["[node]", "cut_minutes = 3", "longest_minutes = 6", ""]
    for name in names:
        (folder / f"{name}.toml").write_text(SITE.format(name=name), encoding="utf-8")
        lines += ["[[camera]]", f'id = "{name}"', f'url_env = "{env_name(name)}"']
        lines += [f'site = "{name}.toml"', f"analysed_fps = {analysed_fps:g}"]
        lines += [f'record = "{record}"', 'purpose = "a soak test"', ""]
    (folder / "calmstreet.toml").write_text("\n".join(lines), encoding="utf-8")


def env_name(name: str) -> str:
    """Return the variable that holds a camera's address."""
    return f"{name.upper().replace('-', '_')}_URL"


# Faults


def kill_camera(soak: Soak, name: str, now_s: float) -> None:
    pid = soak.pid_of(name)
    if pid:
        os.kill(pid, signal.SIGKILL)


def kill_supervisor(soak: Soak, name: str, now_s: float) -> None:
    if soak.process is not None:
        soak.process.kill()
        soak.process.wait()
        soak.later.append((now_s + 3.0, soak.start))


def freeze_server(soak: Soak, name: str, now_s: float) -> None:
    soak.servers[name].freeze()
    soak.later.append((now_s + 8.0, soak.servers[name].thaw))


def server_gone(soak: Soak, name: str, now_s: float) -> None:
    soak.servers[name].kill()
    soak.later.append((now_s + 6.0, soak.servers[name].start))


def server_long_gone(soak: Soak, name: str, now_s: float) -> None:
    soak.servers[name].kill()
    soak.later.append((now_s + 35.0, soak.servers[name].start))


def break_settings(soak: Soak, name: str, now_s: float) -> None:
    good = soak.config.read_text(encoding="utf-8")
    soak.config.write_text(good + "\n[[camera]]\nid = 7\n", encoding="utf-8")
    soak.later.append((now_s + 10.0, lambda: _write(soak.config, good)))


def change_site(soak: Soak, name: str, now_s: float) -> None:
    site = soak.folder / f"{name}.toml"
    text = site.read_text(encoding="utf-8")
    site.write_text(text.replace("[[20, 220]", f"[[{random.randint(10, 30)}, 220]"), "utf-8")


def stop_camera(soak: Soak, name: str, now_s: float) -> None:
    pid = soak.pid_of(name)
    if pid:
        os.kill(pid, signal.SIGSTOP)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


FAULTS = (
    kill_camera, kill_supervisor, freeze_server, server_gone, server_long_gone, break_settings,
    change_site, stop_camera,
)  # fmt: skip


def run(soak: Soak, *, minutes: float, fault_s: float, seed: int) -> None:
    """Let the node run, look at it every 5 s and break something every ``fault_s``."""
    dice = random.Random(seed)
    soak.begun_s = time.monotonic()
    soak.start()
    next_fault_s, next_look_s = soak.begun_s + fault_s, soak.begun_s + 5.0
    while (now_s := time.monotonic()) < soak.begun_s + minutes * 60:
        for due in [row for row in soak.later if row[0] <= now_s]:
            soak.later.remove(due)
            due[1]()
        if now_s >= next_look_s:
            next_look_s += 5.0
            soak.sample(now_s)
        if now_s >= next_fault_s and soak.begun_s + minutes * 60 - now_s > 40.0:
            next_fault_s += fault_s
            fault, name = dice.choice(FAULTS), dice.choice(sorted(soak.servers))
            soak.faults.append((round(now_s - soak.begun_s, 1), fault.__name__, name))
            fault(soak, name, now_s)
        time.sleep(0.1)
    for _, undo in soak.later:
        undo()
    if soak.process is not None:
        soak.process.terminate()
        soak.process.wait(60)


# What came of it


def report(soak: Soak, *, decode: dict[str, float]) -> dict[str, Any]:
    """Return the figures of every camera and of the supervisor."""
    rows = {name: camera_row(soak, name, decode[name]) for name in sorted(soak.servers)}
    own = [sample.supervisor for sample in soak.samples if sample.supervisor]
    return {
        "minutes": round(soak.samples[-1].at_s / 60, 1),
        "faults": soak.faults,
        "cameras": rows,
        "least_accounted": min(row["accounted"] for row in rows.values()),
        "supervisor": trend(own),
        "load_average": os.getloadavg(),
    }


def camera_row(soak: Soak, name: str, decode_share: float) -> dict[str, Any]:
    """Return the figures of one camera."""
    seen = [s.cameras[name] for s in soak.samples if s.cameras.get(name, {}).get("cpu_s")]
    watching = [row for row in seen if row.get("watching")]
    fps = sorted(float(row["analysed_fps"]) for row in watching if row.get("analysed_fps"))
    cpu_share = spent_share(soak, name)
    with Catalogue.open(soak.folder / "results" / name) as catalogue:
        judged = judge_waiting(catalogue)
        runs = catalogue.runs()
        gaps = catalogue.gaps(name)
        start_ns = min([run.start_ns for run in runs] + [gap.start_ns for gap in gaps])
        end_ns = max([run.end_ns for run in runs] + [gap.end_ns for gap in gaps])
        found = accounted(catalogue, name, start_ns=start_ns, end_ns=end_ns)
        events = catalogue.events([run.run_id for run in runs])
        clips = catalogue.segments(name)
    watched_s = sum((run.end_ns - run.start_ns) / 1e9 for run in runs)
    return {
        "accounted": round(found.share, 6),
        "watched_s": round(found.stored_s, 1),
        "gap_s": round(found.gap_s, 1),
        "unaccounted_s": round(found.unaccounted_s, 3),
        "runs": len(runs),
        "failures": [done.failure for done in judged if done.failure],
        "analysed_fps": round(sum(run.analysed_frames for run in runs) / max(watched_s, 1e-3), 2),
        "median_fps": fps[len(fps) // 2] if fps else None,
        "cpu_share": round(cpu_share, 3),
        "decode_share": round(decode_share, 4),
        "cpu_over_decode": round(cpu_share / decode_share, 1),
        "shed": sorted({str(row.get("shed")) for row in watching}),
        "events": len(events),
        "clips": len(clips),
        "clip_bytes": sum(clip.size_bytes for clip in clips),
        "gaps": count_by(gap.reason for gap in gaps),
        **trend(seen),
    }


def spent_share(soak: Soak, name: str) -> float:
    """Return processor time per second while the same process lived, over all its lives."""
    spent_s = lived_s = 0.0
    before: tuple[int, float, float] | None = None
    for sample in soak.samples:
        row = sample.cameras.get(name, {})
        if not row.get("cpu_s"):
            continue
        now = (int(row["pid"]), sample.at_s, float(row["cpu_s"]))
        if before is not None and before[0] == now[0] and now[2] > before[2]:
            spent_s, lived_s = spent_s + now[2] - before[2], lived_s + now[1] - before[1]
        before = now
    return spent_s / max(lived_s, 1e-3)


def trend(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return memory and open files in the first and the last third."""
    found: dict[str, Any] = {}
    third = max(1, len(rows) // 3)
    for name, unit in (("rss_bytes", 1e6), ("open_files", 1.0)):
        values = [float(row[name]) / unit for row in rows if row.get(name)]
        if values:
            early, late = sorted(values[:third]), sorted(values[-third:])
            found[name.replace("_bytes", "_mb")] = [
                round(early[len(early) // 2], 1), round(late[len(late) // 2], 1),
                round(max(values), 1),
            ]  # fmt: skip
    return found


def count_by(words: Iterator[str] | Any) -> dict[str, int]:
    """Return how often each word comes."""
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return found


@contextmanager
def a_node(folder: Path, cameras: int, asked: argparse.Namespace) -> Iterator[tuple[Soak, Any]]:
    """Start the servers and write the node's settings."""
    clips = streams(folder, asked.minutes)
    names = [f"cam-{i + 1}" for i in range(cameras)]
    write_node(folder, names, analysed_fps=asked.analysed_fps, record=asked.record)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    decode: dict[str, float] = {}
    known = {path: bare_decode_share(path) for path, _ in clips}
    with ExitStack() as opened:
        servers: dict[str, RtspServer] = {}
        for i, name in enumerate(names):
            clip = clips[i % len(clips)][0]
            servers[name] = RtspServer(clip=clip, user="watch", password=f"secret-{i}")
            servers[name].start()
            opened.callback(servers[name].kill)
            environ[env_name(name)] = servers[name].url()
            decode[name] = known[clip]
        log = opened.enter_context((folder / "log.jsonl").open("ab"))
        soak = Soak(folder=folder, servers=servers, environ=environ, log=log)
        try:
            yield soak, decode
        finally:
            if soak.process is not None and soak.process.poll() is None:
                soak.process.kill()


def main() -> None:
    """Run the soak and print the report as JSON."""
    parser = argparse.ArgumentParser(prog="tests.bench.soak", description=__doc__)
    parser.add_argument("--cameras", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--analysed-fps", type=float, default=10.0)
    parser.add_argument("--record", default="events", choices=["events", "continuous", "none"])
    parser.add_argument("--fault-s", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with a_node(asked.out, asked.cameras, asked) as (soak, decode):
        run(soak, minutes=asked.minutes, fault_s=asked.fault_s, seed=asked.seed)
        found = report(soak, decode=decode)
    secrets = [f"secret-{i}" for i in range(asked.cameras)]
    text = (asked.out / "log.jsonl").read_text(encoding="utf-8", errors="replace")
    found["secrets_in_log"] = sum(text.count(secret) for secret in secrets)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    (asked.out / "report.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
