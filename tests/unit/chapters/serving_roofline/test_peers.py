"""This book's errors beside those of a peer: the table, and each turn that its sentence can take."""

import pandas as pd
from reading import table

from cohort.chapters.serving_roofline import comparisons, words


def frame(**groups: tuple[float, float]) -> pd.DataFrame:
    """Return errors of this book and of the peer by ``by_group``, an underscore between both."""
    index = pd.MultiIndex.from_tuples([tuple(name.split("_")) for name in groups], names=["by", "group"])
    columns = {
        "rows": 1000,
        "cohort": [ours for ours, _ in groups.values()],
        "cohort_ninth_decile": 33.2,
        "aiconfigurator": [theirs for _, theirs in groups.values()],
        "aiconfigurator_ninth_decile": 51.7,
        "roofline": 60.0,
        "version": "1.2",
        "date": "2026-11-27",
    }
    return pd.DataFrame(columns, index=index)


FIRST = frame(all_all=(35.0, 41.0))


def test_where_the_peer_is_nearer_is_said():
    token = frame(
        all_all=(12.0, 14.0), kind_dense=(5.0, 9.0), kind_mixture=(15.0, 15.5), engine_SGLang=(20.4, 12.5)
    )
    said = words.beside_peer(token, FIRST)
    assert "the same 1,000 services on 2026-11-27, aiconfigurator in version 1.2" in said
    assert (
        "- *Time per token*: its median error is 14%, this book's 12%, that of the roofline alone 60%."
        in said
    )
    assert "Nine in ten of its times are within 52%, of this book's within 33%." in said
    assert "aiconfigurator is nearer for services of SGLang (12% against 20%)." in said
    assert "This book is nearer for dense models (5% against 9%)." in said
    assert "Neither is nearer by a tenth for mixtures." in said
    assert "- *First token*: its median error is 41%, this book's 35%." in said


def test_nothing_is_said_of_groups_that_there_are_not():
    said = words.beside_peer(frame(all_all=(12.0, 14.0), kind_mixture=(10.0, 20.0)), FIRST)
    assert "aiconfigurator is nearer" not in said and "Neither" not in said
    assert "This book is nearer for mixtures (10% against 20%)." in said


def test_the_table_counts_each_service_once_by_each_way_to_group_them():
    rows = table("serving_peers")
    whole = {row["time_of"]: int(row["rows"]) for row in rows if row["by"] == "all"}
    assert whole["token"] > whole["first token"] > 500
    for row in rows:
        assert int(row["rows"]) <= whole[row["time_of"]]
    for what, by in ((what, by) for what in whole for by in ("kind", "engine")):
        counted = sum(int(row["rows"]) for row in rows if (row["time_of"], row["by"]) == (what, by))
        assert counted == whole[what]
    assert len({(row["version"], row["date"]) for row in rows}) == 1


def test_the_chapter_reads_the_whole_first():
    token = comparisons.errors_beside_peer("token")
    assert token.index[0] == ("all", "all")
    assert "time_of" not in token.columns
