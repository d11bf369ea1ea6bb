"""The lowest layer: files to values, and clear errors where there are none."""

import subprocess
import sys
import zipfile
from pathlib import Path

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


def test_the_wheel_carries_the_data(tmp_path):
    """The built wheel, unpacked far from the checkout, answers as the checkout does."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    root = str(Path(facts.data_folder()).parent)
    subprocess.run([*build, "--wheel-dir", str(tmp_path), root], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    code = (
        "import cohort; from cohort.registry import facts;"
        "print(facts.data_folder(), cohort.model('llama-3-8b').parameters, len(facts.tables()))"
    )
    # Without site-packages (-S) nothing but the unpacked wheel can answer.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path / "unpacked",
    )
    folder, parameters, tables = done.stdout.split()
    assert folder.startswith(str(tmp_path))
    assert (int(parameters), int(tables)) == (8_030_261_248, len(facts.tables()))


def test_a_row_by_its_full_key() -> None:
    assert facts.row("equivalences", name="Mammoth, by design")["value"] == "36000"
    with pytest.raises(CohortError, match="the table equivalences has 0 rows with name 'no such', but must"):
        facts.row("equivalences", name="no such")
    with pytest.raises(CohortError, match=r"the table facilities has \d+ rows with provider 'Google'"):
        facts.row("facilities", provider="Google")
    with pytest.raises(UnknownNameError):
        facts.row("no_such_table")
