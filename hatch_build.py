"""What the build adds: where the project lives, known only where the environment names it, and the data.

A hosted workflow sets ``GITHUB_REPOSITORY`` (owner/name) and ``GITHUB_SERVER_URL``, as the book's pages read
them in ``_ext/repository_links.py``. A package built anywhere else names no address.

A wheel carries the data as they are, but for JSON, which it carries without white space.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


def urls(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of the repository that an environment names; none without one."""
    repository = environment.get("GITHUB_REPOSITORY", "")
    if not repository:
        return {}
    address = f"{environment.get('GITHUB_SERVER_URL') or 'https://github.com'}/{repository}"
    return {"Repository": address, "Issues": f"{address}/issues"}


class Urls(MetadataHookInterface):
    """Fill in ``project.urls``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the addresses to the metadata."""
        metadata["urls"] = urls(os.environ)


def compact(source: Path, target: Path) -> None:
    """Write a copy of a file, without white space if it is JSON."""
    text = source.read_text(encoding="utf-8")
    if source.suffix == ".json":
        text = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8", newline="")


class Data(BuildHookInterface[Any]):
    """Put the data into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name a compact copy of ``data/``; an editable install reads the checkout's."""
        if self.target_name != "wheel" or version != "standard":
            return
        self.folder = tempfile.TemporaryDirectory()
        data = Path(self.root) / "data"
        for path in sorted(data.rglob("*")):
            if path.is_file():
                target = Path(self.folder.name) / path.relative_to(data)
                compact(path, target)
                build_data["force_include"][str(target)] = f"cohort/data/{path.relative_to(data).as_posix()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the copy."""
        if hasattr(self, "folder"):
            self.folder.cleanup()
