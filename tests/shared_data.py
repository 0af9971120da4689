"""Where the real clips and tables lie, which are not part of the repository."""

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"


def _path_of(name: str) -> Path:
    return Path(os.environ.get("CALMSTREET_SHARED", _DEFAULT)) / name


def has_shared_data(name: str) -> bool:
    """Return whether a file of the outside data is here."""
    return _path_of(name).exists()


def shared_data(name: str) -> Path:
    """Return a file of the outside data; skip the test with a reason when it is absent."""
    path = _path_of(name)
    if not path.exists():
        pytest.skip(f"outside data {name} is not here (set CALMSTREET_SHARED to its folder)")
    return path
