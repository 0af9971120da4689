"""Pieces of HTML. Everything that comes from outside is escaped here and nowhere else."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["bullets", "chart_figure", "facts", "paragraph", "picture_figure", "section", "table"]

_MIME = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"))


def paragraph(text: str, css: str = "") -> str:
    """Return one paragraph.

    >>> paragraph("a < b")
    '<p>a &lt; b</p>'
    """
    return f"<p{_css(css)}>{escape(text)}</p>"


def _css(name: str) -> str:
    return f' class="{name}"' if name else ""


def section(anchor: str, title: str, *parts: str) -> str:
    """Return a section with its heading; ``parts`` are HTML."""
    inside = "\n".join(part for part in parts if part)
    return (
        f'<section id="{anchor}" aria-labelledby="{anchor}-title">\n'
        f'<h2 id="{anchor}-title">{escape(title)}</h2>\n{inside}\n</section>'
    )


def bullets(items: Iterable[str], css: str = "") -> str:
    """Return a list of texts, or nothing for no texts."""
    rows = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul{_css(css)}>{rows}</ul>" if rows else ""


def facts(pairs: Iterable[tuple[str, str]], css: str = "facts") -> str:
    """Return a list of names and values; pairs with an empty value are left out."""
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in pairs
        if value
    )
    return f"<dl{_css(css)}>{rows}</dl>" if rows else ""


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    heads: int = 1,
    tails: int = 0,
) -> str:
    """Return a table that scrolls by itself where the page is narrow.

    The first ``heads`` cells of each row are its headings, the last ``tails`` words; those between
    are numbers.
    """
    kinds = ["n" if heads <= i < len(columns) - tails else "" for i in range(len(columns))]
    top = "".join(
        f'<th scope="col"{_css(kind)}>{escape(name)}</th>'
        for kind, name in zip(kinds, columns, strict=True)
    )
    body = "".join(f"<tr>{_cells(row, heads, tails)}</tr>" for row in rows)
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"<table><caption><span>{escape(caption)}</span></caption>"
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells(row: Sequence[str], heads: int, tails: int) -> str:
    names = "".join(f'<th scope="row">{escape(cell)}</th>' for cell in row[:heads])
    end = len(row) - tails
    counts = "".join(f'<td class="n">{escape(cell)}</td>' for cell in row[heads:end])
    return names + counts + "".join(f"<td>{escape(cell)}</td>" for cell in row[end:])


def picture_figure(data: bytes, caption: str) -> str:
    """Return a PNG or JPEG with its caption, inside the page itself."""
    mime = next((mime for start, mime in _MIME if data.startswith(start)), "image/png")
    packed = base64.b64encode(data).decode("ascii")
    text = escape(caption)
    return (
        f'<figure><img alt="{text}" src="data:{mime};base64,{packed}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def chart_figure(svg: str, caption: str) -> str:
    """Return a chart (an ``<svg>`` element of our own making) with its caption."""
    return (
        f'<figure class="chart"><figcaption>{escape(caption)}</figcaption>'
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f"{svg}</div></figure>"
    )
