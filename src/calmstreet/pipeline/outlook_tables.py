"""Plain tables in and out, CSV or Parquet: read as words, turned into numbers with clear faults."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calmstreet.errors import FormatError, InputError
from calmstreet.forecast.refused import refuse_columns
from calmstreet.report.tables import replacing
from calmstreet.store.duck import connect, quoted

__all__ = ["Table", "cell", "read_table", "write_table"]

Floats = NDArray[np.float64]
_NOTHING = {"", "na", "nan", "null", "none"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A table of words: ``columns`` by name, None where nothing stands."""

    source: str
    columns: Mapping[str, list[str | None]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def has(self, *names: str) -> bool:
        """Say whether all these columns are there."""
        return all(name in self.columns for name in names)

    def need(self, *names: str) -> None:
        """Raise FormatError for columns that are not there."""
        lacking = [name for name in names if name not in self.columns]
        if lacking:
            raise FormatError(
                f"{self.source} has no column {', '.join(lacking)} (it has "
                f"{', '.join(self.columns)}); see docs/outlook.md for what is read"
            )

    def words(self, name: str, default: str = "") -> list[str]:
        """Return a column as words."""
        self.need(name)
        return [default if v is None else v for v in self.columns[name]]

    def names(self, name: str) -> list[str]:
        """Return a column of names, none of them empty or twice; raise FormatError else."""
        found = self.words(name)
        seen: set[str] = set()
        for row, word in enumerate(found, start=2):
            if not word.strip() or word in seen:
                fault = "stands twice" if word.strip() else "is empty"
                raise FormatError(
                    f"{self.source} line {row}: {name} {word!r} {fault}; give each row its own"
                )
            seen.add(word)
        return found

    def numbers(
        self, name: str, *, low: float = -np.inf, empty: bool = False, default: float | None = None
    ) -> Floats:
        """Return a column as numbers (n,); where empty NaN if allowed; raise FormatError else."""
        if default is not None and name not in self.columns:
            return np.full(len(self), default)
        self.need(name)
        found = np.full(len(self), np.nan)
        for i, word in enumerate(self.columns[name]):
            if word is None or word.strip().lower() in _NOTHING:
                if not empty:
                    raise FormatError(f"{self.source} line {i + 2}: {name} is empty; fill it in")
                continue
            found[i] = self._number(word, name=name, row=i + 2)
            if not found[i] >= low or np.isinf(found[i]):
                raise FormatError(
                    f"{self.source} line {i + 2}: {name} is {word}; it must be finite and "
                    f"{low:g} or more"
                )
        return found

    def _number(self, word: str, *, name: str, row: int) -> float:
        try:
            return float(word)
        except ValueError:
            raise FormatError(
                f"{self.source} line {row}: {name} {word!r} is no number; write it as 12.5"
            ) from None


def read_table(path: Path) -> Table:
    """Return a CSV or Parquet file as words; refuse columns about who people are.

    Raises InputError or FormatError with one sentence.
    """
    if not path.is_file():
        raise InputError(f"{path} is not there or is no file; give a CSV or Parquet table")
    columns = _read_parquet(path) if _is_parquet(path) else _read_csv(path)
    refuse_columns(columns, source=path.name)
    table = Table(source=path.name, columns=columns)
    if not len(table):
        raise FormatError(f"{path.name} holds no rows; give at least one")
    return table


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


def _read_parquet(path: Path) -> dict[str, list[str | None]]:
    with connect(path.parent) as connection:
        found = connection.execute(f"SELECT * FROM read_parquet({quoted(path.resolve())})")
        names = [str(column[0]) for column in found.description or []]
        rows = found.fetchall()
    return {name: [_word(row[i]) for row in rows] for i, name in enumerate(names)}


def _word(value: object) -> str | None:
    if value is None:
        return None
    return repr(value) if isinstance(value, float) else str(value)


def _read_csv(path: Path) -> dict[str, list[str | None]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text)
            names = [name.strip() for name in next(rows, [])]
            if not names or len(set(names)) < len(names):
                raise FormatError(f"{path.name} has no header or a column twice; name each once")
            return _columns(path, names, rows)
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path.name} is no CSV in UTF-8 ({error}); save it as such") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the path") from error


def _columns(
    path: Path, names: list[str], rows: Iterable[list[str]]
) -> dict[str, list[str | None]]:
    found: list[list[str | None]] = [[] for _ in names]
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        if len(row) != len(names):
            raise FormatError(
                f"{path.name} line {number} has {len(row)} cells, the header {len(names)}; "
                "put words with commas in quotes"
            )
        for column, value in zip(found, row, strict=True):
            column.append(value if value.strip() else None)
    return dict(zip(names, found, strict=True))


def cell(value: object) -> str:
    """Return a value as it stands in a CSV: shortest exact number, nothing for unknown.

    >>> cell(0.5), cell(float("nan")), cell("a"), cell(np.float64(3.0))
    ('0.5', '', 'a', '3')
    """
    if isinstance(value, float | np.floating):
        value = float(value)
        if not np.isfinite(value):
            return ""
        whole = abs(value) < 1e15 and value == int(value)
        return str(int(value)) if whole else repr(value)
    return "" if value is None else str(value)


def write_table(path: Path, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
    """Write columns of one length as CSV, or Parquet where the name ends so; whole or not at all.

    Raises InputError when the place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        if _is_parquet(path):
            _write_parquet(draft, columns)
            return
        with draft.open("w", encoding="utf-8", newline="") as text:
            rows = csv.writer(text, lineterminator="\n")
            rows.writerow(columns)
            rows.writerows(
                [cell(value) for value in row] for row in zip(*columns.values(), strict=True)
            )


def _write_parquet(draft: Path, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    arrays = {n: a.astype(object) if a.dtype.kind in "US" else a for n, a in arrays.items()}
    picked = ", ".join(f'"{name}"' for name in arrays)
    with connect(draft.parent) as connection:
        connection.register("arrays", arrays)
        connection.execute(
            f"COPY (SELECT {picked} FROM arrays) TO {quoted(draft.resolve())}"
            " (FORMAT parquet, COMPRESSION zstd)"
        )
