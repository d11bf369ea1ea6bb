"""The verdicts of the chapter `chinchilla_fit`: what the post says of the compute-optimal point."""

from __future__ import annotations

from cohort.architecture.registered import model
from cohort.chapters.chinchilla_fit import printed
from cohort.chapters.judging import Judgement, all_judged, graded, quoted
from cohort.fitting import Bootstrap, chinchilla_runs, fit
from cohort.scaling import ScalingLaw, laws
from cohort.scaling import law as published

CHINCHILLA = (1, 67e9)  # approach and size in the table whose compute is that of Chinchilla itself


def judge(law: ScalingLaw | None = None) -> list[Judgement]:
    """Return the verdicts of the chapter.

    Parameters
    ----------
    law : ScalingLaw, optional
        The law to judge by; by default Huber's fit to the 240 runs.

    Returns
    -------
    list of Judgement
        One a claim.
    """
    law = law or fit(*chinchilla_runs.columns(chinchilla_runs.runs())).law
    return all_judged(
        (
            (lambda times: _optimal_tokens(law, times), "the excess that its bars allow"),
            (lambda times: _diminishing(law, times), "the loss of a tenth"),
        )
    )


def _optimal_tokens(law: ScalingLaw, times: float = 1.0) -> Judgement:
    said = quoted("Llama 3 8B", "compute-optimal training tokens")
    tokens = law.compute_optimal(parameters=model("llama-3-8b").parameters).tokens
    rule = (
        "tokens at which the size of Llama 3 8B is compute-optimal by the fitted law; holds within "
        "1.25 times what Meta says, with limits within 2 times"
    )
    factor = max(tokens / said, said / tokens)
    return Judgement("optimal_tokens_8b", graded(1 - factor, -0.25, -1, times), tokens, "tokens", rule)


def standing(boot: Bootstrap) -> dict[str, object]:
    """Return how firmly the verdict on the optimal tokens of Llama 3 8B stands.

    Parameters
    ----------
    boot : Bootstrap
        Of the fit that it is judged by.

    Returns
    -------
    dict
        ``holds`` and ``limits``: shares of the resampled laws by which it holds, and by which it holds with
        limits; ``against``: the published laws by which it does not hold.
    """
    found = [_optimal_tokens(each).verdict for each in boot.laws]
    verdicts = {name: _optimal_tokens(published(name)).verdict for name in laws()}
    return {
        "holds": found.count("holds") / len(found),
        "limits": found.count("holds with limits") / len(found),
        "against": [name for name, verdict in verdicts.items() if verdict == "does not hold"],
    }


def _diminishing(law: ScalingLaw, times: float = 1.0) -> Judgement:
    advice = printed.advice().set_index(["approach", "parameters"])
    best = law.compute_optimal(float(advice["flop"][CHINCHILLA]))

    def gain(first: float) -> float:
        """Return what doubling the tokens from `first` times the optimum takes off the loss."""
        size, tokens = best.parameters, best.tokens
        return float(law.loss(size, first * tokens) - law.loss(size, 2 * first * tokens))

    before, after = gain(0.5) / gain(0.25), gain(2) / gain(1)
    rule = (
        "loss that doubling the tokens of the compute-optimal model of Chinchilla's compute takes "
        "off; holds if the gain of a doubling shrinks by a tenth more beyond the optimum than below it; by "
        "a law of this form it shrinks by the same share everywhere, for any coefficients"
    )
    verdict = "holds" if after < (1 - 0.1 * times) * before else "does not hold"
    return Judgement("compute_optimal_is_diminishing", verdict, gain(1), "nats per token", rule)
