"""A node to be thrown at: ``python -m tests.fuzz.node DIR`` serves it on a free port of loopback.

Writes DIR/address, DIR/cookie and DIR/schemathesis.toml with ids of things that are there, so
that requests come past the first check; then serves until it is ended.
"""

import sys
import tempfile
from pathlib import Path

from tests.web.desks import (
    MONDAY_NS,
    SITE,
    Person,
    a_node,
    add_person,
    an_upload,
    signed_in,
    the_result,
)
from tests.web.tiles import a_tiles_file

from calmstreet.store.queue import EventFilter, Queue
from calmstreet.store.seen import Seen
from calmstreet.web.node import Node, node_of
from calmstreet.web.routes_tiles import tiles_address
from calmstreet.web.serving import serve

SETTINGS = """[node]
tiles_file = "city.pmtiles"
[limits]
requests_per_minute = 100000
wrong_passwords_per_minute = 100
"""


def known_ids(node: Node) -> dict[str, str]:
    """Return a value for each name of a parameter that names a thing."""
    result = the_result(node)
    with Seen.open(result.folder, cameras=None) as seen:
        event = Queue(seen=seen).page(EventFilter(camera_id="north"), limit=1)[0].event
    with node.desk() as desk:
        draft_id = desk.drafts.propose(
            result.result_id,
            site_version="0" * 64,
            based_on="",
            file_text=SITE,
            note="",
            asked_by="somebody",
            now_ns=MONDAY_NS,
        )
        job_id = desk.jobs.ask("analyse", args={}, asked_by="somebody", now_ns=MONDAY_NS)
    return {
        "result_id": result.result_id,
        "before_result": result.result_id,
        "after_result": result.result_id,
        "camera_id": "north",
        "event_id": event.event_id,
        "medium_id": "p1",
        "upload_id": an_upload(node, "somebody"),
        "draft_id": str(draft_id),
        "job_id": str(job_id),
        "tiles_id": tiles_address(node).rpartition("/")[2],
    }


def main(folder: Path) -> None:
    """Make the node and serve it."""
    a_node(folder)
    a_tiles_file(folder / "city.pmtiles")
    config = folder / "calmstreet.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    node = node_of(config)
    rows = [f'"{name}" = "{value}"' for name, value in known_ids(node).items()]
    (folder / "schemathesis.toml").write_text("\n".join(["[parameters]", *rows]) + "\n")
    boss = Person(role="administrator")
    add_person(node, boss)
    (folder / "cookie").write_text(signed_in(node, None, boss).cookie)

    def ready(address: str) -> None:
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as draft:
            draft.write(address)
        Path(draft.name).rename(folder / "address")

    serve(node, host="127.0.0.1", port=0, ready=ready)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
