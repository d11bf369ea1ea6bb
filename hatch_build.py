"""Where the project lives, for the metadata of the package: known only where the environment names it.

A hosted workflow sets ``GITHUB_REPOSITORY`` (owner/name) and ``GITHUB_SERVER_URL``, as the book's pages read
them in ``_ext/repository_links.py``. A package built anywhere else names no address.
"""

import os
from collections.abc import Mapping
from typing import Any

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
