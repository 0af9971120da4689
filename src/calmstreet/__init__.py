"""Calmstreet: road safety from street cameras, with nobody identified."""

import os

__all__ = ["__version__"]

__version__ = "0.1.0"

# The runtime of the nets, from 1.29 on, writes an id into the home folder and sends its figures
# out unless this stands in the environment before it is loaded; later names are set as well.
for _name in ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED"):
    os.environ[_name] = "1"
