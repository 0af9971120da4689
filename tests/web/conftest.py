from collections.abc import Iterator
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from tests.web.desks import a_node
from tests.web.tiles import a_tiles_file

from calmstreet.web import passwords
from calmstreet.web.node import Node


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """Digests of tests cost little; what they cost outside is tested where it matters."""
    slow = passwords._HASHER
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    yield
    passwords._HASHER = slow


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    place = tmp_path_factory.mktemp("node")
    made = a_node(place)
    tiles = a_tiles_file(place / "city.pmtiles")
    return replace(made, folders=replace(made.folders, tiles=tiles))
