"""Problems of the chapter `chinchilla_fit`, worked out with its own law."""

from __future__ import annotations

from cohort.display.phrases import power_of_ten
from cohort.display.problems import Problem
from cohort.display.words import scaled, significant
from cohort.scaling import ScalingLaw

PARAMETERS, TOKENS = 70e9, 1.4e12  # of Chinchilla, as its makers round them


def worked(law: ScalingLaw, flop: float) -> list[Problem]:
    """Return three problems with their solutions: a loss, a division of compute, and a wrong size.

    Parameters
    ----------
    law : ScalingLaw
        The law that was fitted.
    flop : float
        Training compute, in FLOP.

    Returns
    -------
    list of Problem
    """
    return [_loss(law), _division(law, flop), _half(law, flop)]


def _loss(law: ScalingLaw) -> Problem:
    """Ask for the loss of a model."""
    size, data = law.A / PARAMETERS**law.alpha, law.B / TOKENS**law.beta
    return Problem(
        "Chinchilla has 70 billion parameters and saw 1.4 trillion tokens. Which loss does the law give it, "
        "and which shortage adds more to it, that of parameters or that of tokens?",
        (
            f"Too few parameters: {significant(law.A, 4)} ÷ 70e9^{law.alpha:.4f} = {size:.4f}.",
            f"Too few tokens: {significant(law.B, 4)} ÷ 1.4e12^{law.beta:.4f} = {data:.4f}.",
            f"{law.E:.4f} + {size:.4f} + {data:.4f} = {law.E + size + data:.4f}.",
        ),
        f"{law.loss(PARAMETERS, TOKENS):.3f} nats per token; the shortage of "
        f"{'tokens' if data > size else 'parameters'} adds more.",
    )


def _division(law: ScalingLaw, flop: float) -> Problem:
    """Ask how to divide a compute."""
    best = law.compute_optimal(flop)
    power = law.beta / (law.alpha + law.beta)
    factor = (law.alpha * law.A / (law.beta * law.B)) ** (1 / (law.alpha + law.beta))
    return Problem(
        f"How many parameters and tokens does the law advise for {power_of_ten(flop)} FLOP?",
        (
            f"Size grows with the power a = {law.beta:.4f} ÷ ({law.alpha:.4f} + {law.beta:.4f}) = "
            f"{power:.4f} of the compute.",
            f"Where both shortages fall alike, (αA ÷ βB)^(1 ÷ (α + β)) = {significant(factor)}.",
            f"{significant(factor)} × ({power_of_ten(flop)} ÷ 6)^{power:.4f} = "
            f"{significant(best.parameters / 1e9)}e9 "
            "parameters.",
            f"{power_of_ten(flop)} ÷ (6 × {significant(best.parameters / 1e9)}e9) = "
            f"{significant(best.tokens / 1e12)}e12 tokens.",
        ),
        f"{scaled(best.parameters)} parameters and {scaled(best.tokens)} tokens, "
        f"{significant(best.tokens_per_parameter)} for each.",
    )


def _nats(loss: float) -> str:
    """Return a loss with four places, or four digits where it is a large one, far from any run."""
    return f"{loss:.4f}" if loss < 100 else significant(loss, 4)


def _half(law: ScalingLaw, flop: float) -> Problem:
    """Ask what half the best size would cost."""
    best = law.compute_optimal(flop)
    loss = law.loss(best.parameters / 2, 2 * best.tokens)
    more = loss - best.loss
    return Problem(
        f"At {power_of_ten(flop)} FLOP someone trains a model of half the best size, on twice the tokens. "
        "What does that cost in loss?",
        (
            f"Best: {_nats(best.loss)} nats per token.",
            f"Half the size, twice the tokens: {_nats(loss)}.",
            f"{_nats(loss)} − {_nats(best.loss)} = {_nats(more)}.",
        ),
        f"{significant(1000 * more, 2)} thousandths of a nat, {significant(100 * more / best.loss, 2)}% of "
        "the loss, and each answer costs half.",
    )
