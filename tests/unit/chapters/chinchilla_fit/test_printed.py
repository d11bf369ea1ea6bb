"""What the paper prints: exponents, misprints, and counts to the printed digit."""

import pytest
from chinchilla_fit import FIT

import cohort
from cohort.chapters.chinchilla_fit import printed

NAMED = {name: cohort.law(name) for name in ("hoffmann", "hoffmann-unrounded", "sardana")}


def test_the_exponents_that_the_printed_tables_imply():
    assert printed.implied_exponents().round(4).to_dict() == {1: 0.4981, 2: 0.4900, 3: 0.4586}


def test_misprints_are_found_by_the_tables_own_digits():
    table = printed.advice()
    wrong = table[table["misprint"]]
    found = set(zip(wrong["approach"], wrong["parameters"], strict=True))
    assert {(3, 67e9), (3, 175e9), (3, 280e9)} <= found
    assert len(found) == 4, "and the 67B of approach 1, whose 1.5T should read 1.4T"
    typo = table[(table["approach"] == 3) & (table["parameters"] == 175e9)].iloc[0]
    assert 1 / typo["ratio"] == pytest.approx(10, rel=1e-3), "1.26e24 should read 1.26e25"


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [("hoffmann", 1.57, 2.22), ("hoffmann-unrounded", 1.02, 1.18), ("sardana", 0.95, 1.08)],
)
def test_no_published_law_gives_back_the_table_of_its_approach(name, lowest, highest):
    table = printed.against_advice(NAMED).set_index(["approach", "law"]).loc[(3, name)]
    assert (round(table["lowest"], 2), round(table["highest"], 2)) == (lowest, highest)


def test_the_fit_is_nearer_to_the_other_approaches_than_the_papers_own_law():
    sizes = printed.size_errors({"fit": FIT.law, **NAMED})
    assert (sizes.loc["fit"] < sizes.drop("fit").min()).all()
    assert (sizes >= 1).all().all()


def test_the_models_of_table_a9_count_to_the_printed_digit():
    models = printed.chinchilla_models()
    assert len(models) == 50
    assert int(models["exact"].sum()) == 49
    assert models["gap"].abs().max() < 0.0072
    assert models["square"].abs().max() == pytest.approx(0.0734, abs=2e-4)


def test_table_a4_is_reproduced():
    listed = printed.chinchilla_models().dropna()
    assert listed["printed ratio"].tolist() == [1.03, 1.10, 1.08, 1.04, 1.03, 0.99]
    assert listed["counted ratio"].round(3).tolist() == [1.025, 1.101, 1.083, 1.044, 1.033, 0.994]
