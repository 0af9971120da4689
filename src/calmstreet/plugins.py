"""Extensions: detectors and rules that other packages bring along as entry points."""

from importlib.metadata import EntryPoint, entry_points

from calmstreet.errors import InputError

__all__ = ["DETECTORS", "RULES", "find_plugin"]

DETECTORS = "calmstreet.detectors"
RULES = "calmstreet.rules"


def find_plugin(group: str, name: str) -> EntryPoint:
    """Return the entry point called ``name``; raise InputError with the names there are."""
    found = {entry.name: entry for entry in entry_points(group=group)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none is installed"
        raise InputError(f"no plug-in {name!r} in {group}; there are: {known}")
    return found[name]
