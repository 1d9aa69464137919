"""What results name: models and hardware; and the nightly dumps of all results."""

from __future__ import annotations

from typing import Literal

from gpuagent.client import models
from gpuagent.client.calls import Group, M, call, listing
from gpuagent.client.downloads import download
from gpuagent.client.sinks import Destination, Download
from gpuagent.client.steps import Steps, at, fetch, get, pages


class Models(Group[M]):
    """Language models."""

    @listing(models.Model, "models_list")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> Steps[None]:
        """All that the catalogue knows."""
        return pages(get("/api/models", cursor=cursor), models.PaginatedModelList, limit=limit)

    @call("models_retrieve")
    def get(self, name: str) -> Steps[models.Model]:
        """One by its name, such as "Qwen/Qwen2.5-7B-Instruct"."""
        organisation, _, short = name.partition("/")
        return fetch(get(at("/api/models/{}/{}", organisation, short)), models.Model)


class Hardware(Group[M]):
    """GPUs with their data sheets and prices."""

    @listing(models.Hardware, "hardware_list")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> Steps[None]:
        """All that the catalogue knows."""
        return pages(get("/api/hardware", cursor=cursor), models.PaginatedHardwareList, limit=limit)

    @call("hardware_retrieve")
    def get(self, slug: str) -> Steps[models.Hardware]:
        """One by its slug, such as "h100-sxm"."""
        return fetch(get(at("/api/hardware/{}", slug)), models.Hardware)


class Dumps(Group[M]):
    """All public results in one Parquet file, one a night."""

    @listing(models.Dump, "dumps_list")
    def list(self, *, limit: int | None = None, cursor: str | None = None) -> Steps[None]:
        """The newest first."""
        return pages(get("/api/dumps", cursor=cursor), models.PaginatedDumpList, limit=limit)

    @call()
    def download(
        self, dump: models.Dump, to: Destination, *, kind: Literal["parquet", "card", "schema", "checksum"] = "parquet"
    ) -> Steps[Download]:
        """One of its files. The digest of the Parquet file is compared with what the site told."""
        address: str = getattr(dump, f"{kind}_url")
        return download(get(address), to, sha256=dump.sha256 if kind == "parquet" else "")
