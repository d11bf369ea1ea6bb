"""Forms of laws tried on many sets of runs: which one predicts runs that it was not fitted to.

A recipe is a form, an estimator, and the fewest tokens per parameter of the runs that are fitted: runs that
had hardly begun to learn bend a law. A set chooses its recipe by its own runs, before those that are
predicted are looked at: the fifth of its longest runs is predicted from the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from cohort.errors import CohortError, ParameterError
from cohort.errors.arguments import explain
from cohort.fitting.certified import Fit, fit, predicted
from cohort.registry.frames import table

KEPT_BACK = 0.2  # of the runs by which a recipe is chosen
FEWEST = 10  # runs, for a recipe to be tried
MOST = 100.0  # tokens per parameter of the runs from which longer ones are predicted
FIRST_LOOK = (2.46, 13)  # median error beyond, in per cent, and sets, when recipes were first tried
COMPARED = ("chinchilla", "tied", "kaplan", "coupled", "farseer")  # forms in size and data alone


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to fit runs.

    Attributes
    ----------
    form, loss : str
        As `cohort.fitting.fit` takes them.
    least : float
        Tokens per parameter below which runs take no part.
    """

    form: str
    loss: str
    least: float

    def fitted(self, runs: pd.DataFrame) -> Fit | None:
        """Return the fit to some runs, None where they are too few or determine no law.

        Parameters
        ----------
        runs : DataFrame
            With ``parameters``, ``tokens`` and ``loss``.

        Returns
        -------
        Fit or None
            The fit.
        """
        kept = runs[runs["tokens"] >= self.least * runs["parameters"]]
        if len(kept) < FEWEST:
            return None
        try:
            return fit(kept["parameters"], kept["tokens"], kept["loss"], self.loss, form=self.form)
        except CohortError:
            return None


RECIPES = tuple(
    Recipe(*each)
    for each in product(("chinchilla", "tied", "coupled", "kaplan"), ("huber", "log_mse"), (0.0, 2.0, 8.0))
)


def sets() -> dict[str, pd.DataFrame]:
    """Return the fifteen public sets of runs, and that of :cite:t:`sardana2024beyond`, by name.

    Returns
    -------
    dict of str to DataFrame
        ``parameters``, ``tokens`` and ``loss`` of each run.
    """
    columns = ["parameters", "tokens", "loss"]
    runs = table("scaling_runs")
    found = {str(name): rows[columns].astype(float) for name, rows in runs.groupby("set")}
    return {**found, "sardana": table("overtrained_runs")[columns].astype(float)}


def median_error(found: Fit | None, runs: pd.DataFrame) -> float:
    """Return the median of the absolute relative error of a fit on runs, infinite where there is none.

    Parameters
    ----------
    found : Fit or None
        The fit.
    runs : DataFrame
        What is predicted.

    Returns
    -------
    float
        A share of the loss.
    """
    if found is None or not len(runs):
        return np.inf
    return float(np.median(np.abs(runs["loss"].to_numpy(float) / predicted(found.law, runs) - 1)))


def chosen(runs: pd.DataFrame, recipes: Iterable[Recipe] = RECIPES) -> tuple[Recipe, float]:
    """Return the recipe that predicts the longest runs of a set best from its others.

    Parameters
    ----------
    runs : DataFrame
        With ``parameters``, ``tokens`` and ``loss``.
    recipes : iterable of Recipe
        What is tried.

    Returns
    -------
    Recipe
        The best.
    float
        Its median absolute error on those runs, as a share.

    Raises
    ------
    ParameterError
        If no recipe gives a law.
    """
    ratio = runs["tokens"] / runs["parameters"]
    short = ratio <= ratio.quantile(1 - KEPT_BACK)
    errors = {each: median_error(each.fitted(runs[short]), runs[~short]) for each in recipes}
    best = min(errors, key=lambda each: errors[each])
    if not np.isfinite(errors[best]):
        raise ParameterError("no form gives a law for these runs")
    return best, errors[best]


def ahead(
    named: Mapping[str, pd.DataFrame], most: float = MOST, recipes: Iterable[Recipe] = RECIPES
) -> pd.DataFrame:
    """Return how runs of many tokens per parameter are predicted from those of fewer.

    Parameters
    ----------
    named : mapping of str to DataFrame
        Sets of runs.
    most : float
        Tokens per parameter of the runs that are fitted, at most.
    recipes : iterable of Recipe
        What each set chooses from.

    Returns
    -------
    DataFrame
        Per set that has runs beyond: ``fitted`` and ``predicted`` runs; the chosen ``form``, ``loss`` and
        ``least`` ratio; ``at home``, its error where it was chosen; ``error``, on the runs beyond; and
        ``chinchilla``, that of the plain form by Huber's misfit on all runs below.
    """
    records = []
    recipes = tuple(recipes)
    for name, runs in named.items():
        below = runs["tokens"] / runs["parameters"] <= most * (1 + 1e-9)
        if below.all():
            continue
        best, at_home = chosen(runs[below], recipes)
        plain = Recipe("chinchilla", "huber", 0.0).fitted(runs[below])
        records.append(
            {
                "set": name,
                "fitted": int(below.sum()),
                "predicted": int((~below).sum()),
                "form": best.form,
                "loss": best.loss,
                "least": best.least,
                "at home": at_home,
                "error": median_error(best.fitted(runs[below]), runs[~below]),
                "chinchilla": median_error(plain, runs[~below]),
            }
        )
    return pd.DataFrame(records).set_index("set")


def _cuts(runs: pd.DataFrame, most: float = MOST) -> dict[str, pd.Series]:
    """Return which runs are predicted in each test of a form: the largest fifth, and the longest."""
    flop = runs["tokens"] * runs["parameters"]
    return {
        "largest": flop > flop.quantile(1 - KEPT_BACK),
        "beyond": runs["tokens"] / runs["parameters"] > most * (1 + 1e-9),
    }


def form_errors(runs: pd.DataFrame, form: str) -> dict[str, float]:
    """Return how well a form describes a set of runs, and predicts runs that it was not fitted to.

    Parameters
    ----------
    runs : DataFrame
        With ``parameters``, ``tokens`` and ``loss``.
    form : str
        As `cohort.fitting.fit` takes it; the misfit is Huber's.

    Returns
    -------
    dict of str to float
        Medians of the absolute relative error, infinite where there is no law or no run: ``within`` the runs
        that all were fitted; of the ``largest`` fifth by compute, from the rest; of the runs ``beyond`` a
        hundred tokens per parameter, from those up to it.
    """
    recipe = Recipe(form, "huber", 0.0)
    found = {"within": median_error(recipe.fitted(runs), runs)}
    for name, held in _cuts(runs).items():
        law = recipe.fitted(runs[~held]) if held.any() else None
        found[name] = median_error(law, runs[held])
    return found


def scored_forms(use: str = "panel") -> pd.DataFrame:
    """Return the errors of each form on each set of runs, from the table `form_errors`.

    Parameters
    ----------
    use : str
        ``panel``: the sets by which forms are compared; ``blind``: those tried once at the end.

    Returns
    -------
    DataFrame
        ``set``, ``form``, ``runs``, ``longer`` (runs beyond a hundred tokens per parameter), and in per cent
        ``within``, ``largest`` and ``beyond``; missing where there is no law or no run.
    """
    frame = table("form_errors")
    kept = frame[frame["use"] == use].drop(columns="use").reset_index(drop=True)
    names = ["within", "largest", "beyond"]
    return kept.assign(**kept[names].astype(float))


explain(__name__)
