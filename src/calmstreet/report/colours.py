"""Colours of road users, zones and gates: one table for pictures, charts and pages.

The kinds wear the palette of Okabe and Ito (2008), which people with any common colour blindness
can tell apart; nothing is said by colour alone, every mark also carries a word or a shape.
"""

from typing import Final

from calmstreet.model.kinds import Kind

__all__ = [
    "DARK_BGR",
    "FAULT_HEX",
    "GATE_HEX",
    "KIND_HEX",
    "LAMP_HEX",
    "LIGHT_BGR",
    "LIGHT_OF_DAY_HEX",
    "MASK_HEX",
    "PARKED_HEX",
    "TURN_HEX",
    "ZONE_HEX",
    "Bgr",
    "bgr_of",
    "is_light",
]

Bgr = tuple[int, int, int]

KIND_HEX: Final[dict[int, str]] = {
    Kind.UNKNOWN: "#b4b4b4",
    Kind.PEDESTRIAN: "#cc79a7",
    Kind.BICYCLE: "#009e73",
    Kind.MOTORCYCLE: "#e69f00",
    Kind.CAR: "#56b4e9",
    Kind.VAN: "#0072b2",
    Kind.BUS: "#f0e442",
    Kind.TRUCK: "#d55e00",
}
PARKED_HEX: Final = "#787878"
FAULT_HEX: Final = "#e5383b"
GATE_HEX: Final = "#ffd60a"
MASK_HEX: Final = "#202020"
TURN_HEX: Final[dict[str, str]] = {
    "left": "#e69f00",
    "through": "#56b4e9",
    "right": "#009e73",
    "u": "#cc79a7",
    "unknown": "#949ca4",
    "": "#949ca4",
}
ZONE_HEX: Final[dict[str, str]] = {
    "approach": "#56b4e9",
    "lane": "#0072b2",
    "carriageway": "#8ecae6",
    "crossing": "#ffffff",
    "footway": "#cc79a7",
    "no-stopping": "#d55e00",
    "bus-stop": "#f0e442",
    "solid-line": "#e8e8e8",
    "motorway": "#0072b2",
    "roadworks": "#e69f00",
    "junction": "#009e73",
}
LAMP_HEX: Final[dict[str, str]] = {"red": "#e5383b", "amber": "#ffb703", "green": "#2dc653"}
LIGHT_OF_DAY_HEX: Final[dict[str, str]] = {
    "day": "#f6d55c",
    "dusk": "#b5838d",
    "night": "#3d405b",
    "unknown": "#b4b4b4",
}
DARK_BGR: Final[Bgr] = (20, 20, 20)
LIGHT_BGR: Final[Bgr] = (255, 255, 255)


def bgr_of(colour_hex: str) -> Bgr:
    """Return blue, green, red 0..255 of "#rrggbb".

    >>> bgr_of("#0072b2")
    (178, 114, 0)
    """
    red, green, blue = (int(colour_hex[i : i + 2], 16) for i in (1, 3, 5))
    return blue, green, red


def is_light(colour: Bgr) -> bool:
    """Say whether dark text reads better on this colour (ITU-R BT.601 luma).

    >>> is_light((255, 255, 255)), is_light((60, 20, 20))
    (True, False)
    """
    blue, green, red = colour
    return 0.114 * blue + 0.587 * green + 0.299 * red > 125
