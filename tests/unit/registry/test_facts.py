"""The lowest layer: files to values, and clear errors where there are none."""

import pytest

from cohort.errors import CohortError, UnknownNameError
from cohort.registry import facts
from cohort.registry.facts import Fact


def test_a_fact_knows_its_number():
    assert Fact("15000000000000", "tokens", "stated", "k").number == 15_000_000_000_000
    assert Fact("46.7", "billion parameters", "stated", "k").number == 46.7
    assert Fact("", "tokens", "undisclosed", "k").number is None
    with pytest.raises(CohortError, match="is not a number"):
        _ = Fact("RoPE", "text", "stated", "k").number


def test_facts_of_a_model():
    known = facts.of_model("llama-3-8b")
    assert known["training_tokens"].number == 15 * 10**12
    assert known["training_tokens"].status == "stated"
    assert all(fact.status in facts.STATUSES for fact in known.values())


@pytest.mark.parametrize("name", ["model_fact", "../references", "", "models.csv"])
def test_an_unknown_table_names_the_nearest(name):
    with pytest.raises(UnknownNameError, match="unknown table"):
        facts.rows(name)


def test_an_unknown_model_has_no_facts():
    with pytest.raises(UnknownNameError, match="did you mean 'llama-3-8b'"):
        facts.of_model("llama-3-8")


def test_rows_are_copies():
    facts.rows("models")[0]["title"] = "changed"
    assert facts.rows("models")[0]["title"] != "changed"


def test_every_table_has_a_schema():
    for name in facts.tables():
        columns = [field["name"] for field in facts.schema(name)["schema"]["fields"]]
        assert columns == list(facts.rows(name)[0])


def test_a_row_by_its_full_key() -> None:
    assert facts.row("equivalences", name="Mammoth, by design")["value"] == "36000"
    with pytest.raises(CohortError, match="the table equivalences has 0 rows with name 'no such', but must"):
        facts.row("equivalences", name="no such")
    with pytest.raises(CohortError, match=r"the table facilities has \d+ rows with provider 'Google'"):
        facts.row("facilities", provider="Google")
    with pytest.raises(UnknownNameError):
        facts.row("no_such_table")
