"""Fetches a model's weights: `python3 fetch.py ORG/NAME REVISION` in a container with network and without a GPU.

As a program it needs huggingface_hub of the image and nothing else of gpuagent. `verify` runs on the host afterwards:
what came is data, not code, or it is not used.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

MODELS = "/models"
#: in the folder of a model that was looked at
WHOLE = "verified.json"
WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "tokenizer*")
#: endings of what is data; pickles and modules are code
DATA = {".json", ".safetensors", ".txt", ".model", ".jinja", ".md", ""}
MAX_JSON = 64 << 20


class NotSafe(Exception):
    """The model is not used; the text says why."""


def main(argv: list[str]) -> int:
    from huggingface_hub import HfApi, snapshot_download  # type: ignore[attr-defined,unused-ignore]  # its lazy exports

    model, wanted = argv
    revision = str(HfApi().model_info(model, revision=wanted).sha)
    snapshot_download(model, revision=revision, cache_dir=MODELS, allow_patterns=list(WANTED))
    # Without a network, a name without a revision is looked up there.
    refs = Path(MODELS) / f"models--{model.replace('/', '--')}" / "refs"
    refs.mkdir(parents=True, exist_ok=True)
    (refs / "main").write_text(revision)
    return 0


def verify(folder: Path) -> None:
    """Raises NotSafe. Notes the hashes of all files, by which a later reader can tell what was run."""
    hashes = {}
    for path in sorted(folder.glob("models--*/snapshots/*/**/*")):
        if path.is_dir():
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            raise NotSafe(f"The model's {path.name} lies outside its folder.")
        if path.suffix not in DATA:
            raise NotSafe(f"The model has {path.name}, which is code or could be.")
        if path.suffix == ".json" and _names_code(path):
            raise NotSafe(f"The model needs code of its own: {path.name} has an auto_map.")
        with path.open("rb") as file:
            hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    if not any(name.endswith(".safetensors") for name in hashes):
        raise NotSafe("The model has no weights as safetensors.")
    (folder / WHOLE).write_text(json.dumps(hashes))


def _names_code(path: Path) -> bool:
    if path.stat().st_size > MAX_JSON:
        raise NotSafe(f"The model's {path.name} is too large.")
    try:
        waiting = [json.loads(path.read_bytes())]
    except (ValueError, RecursionError):
        raise NotSafe(f"The model's {path.name} is no JSON.") from None
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "auto_map" in part:
                return True
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
