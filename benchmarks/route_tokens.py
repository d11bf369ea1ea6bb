"""Route a million tokens over 256 experts, eight for each, beside the usual way to simulate such a router.

Run it as ``.venv/bin/python benchmarks/route_tokens.py``; it takes about a minute. The usual way adds Gumbel
noise to the logarithms of the weights, for every token and expert, and keeps the highest: the same sampling
scheme. Both run in turn in one process, and the CPU times and their ratio are printed.
"""

from __future__ import annotations

import time

import numpy as np

from cohort.experts import router

EXPERTS, ACTIVE, TOKENS, CHUNK = 256, 8, 1_000_000, 50_000


def gumbel_top(weights: router.Floats, seed: int) -> np.ndarray:
    """Return the experts of each token by the highest of noisy scores."""
    generator, scores = np.random.default_rng(seed), np.log(weights)
    parts = []
    for _ in range(0, TOKENS, CHUNK):
        noisy = scores + generator.gumbel(size=(CHUNK, EXPERTS))
        parts.append(np.argpartition(noisy, -ACTIVE, axis=1)[:, -ACTIVE:])
    return np.concatenate(parts)


def timed(function, *arguments) -> tuple[float, np.ndarray]:
    """Return the CPU seconds of a call and its result."""
    begin = time.process_time()
    result = function(*arguments)
    return time.process_time() - begin, result


def main() -> None:
    """Print the times for several skews."""
    print(f"{TOKENS:,} tokens over {EXPERTS} experts, {ACTIVE} for each; CPU seconds")
    for skew in (0.0, 0.5, 1.0, 1.5):
        weights = router.weights(EXPERTS, skew)
        ours, chosen = min((timed(router.route, weights, ACTIVE, TOKENS, seed) for seed in range(3)),
                           key=lambda found: found[0])  # fmt: skip
        theirs, other = timed(gumbel_top, weights, 0)
        shares = [np.bincount(each.ravel(), minlength=EXPERTS) / TOKENS for each in (chosen, other)]
        apart = np.abs(shares[0] - shares[1]).max()
        print(f"skew {skew:3.1f}: {ours:5.2f} here, {theirs:6.2f} by noise, {theirs / ours:5.1f} times; "
              f"shares differ by at most {apart:.4f}")  # fmt: skip


if __name__ == "__main__":
    main()
