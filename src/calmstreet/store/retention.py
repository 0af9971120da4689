"""What goes and when: by age for each purpose, by the disk's budget, locked evidence never."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calmstreet.errors import StoreError
from calmstreet.store import garbage
from calmstreet.store.catalogue import Catalogue
from calmstreet.store.proof import prove_live
from calmstreet.units import ns_from_s

__all__ = ["Freed", "apply_retention", "fit_budget", "stored_bytes", "trusted_now_ns"]

_JUMP_NS = ns_from_s(2 * 86_400.0)
_DOUBT_NS = ns_from_s(3600.0)
_TRUSTED, _DOUBTED = "upkeep_ns", "upkeep_doubt_ns"
_POINT_TABLES = ("point_files", "smoothed_files", "step_files")


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What went: files, their bytes; ``short_bytes`` that the budget still lacks."""

    files: int
    size_bytes: int
    short_bytes: int = 0


def trusted_now_ns(catalogue: Catalogue, now_ns: int) -> int:
    """Return the time by which old things may go, never later than the clock says.

    A clock that jumped by more than two days since the last time, forwards or backwards, is
    believed only when it still says so an hour later: until then the last time stands.
    """
    last, doubted = (int(catalogue.fact(key) or -1) for key in (_TRUSTED, _DOUBTED))
    passed_ns = now_ns - doubted
    believed = last < 0 or abs(now_ns - last) <= _JUMP_NS
    lasting = doubted >= 0 and _DOUBT_NS <= passed_ns <= _JUMP_NS
    if believed or lasting:
        catalogue.set_fact(_TRUSTED, str(now_ns))
        catalogue.set_fact(_DOUBTED, "-1")
        return now_ns
    if doubted < 0 or not 0 <= passed_ns <= _JUMP_NS:
        catalogue.set_fact(_DOUBTED, str(now_ns))
    return min(last, now_ns)


def apply_retention(catalogue: Catalogue, *, keep_s: Mapping[str, float], now_ns: int) -> Freed:
    """Remove what is older than its purpose allows; return what went.

    ``keep_s`` maps a purpose of video (model.kept.PURPOSES) to seconds; "pictures" are stills, of
    which the newest of each kind stays; "points" the rows of runs, whose counts stay. What is not
    named stays. A segment that names its own end goes then. Raises StoreError, removing nothing,
    where the folder is not proved.
    """
    prove_live(catalogue)
    now_ns = trusted_now_ns(catalogue, now_ns)
    gone: list[tuple[str, str, int]] = []
    for purpose, kept_s in keep_s.items():
        before_ns = now_ns - ns_from_s(kept_s)
        if purpose == "pictures":
            gone += _old_pictures(catalogue, before_ns)
        elif purpose == "points":
            gone += _old_points(catalogue, before_ns)
        else:
            gone += _old_segments(catalogue, purpose, before_ns, now_ns)
    return _remove(catalogue, gone)


def _old_segments(
    catalogue: Catalogue, purpose: str, before_ns: int, now_ns: int
) -> list[tuple[str, str, int]]:
    return _found(
        catalogue,
        "SELECT 'segments', path, size_bytes FROM segments WHERE purpose = ? AND locked = 0"
        " AND CASE WHEN expires_ns IS NULL THEN end_ns <= ? ELSE expires_ns <= ? END",
        (purpose, before_ns, now_ns),
    )


def _old_pictures(catalogue: Catalogue, before_ns: int) -> list[tuple[str, str, int]]:
    return _found(
        catalogue,
        "SELECT 'pictures', path, size_bytes FROM pictures AS p JOIN runs USING (run_id)"
        " WHERE runs.end_ns <= ? AND EXISTS (SELECT 1 FROM pictures AS q JOIN runs AS r"
        " USING (run_id) WHERE q.what = p.what AND r.end_ns > runs.end_ns)",
        (before_ns,),
    )


def _old_points(catalogue: Catalogue, before_ns: int) -> list[tuple[str, str, int]]:
    found = []
    for table in _POINT_TABLES:
        found += _found(
            catalogue,
            f"SELECT '{table}', path, size_bytes FROM {table} AS f JOIN runs USING (run_id)"
            " WHERE live = 1 AND runs.end_ns <= ?",
            (before_ns,),
        )
    return found


def _found(catalogue: Catalogue, sql: str, values: Sequence[object]) -> list[tuple[str, str, int]]:
    with catalogue.database.guarded() as connection:
        return [(str(t), str(p), int(n)) for t, p, n in connection.execute(sql, values)]


def _remove(catalogue: Catalogue, gone: Sequence[tuple[str, str, int]]) -> Freed:
    if gone:
        with catalogue.database.writing() as connection:
            garbage.doom(connection, [path for _, path, _ in gone])
            for table, path, _ in gone:
                connection.execute(f"DELETE FROM {table} WHERE path = ?", (path,))
    garbage.sweep(catalogue.database, catalogue.folder)
    return Freed(files=len(gone), size_bytes=sum(size for _, _, size in gone))


def stored_bytes(catalogue: Catalogue) -> int:
    """Return the bytes of all files that have a row, and of the catalogue itself."""
    with catalogue.database.guarded() as connection:
        sizes = [
            int(connection.execute(f"SELECT coalesce(sum(size_bytes), 0) FROM {t}").fetchone()[0])
            for t in garbage.FILE_TABLES
        ]
        pages, page_bytes = (
            int(connection.execute(f"PRAGMA {word}").fetchone()[0])
            for word in ("page_count", "page_size")
        )
    return sum(sizes) + pages * page_bytes


def fit_budget(catalogues: Sequence[Catalogue], *, budget_bytes: int) -> Freed:
    """Remove the oldest unlocked video of all cameras until everything fits ``budget_bytes``.

    Locked evidence, points and counts are never removed; where they alone are too much,
    ``short_bytes`` says by how much. A folder that is not proved is left alone.
    """
    proved = [catalogue for catalogue in catalogues if _is_proved(catalogue)]
    excess = sum(map(stored_bytes, proved)) - budget_bytes
    oldest = sorted(
        (end_ns, i, path, size_bytes)
        for i, catalogue in enumerate(proved)
        for end_ns, path, size_bytes in _unlocked(catalogue)
    )
    doomed: dict[int, list[tuple[str, str, int]]] = {}
    for _, i, path, size_bytes in oldest:
        if excess <= 0:
            break
        doomed.setdefault(i, []).append(("segments", path, size_bytes))
        excess -= size_bytes
    freed = [_remove(proved[i], gone) for i, gone in doomed.items()]
    return Freed(
        files=sum(f.files for f in freed),
        size_bytes=sum(f.size_bytes for f in freed),
        short_bytes=max(excess, 0),
    )


def _unlocked(catalogue: Catalogue) -> list[tuple[int, str, int]]:
    with catalogue.database.guarded() as connection:
        rows = connection.execute("SELECT end_ns, path, size_bytes FROM segments WHERE locked = 0")
        return [(int(end_ns), str(path), int(size)) for end_ns, path, size in rows]


def _is_proved(catalogue: Catalogue) -> bool:
    try:
        prove_live(catalogue)
    except StoreError:
        return False
    return True
