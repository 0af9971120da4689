"""For all tests: how long an example takes says nothing on a machine that is shared."""

import os

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile("same" if os.environ.get("CALMSTREET_SAME_EXAMPLES") else "unhurried")
