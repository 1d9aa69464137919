"""The base of everything that the site answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """Unknown fields are passed over, missing ones are an error. Validators are built at first use."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True, protected_namespaces=())
