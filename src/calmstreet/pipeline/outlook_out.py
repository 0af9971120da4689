"""What every verb of the outlook leaves: a table, a picture and a page of one name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from calmstreet.errors import InputError
from calmstreet.pipeline.outlook_tables import write_table
from calmstreet.report.outlook import Finding, write_outlook
from calmstreet.report.svg import standalone
from calmstreet.report.tables import replacing

__all__ = ["told"]

_TABLES = {".csv", ".parquet", ".pq"}


def told(
    summary: dict[str, Any],
    *,
    out: Path,
    columns: Mapping[str, Sequence[Any] | NDArray[Any]],
    finding: Finding,
    lang: str,
) -> dict[str, Any]:
    """Write OUT (the table), OUT's name with .svg (the picture) and .html (the page).

    Returns ``summary`` with the paths under ``files``. Raises InputError when OUT is no table's
    name or cannot be written.
    """
    if out.suffix.lower() not in _TABLES:
        raise InputError(f"--out {out} must end in .csv or .parquet; write it so")
    write_table(out, columns)
    page = out.with_suffix(".html")
    write_outlook(page, finding, lang=lang)
    written = [out, page]
    for number, svg in enumerate(finding.charts.values()):
        picture = out.with_suffix(".svg" if number == 0 else f".{number + 1}.svg")
        with replacing(picture) as draft:
            draft.write_text(standalone(svg), encoding="utf-8")
        written.append(picture)
    return {**summary, "files": [str(path) for path in written]}
