"""Show repository, edit and launch buttons only where the environment names the repository.

A hosted workflow sets ``GITHUB_REPOSITORY`` (owner/name) and ``GITHUB_SERVER_URL``. Anywhere else the book
cannot know its address, so it shows none.
"""

import os
from collections.abc import Mapping
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from wide_tables import SENTENCES

BINDER = "https://mybinder.org"
COLAB = "https://colab.research.google.com"


def theme_options(environment: Mapping[str, str]) -> dict[str, Any]:
    """Theme options for the repository that an environment names.

    Parameters
    ----------
    environment : mapping of str to str
        Environment variables.

    Returns
    -------
    dict
        Options of the book theme; empty without ``GITHUB_REPOSITORY``.
    """
    repository = environment.get("GITHUB_REPOSITORY", "")
    if not repository:
        return {}
    server = environment.get("GITHUB_SERVER_URL") or "https://github.com"
    return {
        "repository_url": f"{server}/{repository}",
        "repository_branch": environment.get("BOOK_BRANCH") or "main",
        "use_repository_button": True,
        "use_issues_button": True,
        "use_edit_page_button": True,
        "launch_buttons": {"binderhub_url": BINDER, "colab_url": COLAB, "notebook_interface": "jupyterlab"},
    }


def online(environment: Mapping[str, str]) -> str:
    """Say how a chapter runs in a browser, without an installation.

    Parameters
    ----------
    environment : mapping of str to str
        Environment variables.

    Returns
    -------
    str
        Markdown.
    """
    address = theme_options(environment).get("repository_url")
    if not address:
        return "Published with its repository, the book offers each chapter in Binder and in Colab as well."
    return (
        "The rocket above a chapter opens it in Binder, where all is installed, or in Colab, "
        f"where this cell has to run first: `%pip install 'cohort-of-models[notebooks] @ git+{address}'`."
    )


def add_repository(app: Sphinx, config: Config) -> None:
    """Add the options to those of ``_config.yml``."""
    config.html_theme_options = {**config.html_theme_options, **theme_options(os.environ)}


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the options, before the theme reads them."""
    SENTENCES["online"] = lambda folder: online(os.environ)
    app.connect("config-inited", add_repository)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
