"""`calmstreet analyse`: videos in; a result folder with counts, a report and blurred pictures out.

A new run is written beside the old ones, invisible, and takes their place in one transaction when
it is done; whatever happens before leaves the old result as it was.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from calmstreet.clock import Clock
from calmstreet.pipeline.eyes import chosen_net
from calmstreet.pipeline.planning import Request, make_plan, plan_against
from calmstreet.pipeline.progress import Progress, quiet
from calmstreet.pipeline.results import write_results
from calmstreet.pipeline.session import Session
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.folder import only_writer

__all__ = ["Request", "analyse_videos"]


def analyse_videos(
    request: Request, *, progress: Progress = quiet, clock: Clock | None = None
) -> dict[str, Any]:
    """Analyse videos into ``request.out`` and return the summary.

    Ctrl-C ends the watch and leaves a valid result marked partial; ``state`` is then
    "interrupted". A whole result is not replaced by a part of it: then the old one stays and
    KeyboardInterrupt is raised. Raises CalmstreetError for anything that cannot be used.
    """
    net = chosen_net(request.detector)
    plan = make_plan(request)
    with only_writer(request.out), Catalogue.open(request.out, create=True, clock=clock) as kept:
        kept.forget_unpublished()
        plan = plan_against(plan, kept)
        session = Session(request=request, plan=plan, net=net, catalogue=kept, progress=progress)
        with _stop_on_signal(session.stop):
            run_ids = session.watch_all()
        if session.stop.is_set() and _whole(kept, plan.replaced_run_ids):
            session.discard()
            raise KeyboardInterrupt
        kept.publish(run_ids, plan.replaced_run_ids)
        session.put_video()
        summary = write_results(
            kept, lang=request.lang, propose=request.site is None, progress=progress
        )
    return {**summary, "state": "interrupted" if session.stop.is_set() else summary["state"]}


def _whole(kept: Catalogue, run_ids: tuple[int, ...]) -> bool:
    """Return whether any of these runs is complete."""
    return any(run.run_id in run_ids and run.state == "complete" for run in kept.runs())


@contextmanager
def _stop_on_signal(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C and a polite kill end the watch instead of the program."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
