"""A matplotlib figure as one inline ``<svg>`` element: no state, no date, no network address."""

import io
import re
from contextlib import AbstractContextManager
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

__all__ = ["INK", "empty_axes", "standalone", "styled", "svg_of"]

INK = "#010203"
_PLACED = 'preserveAspectRatio="xMinYMid meet" role="img"'
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "hatch.color": INK,
    "hatch.linewidth": 0.5,
}


def styled(name: str = "") -> AbstractContextManager[None]:
    """Return a context in which figures are drawn in our style, with ids that hang on ``name``."""
    return mpl.rc_context({**_STYLE, "svg.hashsalt": name or "calmstreet"})


def empty_axes(width_in: float = 6.8, height_in: float = 2.8) -> tuple[Figure, Axes]:
    """Return an empty figure without any global state."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasSVG(figure)
    return figure, figure.add_subplot()


def svg_of(figure: Figure, name: str, title: str, *, css: str = "broad") -> str:
    """Return the figure as one element with ids of its own, no date and no address."""
    page = io.StringIO()
    with styled(name):
        figure.savefig(page, format="svg", transparent=True, metadata={"Date": None})
    svg = page.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(
        r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", svg, flags=re.S
    )
    svg = re.sub(r' (?:xmlns(?::\w+)?|width|height|version)="[^"]*"', _kept_size, svg)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', svg).replace("url(#", f"url(#{name}-")
    svg = svg.replace("'DejaVu Sans'", "var(--font, sans-serif)").replace(INK, "currentColor")
    return svg.replace("<svg", f'<svg class="{css}" {_PLACED} aria-label="{escape(title)}"', 1)


def _kept_size(match: re.Match[str]) -> str:
    """Drop namespaces and the outer size in points; keep the sizes of inner marks."""
    text = match[0]
    return "" if "xmlns" in text or "version" in text or 'pt"' in text else text


def standalone(svg: str) -> str:
    """Return an element of ``svg_of`` as a file of its own: name space, dark ink on white.

    >>> standalone('<svg class="broad" viewBox="0 0 1 1"></svg>')[:4]
    '<svg'
    """
    space = "/".join(("http:/", "www.w3.org", "2000", "svg"))
    whole = svg.replace("var(--font, sans-serif)", "DejaVu Sans, sans-serif")
    whole = whole.replace("xlink:href=", "href=")
    head, _, rest = whole.partition(">")
    head = head.replace("<svg", f'<svg xmlns="{space}" color="#1b2430"', 1)
    return f'{head}><rect width="100%" height="100%" fill="#ffffff"/>{rest}'
