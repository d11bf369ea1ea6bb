"""Tables for readers: numbers as they are read."""

import pandas as pd

from cohort.display.reader_tables import readable


def test_a_large_number_has_no_decimals_and_separators_between_its_thousands():
    frame = pd.DataFrame({"time (ms)": [22260.44, 9999.94, -13645.7, 4.0]}, index=list("abcd"))
    assert list(readable(frame, {"time (ms)": ".1f"}).text["time (ms)"]) == [
        "22,260",
        "9999.9",
        "-13,646",
        "4.0",
    ]
    assert readable(frame, {"time (ms)": "+.1f"}).text.loc["a", "time (ms)"] == "+22,260"


def test_exponents_are_written_as_powers_of_ten():
    frame = pd.DataFrame({"FLOP": [3.8e25, 8.09e22, 1e23, 12.5]}, index=list("abcd"))
    assert list(readable(frame, {"FLOP": ".3g"}).text["FLOP"]) == [
        "3.8 × 10²⁵",
        "8.09 × 10²²",
        "10²³",
        "12.5",
    ]
