"""The tables ``[rules.NAME]``, made from the settings of the rules: no bound is written twice."""

from collections.abc import Mapping
from dataclasses import Field as DataField
from dataclasses import fields
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from calmstreet.safety.conflict_rules import ConflictSettings
from calmstreet.safety.rule_settings import SETTINGS, SignalsSettings

__all__ = ["rule_tables"]

_CONFIG = ConfigDict(extra="forbid", frozen=True)


def rule_tables() -> Mapping[str, type[BaseModel]]:
    """Return the checked table of each rule by its name.

    >>> rule_tables()["red-light"].model_validate({"delay_s": 0.5}).delay_s
    0.5
    """
    every: dict[str, Any] = {
        **SETTINGS,
        "signals": SignalsSettings,
        "conflicts": ConflictSettings,
    }
    return {name: _table(name, settings) for name, settings in every.items()}


def _table(name: str, settings: Any) -> type[BaseModel]:
    columns: dict[str, Any] = {field.name: _column(field) for field in fields(settings)}
    title = "".join(part.capitalize() for part in name.split("-")) + "Table"
    made: type[BaseModel] = create_model(
        title, __config__=_CONFIG, __doc__=settings.__doc__, **columns
    )
    return made


def _column(field: "DataField[Any]") -> Any:
    known = field.metadata
    if field.type is bool or field.type == "bool":
        return Annotated[bool | None, Field(strict=True, description=known["meaning"])], None
    number = Annotated[
        float, Field(strict=True, allow_inf_nan=False, ge=known["low"], le=known["high"])
    ]
    about = f"{known['meaning']}; {field.default:g} unless given"
    return Annotated[number | None, Field(description=about)], None
