"""A file may be called anything: in a browser, no name runs a script or becomes a picture or a link."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from meter_logs import ramp, smi
from playwright.sync_api import Page
from visits import LIGHT, Visitor

import cohort
from cohort.architecture.registered import title
from cohort.chapters.chinchilla_fit import checks
from cohort.fitting import chinchilla_runs
from cohort.footprint import from_log
from cohort.registry.facts import config_path, data_folder
from cohort.reports.fits import fit_report, report_page
from cohort.reports.footprints import html_text
from cohort.reports.report_rows import About, disclosures

NAMES = (
    '<img src=x onerror="hit=1">',
    "<script>hit=1<",
    "[x](javascript:hit=1)",
    '"><svg onload="hit=1">',
)
HIT = "window.hit === 1"
WHAT_RUNS = "document.querySelectorAll('img[src=x], a[href^=javascript], svg[onload], script').length"


def own_model(name: str, folder: Path) -> str:
    shutil.copy(config_path("llama-3-8b"), folder / f"{name}.json")
    return MarkdownIt().render(f"**{title(cohort.model(folder / f'{name}.json'))}** is a model.")


def own_runs(name: str, folder: Path) -> str:
    path = folder / f"{name}.csv"
    shutil.copy(Path(data_folder()) / "chinchilla_runs.csv", path)
    said = checks.whose_runs(str(path), chinchilla_runs.runs(5, str(path)))
    return report_page(fit_report(str(path), resamples=10)) + MarkdownIt().render(said)


def own_log(name: str, folder: Path) -> str:
    run = from_log(smi(folder / f"{name}.csv", ramp(), name=name), grid="SE")
    return html_text(run, disclosures(run, About(model=name, unit=name, units=2)))


@pytest.fixture
def page(visitor: Visitor):
    with visitor.tab(LIGHT, "names") as found:
        yield found


@pytest.mark.parametrize("shown", [own_model, own_runs, own_log])
def test_no_name_of_a_file_is_markup(page: Page, tmp_path: Path, shown) -> None:
    page.set_content(MarkdownIt().render(NAMES[0]))
    page.wait_for_function(HIT)  # so a name that is not made plain is seen
    for name in NAMES:
        html = shown(name.replace("/", "-"), tmp_path)
        assert html.strip()
        page.evaluate("window.hit = 0")
        page.set_content(html, wait_until="load")
        page.wait_for_timeout(50)
        assert not page.evaluate(HIT), name
        assert page.evaluate(WHAT_RUNS) == 0, name
