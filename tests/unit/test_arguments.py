"""Arguments of the wrong type: what is said of them, and what is left as it is."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import pytest
from typing_extensions import TypeAliasType

from cohort.errors import CohortError, ParameterError
from cohort.errors.arguments import MistypedError, fits, in_words, with_reasons
from cohort.errors.files import MOST_BYTES, file_text
from cohort.footprint.training_runs import RunFactors


def ratio(above: float, below: float = 2, *more: float, exact: bool = False, **named: int) -> float:
    if more == (0.5,):
        raise AttributeError("a mistake of the function's own")
    return {"half": above / below}[(named and "whole") or "half"] + sum(more)


RATIO = with_reasons(ratio)


def test_what_fits_goes_through_unchanged():
    assert RATIO(1) == 0.5 and RATIO(1, below=4) == 0.25 and RATIO(1, 2, 1.0, exact=True) == 1.5
    assert RATIO.__name__ == "ratio" and RATIO.__wrapped__ is ratio and RATIO.__defaults__ == (2,)


@pytest.mark.parametrize(
    ("given", "named", "said"),
    [
        (("a",), {}, "above is 'a', but must be a number"),
        ((None, 1), {}, "above is None, but must be a number"),
        ((1, 2, "b"), {}, r"more is \('b',\), but must be a list of numbers"),
        ((1, 0), {}, r"ratio\(above=1, below=0, .*\) has no answer: division by zero"),
        ((10**400, 3), {}, r"above is 10+…, but must be finite"),
        ((1,), {"three": 3}, "named has no 'whole'"),
    ],
)
def test_what_is_wrong_is_said_of_the_argument(given, named, said):
    with pytest.raises(ParameterError, match=f"^{said}$") as raised:
        RATIO(*given, **named)
    assert raised.value.__cause__ is not None


def test_a_mistake_of_the_functions_own_stays_what_it_is():
    with pytest.raises(AttributeError, match="own"):
        RATIO(1, 2, 0.5)
    with pytest.raises(TypeError, match="missing 1 required"):
        RATIO()


def test_the_outermost_function_that_was_given_it_says_what_is_wrong():
    def outer(share: float) -> float:
        return RATIO(share)

    with pytest.raises(MistypedError, match=r"^share is 'a'"):
        with_reasons(outer)("a")


def test_containers_are_looked_into():
    assert fits(("a",), Sequence[str]) and not fits((1,), Sequence[str])
    assert fits({"a": 1.0}, Mapping[str, float]) and not fits({1: 1.0}, Mapping[str, float])
    assert in_words(Mapping[str, float] | None) == "a mapping of text to a number or None"


def test_a_type_that_was_given_a_name_is_that_type():
    """NumPy's arrays are such a type since 2.5, and so is what Python 3.12 calls by `type`."""
    item = TypeVar("item")
    shares = TypeAliasType("shares", list[float])
    many = TypeAliasType("many", list[item], type_params=(item,))
    assert fits([0.5], shares) and not fits(["a"], shares) and in_words(shares) == "a list of numbers"
    assert fits([1], many[int]) and not fits([0.5], many[int]) and in_words(many[int]) == "a list of integers"


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "x" * 5000, "\ud800"])
def test_a_message_is_one_line_that_can_be_printed(name):
    said = str(CohortError(f"unknown {name}, which is not known"))
    assert said.isprintable() and len(said) <= 400 and said.endswith("known")


def test_a_footprint_takes_no_negative_factor():
    with pytest.raises(ParameterError, match="pue is -1, but must be a finite number of at least 1"):
        RunFactors(pue=-1, **dict.fromkeys(FACTORS, 1.0))


FACTORS = (
    "grid_g_per_kwh", "wue_onsite", "wue_offsite", "embodied_kg", "embodied_water_l", "lifetime_years",
    "use_share", "power_w", "mfu", "development",
)  # fmt: skip


def test_a_file_larger_than_any_that_is_meant_is_not_opened(tmp_path):
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(OSError, match="larger than 64 MiB"):
        file_text(tmp_path / "huge")
