"""``python -m build_web``: build the pages unless those of these sources are there.

``python -m build_web check`` checks their types and runs their unit tests.
"""

import sys
from pathlib import Path

from build_web.make import WebAbsent, check_web, make_web, web_is_made

ROOT = Path(__file__).resolve().parents[1]

try:
    if sys.argv[1:] == ["check"]:
        check_web(ROOT)
    elif not web_is_made(ROOT):
        make_web(ROOT)
except WebAbsent as reason:
    sys.exit(f"the pages of the desk: {reason}")
