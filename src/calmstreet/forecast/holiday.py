"""Public holidays by ISO country code, through the library ``holidays`` (an extra)."""

from datetime import date

from calmstreet.errors import InputError

__all__ = ["public_holidays"]

_EPOCH = date(1970, 1, 1).toordinal()


def public_holidays(country: str, *, first_day: int, last_day: int) -> frozenset[int]:
    """Return the public holidays of a country as days since 1970, both ends included.

    ``country`` is an ISO 3166 code such as KZ, UZ or US, with a subdivision after a hyphen
    (US-MN). Raises InputError for an unknown code or when the library is not installed.
    """
    try:
        import holidays
    except ImportError as error:
        raise InputError(
            "--holidays needs a library; install it with: pip install 'calmstreet[forecast]'"
        ) from error
    code, _, part = country.upper().partition("-")
    years = range(
        date.fromordinal(first_day + _EPOCH).year, date.fromordinal(last_day + _EPOCH).year + 1
    )
    try:
        found = holidays.country_holidays(code, subdiv=part or None, years=years)
    except (NotImplementedError, KeyError, AttributeError) as error:
        raise InputError(
            f"--holidays {country!r} is not known; write an ISO code such as KZ, UZ or US-MN"
        ) from error
    days = (day.toordinal() - _EPOCH for day in found)
    return frozenset(day for day in days if first_day <= day <= last_day)
