"""A step of training in its parts, as measured, and what is said of it."""

import pytest

from cohort.chapters.serving_roofline import training_steps
from cohort.errors import UnknownNameError


def test_a_step_is_three_forward_passes_and_a_little():
    """80.6, 250.5 and 256.1 ms; 56.9, 163.9 and 182.3 J."""
    run, parts = training_steps.training_parts()
    assert run.accelerator == "H100 SXM 80GB"
    assert list(parts["times"]) == pytest.approx([1, 3.108, 3.177], abs=1e-3)
    assert list(parts["times energy"]) == pytest.approx([1, 2.878, 3.201], abs=1e-3)
    assert training_steps.forward_beside_training(run, parts) == (
        "Measured through blocks of Llama 3 8B on H100 SXM 80GB with PyTorch 2.11.0 on 2026-11-26, forward "
        "and backward pass together take 3.11 times as long as the forward pass alone, and 2.88 times its "
        "energy. So the forward pass is nearest to a third of both; with the optimiser a step takes 3.18 "
        "times as long."
    )


@pytest.mark.parametrize(("times", "said"), [(2.1, "half"), (2.9, "a third"), (4.2, "a quarter")])
def test_the_nearest_share_is_named(times, said):
    run, parts = training_steps.training_parts()
    parts.loc["forward and backward", "times"] = times
    assert f"nearest to {said} of both;" in training_steps.forward_beside_training(run, parts)


def test_an_unknown_run_is_named():
    with pytest.raises(UnknownNameError, match="h100-1"):
        training_steps.training_parts("h100-9")
