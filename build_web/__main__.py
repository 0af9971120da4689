"""``python -m build_web``: build the pages unless those of these sources are there."""

import sys
from pathlib import Path

from build_web.make import WebAbsent, make_web, web_is_made

ROOT = Path(__file__).resolve().parents[1]

if not web_is_made(ROOT):
    try:
        make_web(ROOT)
    except WebAbsent as reason:
        sys.exit(f"the pages of the desk cannot be built: {reason}")
