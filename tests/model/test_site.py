"""The version of a site: the same for the same site, whatever the program learned meanwhile."""

import json
from dataclasses import replace

from calmstreet.model.site import Gate, Site, site_from_json

LINE = ((1.0, 2.0), (3.0, 4.0))


def a_site() -> Site:
    """Return a place with one gate."""
    return Site(id="x", gates=(Gate(id="g", camera_id="c", points_px=LINE),))


def test_a_field_of_gates_that_came_later_leaves_older_sites_as_they_were() -> None:
    """An empty field is not part of the text, so its version is that of before the field."""
    (gate,) = json.loads(a_site().canonical_json())["gates"]
    assert "turn_on_red" not in gate
    again = site_from_json(json.loads(a_site().canonical_json()))
    assert again.site_version == a_site().site_version


def test_a_field_that_is_given_counts() -> None:
    """A turn on red makes another site, and comes back from its text."""
    turned = replace(a_site(), gates=(replace(a_site().gates[0], turn_on_red="right"),))
    assert turned.site_version != a_site().site_version
    (gate,) = site_from_json(json.loads(turned.canonical_json())).gates
    assert gate.turn_on_red == "right"
