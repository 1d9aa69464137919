"""What this host's operator allows, in policy.toml. It only ever takes away from what the site asks for."""

from __future__ import annotations

import fnmatch
import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gpuagent.host.schema import Offer

SYSTEM_POLICY = Path("/etc/gpuagent/policy.toml")
POLICY_VARIABLE = "LEM_AGENT_POLICY"


class BadPolicy(Exception):
    """The file cannot be used; the text says why. The agent does not run with half a policy."""


Image = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._/:-]{0,200}@sha256:[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RacePolicy(_Strict):
    """The inference server on this host that lanes of a race may ask."""

    base_url: str = ""
    models: tuple[str, ...] = ()
    #: a file with the key of that server
    key_file: str = ""


class Policy(_Strict):
    #: run jobs as processes of this host, without a container
    allow_process: bool = False
    #: the image in which an engine runs, by digest: {"transformers": "name@sha256:…"}; no other ever does
    images: dict[str, Image] = {}
    #: patterns of models, such as "Qwen/*"; all of them without a word
    models: tuple[str, ...] = ("*",)
    #: gated models for which this host's Hugging Face token may be used
    gated_models: tuple[str, ...] = ()
    #: folder with models that were fetched
    models_folder: str = "/var/lib/gpuagent/models"
    labels: tuple[str, ...] = ()
    max_wall_s: float = Field(default=24 * 3600, gt=0)
    max_memory_mib: int = Field(default=1 << 20, gt=0)
    #: below so much free disk no job is taken
    min_free_mib: int = Field(default=20 * 1024, ge=0)
    #: a GPU with more memory in use or warmer than that is not idle
    max_idle_mib: int = Field(default=500, ge=0)
    max_idle_temp_c: int = 60
    #: seconds between the first request to stop, the second and the end by force
    interrupt_s: float = Field(default=30, ge=0, le=600)
    terminate_s: float = Field(default=10, ge=0, le=600)
    container_tool: Literal["docker", "podman"] = "docker"
    race: RacePolicy = RacePolicy()

    def problem_with(self, offer: Offer, *, simulate: bool, gpu_count: int) -> str:
        """Why this host does not run it, or nothing."""
        if offer.limits.wall_s > self.max_wall_s:
            return f"It may take {offer.limits.wall_s:.0f} s; this host allows {self.max_wall_s:.0f} s."
        if offer.model and not any(fnmatch.fnmatchcase(offer.model.id, pattern) for pattern in self.models):
            return f"This host does not run {offer.model.id}."
        if simulate != (offer.simulated or offer.executor == "simulate"):
            return "Simulated hosts run simulated jobs, and real ones real jobs."
        check = {"container": self._container_problem, "process": self._process_problem, "race": self._race_problem}
        return check[offer.executor](offer, simulate, gpu_count) if offer.executor in check else ""

    def _container_problem(self, offer: Offer, simulate: bool, gpu_count: int) -> str:
        if offer.engine not in self.images:
            return f"This host has no image for {offer.engine or 'an engine that is not named'}."
        if offer.image not in {None, self.images[offer.engine]}:
            return "The image is not the one that this host's operator chose."
        if offer.model and offer.model.gated and offer.model.id not in self.gated_models:
            return f"{offer.model.id} is gated and this host does not fetch it."
        if offer.limits.memory_mib > self.max_memory_mib:
            return f"It may use {offer.limits.memory_mib} MiB; this host allows {self.max_memory_mib} MiB."
        return ""

    def _process_problem(self, offer: Offer, simulate: bool, gpu_count: int) -> str:
        if not self.allow_process:
            return "This host runs jobs in containers only."
        if gpu_count != 1:
            # llem measures the first GPU, whichever one the job uses.
            return "Without a container, energy would be measured on the wrong GPU of a host with several."
        return ""

    def _race_problem(self, offer: Offer, simulate: bool, gpu_count: int) -> str:
        return "" if simulate or self.race.base_url else "This host has no inference server to race with."


def policy_path(home: Path) -> Path:
    if given := os.environ.get(POLICY_VARIABLE):
        return Path(given)
    own = home / "policy.toml"
    return own if own.exists() else SYSTEM_POLICY


def read_policy(home: Path) -> Policy:
    """The strictest defaults where there is no file. Raises BadPolicy."""
    path = policy_path(home)
    try:
        return Policy.model_validate(tomllib.loads(path.read_text()))
    except FileNotFoundError:
        return Policy()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadPolicy(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise BadPolicy(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
