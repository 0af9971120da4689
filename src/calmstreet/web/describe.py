"""Prints the description of the API, as the pages' typed client wants it.

``python -m calmstreet.web.describe > frontend/openapi.json`` after a change of the routes.
"""

import json
import sys

from calmstreet.web.app import openapi_of

__all__ = ["description"]


def description() -> str:
    """Return the OpenAPI of the desk as text that changes only when it does.

    >>> description()[0]
    '{'
    """
    return json.dumps(openapi_of(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(description())
