"""The errors of Calmstreet, one tree.

::

    CalmstreetError            one clear sentence, shown to the user; exit code 2
    |-- InputError             something handed in cannot be used (path, option, file)
    |   |-- ConfigError        SITE.toml or calmstreet.toml: every fault at once
    |   |-- CalibrationError the points of a plane contradict each other or say too little
    |   |-- VideoError         a video that cannot be opened or holds no picture
    |   `-- FormatError        a foreign file that does not read as its format
    |-- StoreError             the result folder is damaged, locked or of another version
    |-- ModelError             a net that is missing, damaged or of an unknown shape
    `-- PrivacyError           a picture could not be blurred: it is dropped, never shown

Foreign exceptions are translated where the foreign library is called.
"""

__all__ = [
    "CalibrationError",
    "CalmstreetError",
    "ConfigError",
    "FormatError",
    "InputError",
    "ModelError",
    "PrivacyError",
    "StoreError",
    "VideoError",
]


class CalmstreetError(Exception):
    """A fault that is told to the user in one sentence with its cure."""


class InputError(CalmstreetError):
    """Something handed in by the user cannot be used."""


class ConfigError(InputError):
    """A settings file is wrong; ``faults`` holds every sentence."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class CalibrationError(InputError):
    """The points of a plane contradict each other; ``counts_only`` where they say too little."""

    def __init__(self, sentence: str, *, counts_only: bool = False) -> None:
        super().__init__(sentence)
        self.counts_only = counts_only


class VideoError(InputError):
    """A video cannot be opened or holds no picture."""


class FormatError(InputError):
    """A foreign file does not read as the format it claims."""


class StoreError(CalmstreetError):
    """The result folder is damaged, locked or of another version."""


class ModelError(CalmstreetError):
    """A net is missing, damaged or of an unknown shape."""


class PrivacyError(CalmstreetError):
    """A picture could not be blurred and was dropped."""
