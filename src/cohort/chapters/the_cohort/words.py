"""What the chapter `the_cohort` says in words: sentences about its tables, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import title
from cohort.chapters.the_cohort.diagrams import sight
from cohort.chapters.the_cohort.tables import equal_counts, within_rounding
from cohort.display.phrases import among, percent, scaled_range, signed
from cohort.display.words import binary, counted, inflected, ranged, running, sentences, significant
from cohort.units import GIB, KIB

# --- in brief, and when they appeared


def brief(
    counts: pd.DataFrame,
    caches: pd.DataFrame,
    context: int,
    difference: pd.DataFrame,
    sizes: pd.DataFrame,
    matrix: pd.DataFrame,
    corrections: pd.DataFrame,
    beyond: str = "",
) -> str:
    """Return the chapter in brief, one list item a finding.

    Parameters
    ----------
    counts, caches : DataFrame
        As `cohort.display.model_tables.counts` and `caches` return them, of the models shown.
    context : int
        Tokens of the sequence that `caches` is for.
    difference : DataFrame
        As `tables.reference_counts` returns it.
    sizes : DataFrame
        As `cohort.display.published_values.published_counts` returns it.
    matrix, corrections : DataFrame
        As `tables.disclosure` and `tables.corrections` return them.
    beyond : str
        As `limits.beyond_offered` returns it of the models.

    Returns
    -------
    str
        Markdown.
    """
    total, active = (scaled_range(counts[one].min(), counts[one].max()) for one in ("total", "active"))
    facts, wrong = int((matrix != "").to_numpy().sum()), corrections["all"]
    silent = int((matrix == "undisclosed").to_numpy().sum())
    return sentences(
        f"- {counted(len(counts), 'model').capitalize()} of {total} parameters "
        f"{inflected(len(counts), 'stands', 'stand')} here. To write a token, {active} of them work.",
        _idle(counts),
        _spread(caches["per token"], context),
        f"- Our counts equal the reference implementations to the last weight, for "
        f"{len(equal_counts(difference))} of {len(difference)} registered models; "
        f"{int(within_rounding(sizes).sum())} of {len(sizes)} published sizes are the exact count, rounded.",
        f"- Of {counted(facts, 'fact')} on the models, {silent} were never disclosed. In the blog post that "
        f"this book starts from, {wrong.sum()} cells carry a correction or a remark; {wrong['wrong']} "
        "were wrong.",
        f"- {beyond}" if beyond else "",
    )


def _idle(counts: pd.DataFrame) -> str:
    sparse = _mixtures(counts)
    if sparse.empty:
        return "- All of them are dense."
    return (
        f"- In {counted(len(sparse), 'mixture')} of experts among them, {_at_rest(sparse)} while a token is "
        "written, but must be held in memory."
    )


def _at_rest(sparse: pd.DataFrame) -> str:
    idle = 100 * (1 - sparse["active"] / sparse["total"])
    return f"{ranged(idle.min(), idle.max(), '.0f')}% of the weights rest"


def _spread(per_token: pd.Series, context: int) -> str:
    spread = per_token.max() / per_token.min()
    if spread <= 1:
        return ""
    return (
        f"- Remembering a token takes {significant(spread, 2)} times as much memory in {per_token.idxmax()} "
        f"as in {per_token.idxmin()}, at {counted(context, 'token')} of context."
    )


def _mixtures(counts: pd.DataFrame) -> pd.DataFrame:
    return counts[counts["routed experts"] > 0]


def spring_of_2024(released: pd.Series, chosen: int) -> str:
    """Return how many of the models came out between February and May 2024.

    Parameters
    ----------
    released : Series of str
        Titles indexed by date, as `cohort.display.model_tables.released` returns them.
    chosen : int
        How many models were chosen, those without a date included.

    Returns
    -------
    str
        Markdown.
    """
    spring = released["2024-02":"2024-05"]
    if spring.empty:
        return "None of the cohort came out in the spring of 2024."
    days = [f"{day.day} {day:%B}" for day in spring.index]
    first, last = (f"{spring.iloc[end]} on {days[end]}" for end in (0, -1))
    when = f"first {first}, last {last}" if len(spring) > 1 else first
    return (
        f"{among(len(spring), chosen, 'model').capitalize()} of the cohort came out between February and May "
        f"2024: {when}."
    )


def layers_seen(models: Sequence[ModelSpec]) -> str:
    """Return which models mix layers that look at different things, and which have experts.

    Parameters
    ----------
    models : sequence of ModelSpec
        Those of the figure.

    Returns
    -------
    str
        Markdown.
    """
    mixed = [title(spec) for spec in models if len({sight(layer) for layer in spec.layers}) > 1]
    partly = [
        title(spec) for spec in models if spec.experts and any(layer.experts is None for layer in spec.layers)
    ]
    return running(
        f"{among(len(mixed), len(models), 'model').capitalize()} {inflected(len(mixed), 'mixes', 'mix')} "
        f"layers that see different things: {', '.join(mixed)}."
        if mixed
        else "In each of these models all layers see the same.",
        f"{', '.join(partly)} {inflected(len(partly), 'has', 'have')} experts in some layers only."
        if partly
        else "",
    )


# --- what is said of them


def how_known(matrix: pd.DataFrame) -> str:
    """Return how the fields of the models are known, and which are left out most often.

    Parameters
    ----------
    matrix : DataFrame
        As `tables.disclosure` returns it.

    Returns
    -------
    str
        Markdown.
    """
    facts = int((matrix != "").to_numpy().sum())
    if not facts:
        return "The data hold no facts on the models chosen."
    kinds = matrix.stack().value_counts()
    read = kinds.get("derived", 0)
    unsaid = (matrix == "undisclosed").sum()
    silent = unsaid.index[(unsaid == unsaid.max()) & (unsaid > 0)]
    left_out = (
        f"Most often kept back, each for {among(unsaid.max(), len(matrix), 'model')}: {', '.join(silent)}."
    )
    return sentences(
        f"{percent(kinds.get('stated', 0) / facts)} of the {facts} cells are stated, "
        f"{percent(read / facts) if read else 'none'} had to be read off a configuration.",
        left_out if len(silent) else "Nothing is kept back.",
    )


def undisclosed_training(facts: pd.DataFrame) -> str:
    """Return of which models the makers do not say how much text they saw, and what that costs.

    Parameters
    ----------
    facts : DataFrame
        As `cohort.display.model_tables.training_facts` returns it.

    Returns
    -------
    str
        Markdown.
    """
    missing = facts.isna()
    silent = facts.index[missing["training tokens (trillion)"]]
    if not len(silent):
        return f"How much text it saw is known of {counted(len(facts), 'model')}."
    return (
        f"Without the amount of text, the training compute and the footprint of {', '.join(silent)} can only "
        "be estimated."
    )


def tokens_for_size(ratios: pd.DataFrame, yardstick: float) -> str:
    """Return how many tokens the models saw for each parameter, beside Chinchilla.

    Parameters
    ----------
    ratios : DataFrame
        As `tables.tokens_per_parameter` returns it.
    yardstick : float
        The tokens per parameter of Chinchilla.

    Returns
    -------
    str
        Markdown.
    """
    if ratios.empty:
        return "None of the models chosen discloses its training tokens."
    multiple = ratios["per active"] / yardstick
    extent = (
        f", from {significant(multiple.min())} times as much ({multiple.idxmin()}) to "
        f"{significant(multiple.max())} times ({multiple.idxmax()})"
    )
    return sentences(
        f"Chinchilla saw {significant(yardstick)} tokens per parameter.",
        f"{among(int((multiple > 1).sum()), len(ratios), 'model').capitalize()} saw more for their active "
        f"parameters{extent if len(multiple) > 1 else ''}.",
        "Longer training makes a small model good enough, and a small model is cheaper to run."
        if (multiple > 1).any()
        else "",
        _two_ratios(ratios),
    )


def _two_ratios(ratios: pd.DataFrame) -> str:
    """Return both ratios of the mixture whose two are nearest to each other; nothing without a mixture."""
    apart = ratios["per active"] / ratios["per total"]
    apart = apart[apart > 1]
    if apart.empty:
        return ""
    name = str(apart.idxmin())
    active, total = (significant(ratios[column][name]) for column in ("per active", "per total"))
    return (
        f"A mixture of experts has two ratios: {name} saw {active} tokens for each active parameter, and "
        f"{total} for each that it holds."
    )


# --- weights and context


def active_share(counts: pd.DataFrame) -> str:
    """Return by how much mixtures are larger than what one token uses.

    Parameters
    ----------
    counts : DataFrame
        As `cohort.display.model_tables.counts` returns it.

    Returns
    -------
    str
        Markdown.
    """
    sparse = _mixtures(counts)
    if sparse.empty:
        return "All models shown are dense: every point lies on the diagonal."
    ratio, largest = sparse["total"] / sparse["active"], str(counts["total"].idxmax())
    least = f", {ratio.idxmin()} {significant(ratio.min())} times" if len(ratio) > 1 else ""
    mixed = len(sparse) < len(counts)
    return sentences(
        "What must be held in memory is the total; what has to be computed for a token is the active part."
        if mixed
        else "All models shown are mixtures.",
        f"With all its experts {ratio.idxmax()} is {significant(ratio.max())} times as large as what one "
        f"token uses{least}: {_at_rest(sparse)}.",
        f"{largest}, the largest of all, spends on a token what a dense model of "
        f"{counts['active'][largest] / 1e9:,.1f} billion parameters would.",
    )


def weight_shares(counts: pd.DataFrame) -> str:
    """Return which shares of the weights the parts of the models hold.

    Parameters
    ----------
    counts : DataFrame
        As `cohort.display.model_tables.counts` returns it.

    Returns
    -------
    str
        Markdown.
    """
    share = 100 * counts.div(counts["total"], axis=0)
    sparse = counts["routed experts"] > 0
    dense, routed, embedding = share[~sparse], share.loc[sparse, "routed experts"], share["embedding"]
    wide, attention = dense["dense feed-forward"], dense["attention"]
    least = f" and {embedding.min():.1f}% of {embedding.idxmin()}" if len(share) > 1 else ""
    in_dense = (
        f"In dense models the feed-forward networks hold {ranged(wide.min(), wide.max(), '.0f')}% of the "
        f"weights, attention {ranged(attention.min(), attention.max(), '.0f')}%."
    )
    held = ranged(routed.min(), routed.max(), ".0f")
    return sentences(
        in_dense if len(dense) else "",
        f"In mixtures the routed experts alone are {held}% of everything." if len(routed) else "",
        f"The embedding, with the head, takes {embedding.max():.1f}% of {embedding.idxmax()}{least}.",
    )


def cache_cost(counts: pd.DataFrame, caches: pd.DataFrame, context: int) -> str:
    """Return what a token of context costs, and how little that has to do with the size.

    Parameters
    ----------
    counts, caches : DataFrame
        As `cohort.display.model_tables.counts` and `caches` return them, of the same models.
    context : int
        Tokens of the sequence that `caches` is for.

    Returns
    -------
    str
        Markdown.
    """
    size, per_token, gib = counts["total"] / 1e9, caches["per token"], caches["cache"] / GIB
    least, most = str(per_token.idxmin()), str(per_token.idxmax())
    extremes = (
        f"{most}, with {significant(size[most])} billion parameters, needs "
        f"{significant(per_token[most] / KIB)} KiB "
        f"for a token; {least}, with {significant(size[least])} billion, "
        f"{significant(per_token[least] / KIB)} KiB."
    )
    order = size.rank().corr(per_token.rank()) if len(size) > 2 else 0.0
    beyond = caches.index[caches["context limit"].fillna(context) < context]
    longer = (
        f"For {among(len(beyond), len(caches), 'model')} ({', '.join(beyond)}) this context is longer than "
        f"the makers offer; {inflected(len(beyond), 'it stands', 'they stand')} here for comparison only."
    )
    return sentences(
        extremes if per_token[most] > per_token[least] else "",
        f"A sequence of {counted(context, 'token')} takes {_memory(gib.min() * GIB, gib.max() * GIB)}"
        + (f", {binary(per_token[most])} for a token." if len(caches) == 1 else "."),
        f"Size does not tell: its rank correlation with the cost per token is {signed(order, '.2f')}."
        if len(size) > 2 and abs(order) < 0.5
        else f"The rank correlation between size and cost per token is {signed(order, '.2f')}."
        if len(size) > 2
        else "",
        longer if len(beyond) else "",
    )


def _memory(low: float, high: float) -> str:
    """Return a range of memory, each end in the unit that it fills."""
    ends = binary(low), binary(high)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def cache_by_length(by_length: pd.DataFrame) -> str:
    """Return how far the cost of a token of context falls with the length, and in how many models.

    Parameters
    ----------
    by_length : DataFrame
        As `cohort.display.model_tables.caches_by_length` returns it; lengths ascend.

    Returns
    -------
    str
        Markdown.
    """
    short, long = by_length.columns[0], by_length.columns[-1]
    fall = by_length[short] / by_length[long]
    fall = fall[fall != 1]
    if fall.empty:
        return "No cache of these models stops growing: a token costs the same at any length."
    return sentences(
        f"In {among(len(fall), len(by_length), 'model')} some layers, or all, stop adding to their cache.",
        f"From {short:,} to {long:,} tokens a token gets cheaper there by a factor of "
        f"{significant(fall.min())} ({fall.idxmin()}) to {significant(fall.max())} ({fall.idxmax()}).",
        "In all others a token costs the same at any length." if len(fall) < len(by_length) else "",
    )


def score_moves(spread: pd.DataFrame, step: pd.Series, benchmark: str) -> str:
    """Return how far scores move between sources, and from the base to the instructed variant.

    Parameters
    ----------
    spread : DataFrame
        As `tables.score_spread` returns it, the widest first.
    step : Series
        As `tables.instructed_less_base` returns it.
    benchmark : str
        Whose scores they are.

    Returns
    -------
    str
        Markdown.
    """
    between = "No score was published twice with the same variant, shots and metric."
    if len(spread):
        widest = spread.iloc[0]
        between = (
            f"Sources differ by up to {widest['difference']:.1f} points on the same {benchmark} score, that "
            f"of {widest.name} ({widest['variant']}), for one variant, number of shots and metric."
        )
    moves = (
        f"Tuning a base model to follow instructions moves the median score by {_moved(step)} points: a "
        "table that mixes the two does not rank models."
    )
    return sentences(between, moves if len(step) else "")


def _moved(step: pd.Series) -> str:
    """Return the lowest and the highest of some changes, in points."""
    ends = [signed(float(end), "+.1f") for end in (step.min(), step.max())]
    return " to ".join(dict.fromkeys(ends))
