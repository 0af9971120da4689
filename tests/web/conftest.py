from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from tests.web.desks import a_node

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
    return a_node(tmp_path_factory.mktemp("node"))
