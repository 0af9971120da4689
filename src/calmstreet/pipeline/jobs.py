"""The worker of the desk: does the jobs that people ask for, one at a time, each in a child.

``python -m calmstreet.pipeline.jobs calmstreet.toml`` waits for jobs until its standard input
ends; with ``--job N`` it does that one. A clip that was handed in is removed when its job ends:
raw pictures are not kept.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calmstreet.clock import Clock, SystemClock
from calmstreet.config.node import NodeFolders, load_node, node_folders
from calmstreet.errors import CalmstreetError, InputError
from calmstreet.pipeline.analyse import analyse_videos
from calmstreet.pipeline.planning import Request
from calmstreet.pipeline.replay import ReplayRequest, replay
from calmstreet.store.desk import Desk
from calmstreet.store.folder import remove_quietly
from calmstreet.store.jobs import Job
from calmstreet.store.shelf import ResultFolder, result_folders

__all__ = ["do_job", "main", "wait_for_jobs"]

POLL_S = 1.0
_TELL_EVERY_S = 1.0
_MEMORY_BYTES = 12 * 2**30
_ABANDONED_NS = 24 * 3600 * 10**9


@dataclass(slots=True, kw_only=True)
class _Telling:
    """Writes progress into the jobs table, now and then."""

    desk: Desk
    job_id: int
    clock: Clock
    told_s: float = float("-inf")

    def __call__(self, what: str, share: float) -> None:
        now_s = self.clock.monotonic_s()
        if now_s - self.told_s >= _TELL_EVERY_S:
            self.told_s = now_s
            self.desk.jobs.tell(self.job_id, doing=what, share=share)


def do_job(folders: NodeFolders, job_id: int, *, clock: Clock) -> None:
    """Do one job that was taken, and write down what came of it."""
    with Desk.open(folders.desk, clock=clock) as desk:
        job = desk.jobs.one(job_id)
        if job is None or job.state != "running":
            raise InputError(f"job {job_id} is not running; ask for it again")
        failure, result = "", {}
        try:
            result = _KINDS[job.kind](folders, desk, job, _Telling(
                desk=desk, job_id=job_id, clock=clock
            ))  # fmt: skip
        except CalmstreetError as error:
            failure = _without_places(str(error), folders)
        finally:
            _forget_clips(desk, job)
        desk.jobs.end(job_id, failure=failure, result=result, now_ns=clock.now_ns())


def _without_places(sentence: str, folders: NodeFolders) -> str:
    """Return a sentence without the folders of this machine, for those who asked."""
    for place in (folders.desk, folders.results):
        sentence = sentence.replace(f"{place}{os.sep}", "").replace(str(place), "")
    return sentence


def _analyse(folders: NodeFolders, desk: Desk, job: Job, telling: _Telling) -> dict[str, Any]:
    args = job.args
    into = _result(folders, args["result_id"]) if args.get("result_id") else None
    out = into.folder if into else folders.results / str(args["folder"])
    with tempfile.TemporaryDirectory(dir=folders.desk) as place:
        request = Request(
            videos=tuple(_named_clips(desk, args, Path(place))),
            out=out,
            site=_site_file(out, Path(place)) if into else None,
            camera=str(args["camera_id"]) or None,
            start=str(args["start"]) or None,
            lang=str(args["language"]),
        )
        summary = analyse_videos(request, progress=telling)
    return {"folder": into.name if into else args["folder"], "state": summary.get("state", "")}


def _named_clips(desk: Desk, args: Mapping[str, Any], place: Path) -> list[Path]:
    """Give the clips the names that people know, because a name may tell the time."""
    paths = []
    for number, (upload_id, name) in enumerate(zip(args["uploads"], args["names"], strict=True)):
        source = desk.upload_path(str(upload_id))
        if not source.is_file():
            raise InputError(f"the clip {name} is not there any more; hand it in again")
        folder = place / str(number)
        folder.mkdir()
        path = folder / Path(str(name)).name
        os.link(source, path)
        paths.append(path)
    return paths


def _result(folders: NodeFolders, result_id: str) -> ResultFolder:
    found = result_folders(folders.results, also=folders.also, desk=folders.desk)
    result = next((one for one in found if one.result_id == result_id), None)
    if result is None:
        raise InputError(f"there is no result {result_id} any more; ask for another")
    return result


def _site_file(folder: Path, place: Path) -> Path | None:
    """Write the site of a result's newest run to a file, None where it had none."""
    from calmstreet.store.catalogue import Catalogue

    with Catalogue.open(folder) as catalogue:
        runs = catalogue.runs()
        text = catalogue.site_text(runs[-1].site_version) if runs else ""
    if not text:
        return None
    path = place / "SITE.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _recount(folders: NodeFolders, desk: Desk, job: Job, telling: _Telling) -> dict[str, Any]:
    """Count the stored points of a result under a confirmed site, into a result beside it."""
    result = _result(folders, job.args["result_id"])
    draft = desk.drafts.one(int(job.args["draft_id"]))
    if draft is None or draft.state != "confirmed":
        raise InputError("this draft is not confirmed; confirm it first")
    out = result.folder.with_name(f"{result.folder.name}-{draft.site_version[:8]}")
    with tempfile.TemporaryDirectory(dir=folders.desk) as place:
        site = Path(place) / "SITE.toml"
        site.write_text(draft.file_text, encoding="utf-8")
        replay(ReplayRequest(trajectories=result.folder, site=site, out=out), progress=telling)
    name = result.name.rpartition("/")
    return {"folder": f"{name[0]}{name[1]}{out.name}"}


_KINDS = {"analyse": _analyse, "recount": _recount}


def _forget_clips(desk: Desk, job: Job) -> None:
    for upload_id in job.args.get("uploads", ()):
        desk.uploads.remove(str(upload_id))
        remove_quietly(desk.upload_path(str(upload_id)))


def wait_for_jobs(
    config: Path, folders: NodeFolders, *, clock: Clock, stop: threading.Event
) -> None:
    """Do jobs as they come until ``stop`` is set."""
    with Desk.open(folders.desk, clock=clock) as desk:
        desk.jobs.give_up_running(now_ns=clock.now_ns())
        while not stop.is_set():
            job = desk.jobs.take(now_ns=clock.now_ns())
            if job is None:
                _forget_abandoned(desk, clock)
                stop.wait(POLL_S)
                continue
            _in_child(config, job.job_id, stop)
            after = desk.jobs.one(job.job_id)
            if after is not None and after.state == "running":
                failure = "the work broke off; the log of the server says why"
                _forget_clips(desk, job)
                desk.jobs.end(job.job_id, failure=failure, result={}, now_ns=clock.now_ns())


def _in_child(config: Path, job_id: int, stop: threading.Event) -> None:
    command = [sys.executable, "-m", "calmstreet.pipeline.jobs", str(config), "--job", str(job_id)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as child:
        while child.poll() is None:
            if stop.wait(POLL_S / 4):
                child.terminate()


def _forget_abandoned(desk: Desk, clock: Clock) -> None:
    """Remove clips that nobody asked anything for within a day."""
    for upload in desk.uploads.all():
        if clock.now_ns() - upload.asked_ns > _ABANDONED_NS:
            desk.uploads.remove(upload.upload_id)
            remove_quietly(desk.upload_path(upload.upload_id))


def main(arguments: Sequence[str] | None = None) -> None:
    """Wait for jobs, or do one."""
    parser = argparse.ArgumentParser(prog="calmstreet.pipeline.jobs")
    parser.add_argument("config", type=Path)
    parser.add_argument("--job", type=int)
    asked = parser.parse_args(arguments)
    folders = node_folders(load_node(asked.config), asked.config)
    if asked.job is not None:
        os.nice(10)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        do_job(folders, asked.job, clock=SystemClock())
        return
    stop = threading.Event()

    def until_input_ends() -> None:
        sys.stdin.buffer.read()
        stop.set()

    threading.Thread(target=until_input_ends, daemon=True).start()
    wait_for_jobs(asked.config, folders, clock=SystemClock(), stop=stop)


if __name__ == "__main__":
    main()
