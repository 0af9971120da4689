"""`calmstreet demo`: a rendered street is analysed offline and counted beside the truth."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from calmstreet.config.site import dump_site_toml
from calmstreet.pipeline.analyse import analyse_videos
from calmstreet.pipeline.planning import Request
from calmstreet.pipeline.progress import Progress, quiet
from calmstreet.pipeline.wording import told
from calmstreet.scene.film import DEMO_NAME, render_demo
from calmstreet.store.folder import write_whole

__all__ = ["beside_truth", "run_demo"]

Gates = Sequence[Mapping[str, Any]]


def run_demo(
    out: Path, *, lang: str = "en", clip: Path | None = None, progress: Progress = quiet
) -> Iterator[str]:
    """Render, analyse and compare; yield what is to be said, line by line."""
    out.mkdir(parents=True, exist_ok=True)
    film, site_file = out / DEMO_NAME, out / "SITE.toml"
    truth = render_demo(film, on_progress=lambda share: progress("rendering the street", share))
    text = dump_site_toml(truth.site)

    def put(part: Path) -> None:
        part.write_text(text, encoding="utf-8")

    write_whole(site_file, put)
    request = Request(videos=(film,), site=site_file, out=out / "result", lang=lang)
    summary = analyse_videos(request, progress=progress)
    yield f"The rendered street {film}, analysed with {site_file}:"
    yield from told(summary, request.out)
    yield from beside_truth(summary["gates"], truth.gate_counts())
    if clip is not None:
        request = Request(videos=(clip,), out=out / "clip", lang=lang)
        yield f"The real clip {clip}:"
        yield from told(analyse_videos(request, progress=progress), request.out)


def beside_truth(
    gates: Sequence[Mapping[str, Any]], truth: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    r"""Yield counted and true numbers per gate, direction and kind.

    >>> counted = [{"camera": "c", "gate": "g", "to_left": {"car": 2, "total": 2},
    ...             "to_right": {"total": 0}}]
    >>> true = [{"camera": "c", "gate": "g", "to_left": {"car": 3, "total": 3},
    ...          "to_right": {"total": 0}}]
    >>> print(*beside_truth(counted, true), sep="\n")
    counted / true at each gate of the rendered street:
      g to_left: car 2/3, total 2/3
      g to_right: total 0/0
      all gates: 2 of 3
    """
    yield "counted / true at each gate of the rendered street:"
    both = {row["gate"]: row for row in gates}
    sums = [0, 0]
    for true in truth:
        counted = both.get(true["gate"], {})
        for side in ("to_left", "to_right"):
            mine, real = counted.get(side, {}), true[side]
            kinds = [k for k in dict.fromkeys([*real, *mine]) if mine.get(k) or real.get(k)]
            names = [k for k in kinds if k != "total"] + ["total"]
            yield f"  {true['gate']} {side}: " + ", ".join(
                f"{name} {mine.get(name, 0)}/{real.get(name, 0)}" for name in names
            )
            sums[0] += mine.get("total", 0)
            sums[1] += real["total"]
    yield f"  all gates: {sums[0]} of {sums[1]}"
