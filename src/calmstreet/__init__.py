"""Calmstreet: road safety from street cameras, with nobody identified."""

__all__ = ["__version__"]

__version__ = "0.1.0"
