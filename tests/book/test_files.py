"""The built book, read as files: no browser needed."""

import json
import re
from urllib.parse import urlsplit

import pytest
from browser import SITE
from files import REDIRECT, is_external, markup, own_files, pages, target

EXPECTED = {
    "intro.html",
    "notebooks/the_cohort.html",
    "notebooks/chinchilla_fit.html",
    "notebooks/data_optimal.html",
    "notebooks/attention_memory.html",
    "notebooks/serving_roofline.html",
    "notebooks/expert_tradeoffs.html",
    "notebooks/training_footprint.html",
    "notebooks/serving_footprint.html",
    "rerun.html",
    "tables.html",
    "corrections.html",
    "claims.html",
    "adding_a_model.html",
    "glossary.html",
    "data_dictionary.html",
    "api.html",
    "api/architecture.html",
    "api/experts.html",
    "api/scaling.html",
    "api/fitting.html",
    "api/serving.html",
    "api/footprint.html",
    "api/registry.html",
    "api/display.html",
    "api/runner.html",
    "api/chapters.html",
    "api/chapters/front_page.html",
    "api/chapters/the_cohort.html",
    "api/chapters/chinchilla_fit.html",
    "api/chapters/data_optimal.html",
    "api/chapters/attention_memory.html",
    "api/chapters/serving_roofline.html",
    "api/chapters/expert_tradeoffs.html",
    "api/chapters/training_footprint.html",
    "api/chapters/serving_footprint.html",
    "bibliography.html",
    "genindex.html",
    "search.html",
}
LIMIT = 600_000
ROOT = SITE.parents[1]
LINK = re.compile(r"\]\(([^)#]+)")


def test_the_book_is_built_and_whole() -> None:
    assert set(pages()) >= EXPECTED, "build the book first: make book"


@pytest.mark.parametrize("page", pages())
def test_internal_links_and_anchors_resolve(page: str) -> None:
    broken = []
    for address in markup(page).links:
        if is_external(address):
            continue
        file, anchor = target(page, address)
        if not file.is_file():
            broken.append(f"{address}: no such file")
        elif anchor and file.suffix == ".html":
            other = str(file.relative_to(SITE.resolve()))
            if anchor not in markup(other).anchors:
                broken.append(f"{address}: no such anchor")
    assert markup(page).links
    assert not broken


@pytest.mark.parametrize("page", pages())
def test_pages_load_only_what_the_book_serves(page: str) -> None:
    assets = markup(page).assets
    assert assets
    assert [address for address in assets if is_external(address)] == []
    assert [address for address in assets if not target(page, address)[0].is_file()] == []


@pytest.mark.parametrize("page", pages())
def test_own_weight(page: str) -> None:
    # Of a figure in the light and in the dark, a reader loads one.
    files = [file for file in own_files(page) if not file.name.endswith("-dark.svg")]
    sizes = {file.name: file.stat().st_size for file in files}
    assert sum(sizes.values()) < LIMIT, sizes


def test_first_page_is_the_introduction() -> None:
    text = (SITE / REDIRECT).read_text(encoding="utf-8")
    assert "url=intro.html" in text


def test_external_links_are_encrypted() -> None:
    addresses = {address for page in pages() for address in markup(page).links if is_external(address)}
    assert addresses
    assert {urlsplit(address).scheme for address in addresses} <= {"https", "mailto"}


def test_data_dictionary_names_every_column() -> None:
    package = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    text = (SITE / "data_dictionary.html").read_text(encoding="utf-8")
    columns = [
        one["name"] for table in package["resources"] for one in table.get("schema", {}).get("fields", [])
    ]
    assert columns
    assert [name for name in columns if f'<span class="pre">{name}</span>' not in text] == []


def test_mathjax_is_served_and_pruned() -> None:
    folder = SITE / "_static" / "mathjax"
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    assert (folder / "startup.js").is_file()
    assert size < 2_000_000


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_between_the_project_s_own_files_resolve(name: str) -> None:
    addresses = LINK.findall((ROOT / name).read_text(encoding="utf-8"))
    assert [one for one in addresses if not is_external(one) and not (ROOT / one).exists()] == []


def test_the_picture_in_the_readme_is_small() -> None:
    (address,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert (ROOT / address).stat().st_size < 200_000
