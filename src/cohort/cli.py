"""The command line: what runs, varies and checks notebooks, and what tells of models, machines and laws."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import click

import cohort
from cohort import __version__
from cohort.errors import CohortError, extras

# What the commands do is imported inside them, so that help answers at once.


class _Commands(click.Group):
    """A group of commands whose domain errors are one line on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with extras():
                return super().invoke(ctx)
        except CohortError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(1)


def _completed(names: Callable[[], Iterable[str]]) -> Callable[[Any, Any, str], list[str]]:
    """Return how a shell completes names; it offers nothing where they cannot be read."""

    def complete(context: Any, parameter: Any, incomplete: str) -> list[str]:
        with suppress(CohortError), extras():
            return [name for name in names() if name.casefold().startswith(incomplete.casefold())]
        return []

    return complete


def _chapters() -> list[str]:
    """Return the names of the notebooks."""
    from cohort.runner.project import find_project

    return [path.stem for path in find_project().paths()]


class _Count(click.ParamType[int]):
    """A whole number from 1, such as 8192 or 32k, where k stands for 1,024 and m for its square."""

    name = "count"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d[\d,_]*)(k|m)?", value.strip().lower())
        count = int(re.sub("[,_]", "", found[1])) if found else 0
        if count < 1:
            self.fail(f"{value!r} is no number of tokens such as 8192 or 32k", param, ctx)
        return count * {"k": 1024, "m": 1024**2}.get(found[2] if found else "", 1)


def _model_or_file(context: Any, parameter: Any, incomplete: str) -> list[Any]:
    """Return the models that a word begins; where there is none, the shell offers files."""
    from click.shell_completion import CompletionItem

    found = _completed(cohort.models)(context, parameter, incomplete)
    return [*map(CompletionItem, found)] or [CompletionItem(incomplete, type="file")]


def _filter(names: Callable[[], Iterable[str]]) -> Callable[[Any], Any]:
    """Return the argument of a list: words that a row must have, completed from those of the names."""

    def words() -> list[str]:
        return list(dict.fromkeys(word for name in names() for word in name.split()))

    return click.argument("words", nargs=-1, metavar="[WORD]...", shell_complete=_completed(words))


_names = click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=_completed(_chapters))
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
_jobs = click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=1),
    default=None,
    help="Notebooks at a time [default: one more than cores].",
)


def _parameters(command: Any) -> Any:
    """Give a command papermill's options for parameters."""
    for option in (
        click.option(
            "--parameters_file", "-f", multiple=True, metavar="FILE", help="A YAML file of parameters."
        ),
        click.option("--parameters_yaml", "-y", multiple=True, metavar="YAML", help="Parameters in YAML."),
        click.option(
            "--parameters_raw", "-r", nargs=2, multiple=True, metavar="NAME TEXT", help="The same as -p."
        ),
        click.option(
            "--parameters",
            "-p",
            nargs=2,
            multiple=True,
            metavar="NAME VALUE",
            help="A parameter; a list as a,b,c.",
        ),
    ):
        command = option(command)
    return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  cohort run                          run every notebook that is stale
  cohort run the_cohort --force       run one notebook, stale or not
  cohort run the_cohort -p context 65536 -p models llama-3-8b,dbrx --out long.ipynb
  cohort sweep the_cohort --grid context=8192,65536 --out runs
                                      run one notebook under many parameters
  cohort check                        run all of them afresh and compare
  cohort diff HEAD~1                  which recorded values a commit changed
  cohort parameters the_cohort        what can be changed with -p
  cohort model qwen3-8b               one model: size, cache, weights, what holds it
  cohort memory qwen3-32b -a L40S     does it fit, and how long a context
  cohort fit runs.csv --json law.json a law of your own runs
  cohort plan qwen3-32b -a L40S -a H200 --users 100 --token-ms 50
                                      the cheapest layout for a load
  cohort footprint log.csv --place SE what a run took, by its own log
  cohort accelerators nvidia          what the data know, narrowed by words""",
)
@click.version_option(__version__, prog_name="cohort")
def main() -> None:
    """Run, vary and check the notebooks of the book, and ask what the package knows.

    A NAME is that of a notebook, with or without its folder and suffix; without one, all of them are meant.
    """


@main.command("run")
@_names
@_jobs
@click.option("--force", is_flag=True, help="Also run what is up to date.")
@_parameters
@click.option("--out", metavar="OUT.ipynb", help="Where the notebook goes when run with parameters.")
def run_command(names: Any, jobs: Any, force: bool, out: Any, **sources: Any) -> None:
    """Run notebooks through papermill and rewrite those whose results have changed.

    Only what is stale is run: its sources, a module or a file that it read, or the lock file have changed
    since its last run here.
    With parameters, one notebook is run into the file that --out names, and stays as it is itself.
    Later sources of parameters win: -f, then -y, then -p, then -r.
    """
    from cohort.runner.commands import run_or_vary

    run_or_vary(names, _given(sources), out, jobs, force)


@main.command("sweep")
@click.argument("name", required=False, shell_complete=_completed(_chapters))
@click.option(
    "--grid", "-g", multiple=True, metavar="NAME=A,B", help="An axis: its values meet all of the others."
)
@click.option("--zip", "zipped", multiple=True, metavar="NAME=A,B", help="An axis in step with other --zip.")
@click.option("--sample", type=click.IntRange(min=1), help="Run so many of the sets, chosen at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of that choice.")
@_parameters
@_jobs
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=600,
    show_default=True,
    help="The longest that a cell may take, in seconds.",
)
@click.option("--out", metavar="FOLDER", help="A new folder for the runs and their results.")
@click.option("--resume", metavar="FOLDER", help="Go on with the sweep in a folder.")
@click.option("--retry-failed", is_flag=True, help="With --resume: run failed runs again.")
@click.option("--figures", is_flag=True, help="Draw the figures of the runs; without, none is drawn.")
@click.option("--html", is_flag=True, help="Draw them, and write index.html with all side by side.")
@click.option("--scheduler", metavar="ADDRESS", help="Run on a Dask cluster: the address of its scheduler.")
def sweep_command(name: Any, jobs: Any, timeout: float, scheduler: Any, **asked: Any) -> None:
    """Run one notebook under many sets of parameters.

    The folder holds an executed notebook of each run, and results.csv and results.parquet: a row for each
    run, with its parameters, what it recorded, its status, error and duration. A run that fails is a row and
    stops no other. Whatever ends the sweep, no finished run is lost: go on with --resume.
    """
    from cohort.runner.commands import usual_jobs
    from cohort.runner.sweeps.session import Request, sweep_notebook

    sources = {option: asked.pop(option) for option in _SOURCES}
    request = Request(name, _given(sources), **asked)
    sweep_notebook(request, jobs=jobs or usual_jobs(), timeout_s=timeout, scheduler=scheduler)


@main.command("check")
@_names
@_jobs
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="PROFILE",
    help="Another machine: plain-cpu, many-threads.",
)
@click.option("--and-here", is_flag=True, help="With --profile: check on this machine as it is, too.")
def check_command(names: Any, jobs: Any, profiles: Any, and_here: bool) -> None:
    """Run notebooks afresh and compare them with what is committed.

    Records may differ by 1e-6 of their value, printed numbers by one unit of their last place, drawings by
    0.01 pt, and cells tagged "measured" by the tolerance they state. With --profile, the numerical libraries
    compute as they would on a machine without the newer features of this processor, or with many threads.
    """
    from cohort.runner.commands import compare_afresh

    compare_afresh(names, jobs, profiles, and_here)


@main.command("diff")
@click.argument("old")
@click.argument("new", required=False)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1e-6,
    show_default=True,
    help="Equal up to this share.",
)
def diff_command(old: str, new: Any, tolerance: float) -> None:
    """Tell which recorded values differ between two commits or folders.

    OLD and NEW are commits of the checkout, folders of notebooks (such as those of sweeps) or single
    notebooks; without NEW, the notebooks as they are here are meant.
    """
    from cohort.runner.commands import tell_differences

    tell_differences(old, new, tolerance)


@main.command("parameters")
@_names
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of parameters for each notebook.")
def parameters_command(names: Any, as_json: bool) -> None:
    """List the parameters of notebooks: name, type, default and help."""
    from cohort.runner.commands import list_parameters

    list_parameters(names, as_json)


@main.command("model")
@click.argument("source", metavar="NAME|PATH", shell_complete=_model_or_file)
@click.option(
    "--context",
    type=click.IntRange(min=1),
    default=8192,
    show_default=True,
    metavar="N",
    help="Tokens of one sequence.",
)
@_json
def model_command(source: str, context: int, as_json: bool) -> None:
    """Show one model: its size, layers, attention, experts, cache, weights by type, and what holds them.

    NAME is that of a registered model in any usual spelling, with or without its organisation, or its address
    on a hub; PATH is a config.json or the folder that holds one.
    """
    from cohort.reports.sheets import show_model

    show_model(source, context, as_json)


@main.command("memory")
@click.argument("source", metavar="NAME|PATH", shell_complete=_model_or_file)
@click.option(
    "--accelerator",
    "-a",
    default="H100 SXM 80GB",
    show_default=True,
    metavar="NAME",
    shell_complete=_completed(lambda: cohort.accelerators()),
    help="Accelerator whose memory is shared.",
)
@click.option(
    "--devices",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Devices that share each layer; in training, that divide all states.",
)
@click.option(
    "--context",
    type=_Count(),
    default=None,
    metavar="N",
    help="Tokens of a sequence, such as 8192 or 32k [default: what is offered; 2048 in training].",
)
@click.option(
    "--batch", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Sequences."
)
@click.option(
    "--weight-dtype",
    default="released",
    show_default=True,
    metavar="TYPE",
    help="How weights are stored: bf16, fp8, nvfp4, mxfp4, gptq, awq, Q4_K_M, Q8_0 and others; by default as "
    "the name says, such as -AWQ, else as released.",
)
@click.option(
    "--kv-dtype", default="bf16", show_default=True, metavar="TYPE", help="How the cache is stored."
)
@click.option(
    "--engine",
    default=None,
    metavar="NAME",
    help="Engine: vllm, sglang or llama.cpp [default: llama.cpp for types of GGUF files, else vllm].",
)
@click.option(
    "--engine-version",
    default=None,
    metavar="V",
    help="Its version, such as 0.19.1 [default: the newest known].",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=None,
    metavar="X",
    help="Share of the memory that the engine may use [default: its own].",
)
@click.option(
    "--train",
    default=None,
    metavar="METHOD",
    help="A step of training: full, autocast, mixed, lora or qlora.",
)
@_json
def memory_command(source: str, accelerator: str, as_json: bool, **asked: Any) -> None:
    """Show what a model takes of its devices' memory: weights, engine, cache, and whether it fits."""
    from cohort.reports.memory import show_memory

    show_memory(source, accelerator, as_json=as_json, **asked)


@main.command("models")
@_filter(lambda: cohort.models())
@_json
def models_command(words: Any, as_json: bool) -> None:
    """List the registered models, or those that have all of some words."""
    from cohort.reports.lists import list_models

    list_models(words, as_json)


@main.command("accelerators")
@_filter(lambda: cohort.accelerators())
@_json
def accelerators_command(words: Any, as_json: bool) -> None:
    """List the accelerators, or those that have all of some words."""
    from cohort.reports.lists import list_accelerators

    list_accelerators(words, as_json)


@main.command("grids")
@_filter(lambda: cohort.grids())
@_json
def grids_command(words: Any, as_json: bool) -> None:
    """List the places whose electricity the data know, or those that have all of some words."""
    from cohort.reports.lists import list_grids

    list_grids(words, as_json)


@main.command("laws")
@_filter(lambda: cohort.laws())
@_json
def laws_command(words: Any, as_json: bool) -> None:
    """List the published scaling laws, or those that have all of some words."""
    from cohort.reports.lists import list_laws

    list_laws(words, as_json)


@main.command("fit")
@click.argument("path", metavar="RUNS.csv", type=click.Path())
@click.option("--form", default="chinchilla", show_default=True, help="Form of the law.")
@click.option("--loss", default="huber", show_default=True, help="Estimator: huber, lad, log_mse or mse.")
@click.option(
    "--drop", type=click.IntRange(min=0), default=0, show_default=True, help="Highest losses left out."
)
@click.option(
    "--hold-out", type=float, default=0.0, metavar="SHARE", help="Predict this share of the most compute."
)
@click.option(
    "--resamples", type=click.IntRange(min=2), default=1000, show_default=True, help="Of the bootstrap."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the resamples.")
@click.option("--json", "as_json", metavar="OUT", help="Write the law and the report as JSON.")
@click.option("--html", "as_html", metavar="OUT", help="Write the report as a page.")
def fit_command(path: str, as_json: str | None, as_html: str | None, **asked: Any) -> None:
    """Fit a scaling law to training runs: one a line, with size, tokens (or FLOP) and loss by usual names.

    Sizes are in parameters, data in tokens, losses in nats per token. What --json writes, cohort.law reads.
    """
    from cohort.reports.fits import show_fit

    show_fit(path, as_json, as_html, **asked)


def _limit(
    name: str, unit: str, text: str, usual: float | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        name, type=float, default=usual, show_default=usual is not None, metavar=unit, help=text
    )


@main.command("plan")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", shell_complete=_model_or_file)
@click.option(
    "--accelerator",
    "-a",
    "accelerators",
    multiple=True,
    required=True,
    metavar="NAME",
    shell_complete=_completed(lambda: cohort.accelerators()),
    help="To choose among; repeat it for more.",
)
@click.option("--users", type=int, default=None, metavar="N", help="Answers that are written at once.")
@click.option(
    "--requests", "requests_per_s", type=float, default=None, metavar="N", help="Requests a second."
)
@click.option("--input-tokens", type=int, default=1024, show_default=True, metavar="N", help="Of a prompt.")
@click.option("--output-tokens", type=int, default=256, show_default=True, metavar="N", help="Of an answer.")
@click.option(
    "--prefix-share", type=float, default=0.0, metavar="SHARE", help="Of prompts, in the cache already."
)
@click.option("--acceptance-length", type=float, default=1.0, metavar="N", help="Tokens that a step yields.")
@_limit("--token-ms", "MS", "The longest time of a token.")
@_limit("--first-token-s", "S", "The longest time to the first token.", 5.0)
@_limit("--usd-per-hour", "USD", "The highest price of all accelerators.")
@_limit("--grams", "G", "The most CO2e of an answer.")
@click.option("--most", type=int, default=None, metavar="N", help="The most accelerators.")
@click.option(
    "--weight-dtype",
    "-w",
    "weight_dtypes",
    multiple=True,
    default=("released",),
    show_default=True,
    metavar="TYPE",
    help="Types of the weights to choose among.",
)
@click.option(
    "--kv-dtype",
    "-k",
    "kv_dtypes",
    multiple=True,
    default=("bf16",),
    show_default=True,
    metavar="TYPE",
    help="Types of the cache to choose among.",
)
@click.option(
    "--price",
    "-p",
    "prices",
    nargs=2,
    type=(str, float),
    multiple=True,
    metavar="NAME USD",
    help="USD for an hour of an accelerator.",
)
@click.option("--engine", default=None, metavar="NAME", help="vLLM, SGLang, TensorRT-LLM or ATOM.")
@click.option(
    "--place",
    default="USA",
    show_default=True,
    shell_complete=_completed(lambda: cohort.grids()),
    metavar="PLACE",
    help="Whose electricity emits.",
)
@click.option("--chart", default=None, metavar="OUT.svg", help="Draw the frontier.")
@_json
def plan_command(models: Any, accelerators: Any, as_json: bool, chart: Any, **asked: Any) -> None:
    """Plan a service: for a load within limits the cheapest layout, the fewest devices, the least CO2e."""
    from cohort.reports.plans import asked_of, show_plan

    show_plan(models, accelerators, *asked_of(asked), as_json=as_json, chart=chart, **asked)


@main.command("footprint")
@click.argument("paths", nargs=-1, required=True, metavar="LOG...", type=click.Path())
@click.option("--format", "layout", metavar="NAME", help="Layout of the log [default: by its heads].")
@click.option(
    "--place", "grid", metavar="NAME", shell_complete=_completed(lambda: cohort.grids()), help="Where."
)
@click.option("--year", type=int, help="Year of the factor of the place.")
@click.option("--boundary", default="facility", show_default=True, help="What is counted.")
@click.option("--accelerator", "-a", multiple=True, metavar="[FILE=]NAME", help="Where the log names none.")
@click.option("--share", type=float, default=1.0, show_default=True, help="Share of it that is the run's.")
@click.option("--nodes", type=int, default=1, show_default=True, help="Machines, where the log is of one.")
@click.option("--use", default="training", show_default=True, help="training or serving.")
@click.option("--pue", type=float, help="PUE of the data centre, where it is known.")
@click.option("--intensity", metavar="CSV", help="Carbon intensity by the hour.")
@click.option("--utc-offset", "utc_offset_hours", type=float, help="Hours that the log's clock is ahead.")
@click.option(
    "--contract", "contracts", multiple=True, metavar="NAME:G[:share=S]", help="Electricity bought."
)
@click.option("--residual", "residual_g_per_kwh", type=float, help="g/kWh of what no contract covers.")
@click.option("--interval", "interval_s", type=float, help="Seconds between samples, without a clock.")
@click.option("--columns", metavar="A,B,...", help="Heads of a log without any.")
@click.option("--meter", default="accelerator", show_default=True, help="What a plain table is of.")
@click.option("--machines", type=int, help="Machines of CodeCarbon's files.")
@click.option("--model", default="", help="For the reports: the model.")
@click.option("--tokens", type=float, help="For the reports: tokens of the training.")
@click.option("--flop", type=float, help="For the reports: compute, where it is known.")
@click.option("--unit", default="", help="For the reports: the functional unit.")
@click.option("--units", type=float, help="For the reports: how many of them.")
@click.option("--operator", default="own", show_default=True, help="For the reports: own or cloud.")
@click.option("--out", metavar="FILE", help="Write the reports: .html, .json, .csv or .md.")
@_json
def footprint_command(
    paths: Any, accelerator: Any, columns: Any, out: Any, as_json: bool, **asked: Any
) -> None:
    """Show what a run took, by its own log, and write the reports that ask for it.

    A LOG is a CSV of nvidia-smi or DCGM, CodeCarbon's emissions.csv, a log of Zeus, system metrics of MLflow
    or Weights & Biases, or a table of time and watts. Several are parts of one run. What the log does not
    cover is added by factors with ranges, each said.
    """
    from cohort.reports.footprints import show_footprint
    from cohort.reports.report_rows import About

    told = {name: asked.pop(name) for name in ("model", "tokens", "flop", "unit", "units", "operator")}
    named = dict(each.rsplit("=", 1) for each in accelerator if "=" in each)
    device = named or (accelerator[-1] if accelerator else None)
    heads = None if columns is None else columns.split(",")
    show_footprint(paths, out, as_json, About(**told), accelerator=device, columns=heads, **asked)


_SOURCES = ("parameters_file", "parameters_yaml", "parameters", "parameters_raw")


def _given(sources: dict[str, Any]) -> dict[str, object]:
    """Return the parameters of the options that `_parameters` adds."""
    from cohort.runner.parameter_sources import gathered

    return gathered(*(sources[option] for option in _SOURCES))
