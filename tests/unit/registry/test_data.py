"""The data: valid against their description, complete, sourced and free of slips."""

import builtins
import datetime
import json
import re
import shutil
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from frictionless import validate
from reading import DATA, ROOT, table
from rows import each_of

import cohort
from cohort.architecture import registered
from cohort.chapters.judging import CHAPTERS, judge
from cohort.display.published_values import published_counts

PACKAGE = json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))


MODELS = table("models")
FACTS = table("model_facts")
COUNTS = {row["model"]: row for row in table("reference_counts")}
NAMES = [row["model"] for row in MODELS]
FACT = {(row["model"], row["field"]): row for row in FACTS}
UNITS = {
    "release_date": "date",
    "licence": "text",
    "total_parameters_published": "billion parameters",
    "active_parameters_published": "billion parameters",
    "training_tokens": "tokens",
    "training_context": "tokens",
    "inference_context": "tokens",
    "tokenizer_vocabulary": "tokens",
    "attention_stated": "text",
    "positional_encoding": "text",
    "normalisation": "text",
    "activation": "text",
    "encoders": "text",
    "alignment": "text",
    "data_curation": "text",
    "data_by_models": "text",
    "training_released": "text",
}
OF_THE_COHORT = ("alignment", "data_curation", "data_by_models", "training_released")
EVERY_MODEL = [field for field in UNITS if field not in ("tokenizer_vocabulary", "encoders", *OF_THE_COHORT)]
TABLES = {resource["name"]: resource for resource in PACKAGE["resources"]}


def columns(name: str) -> list[str]:
    return [field["name"] for field in TABLES[name]["schema"]["fields"]]


def source_columns(name: str) -> list[str]:
    return [column for column in columns(name) if column == "source" or column.endswith("_source")]


def sources(name: str) -> set[str]:
    """Every source of a table: of its values, or of the table as a whole."""
    keys = {row[column] for column in source_columns(name) for row in table(name)} - {""}
    return keys | {source["title"] for source in TABLES[name].get("sources", [])}


USED = set().union(*(sources(name) for name in TABLES))
BIB = (ROOT / "references.bib").read_text(encoding="utf-8")
BIB_KEYS = re.findall(r"^@\w+\{([^,\s]+),", BIB, re.MULTILINE)
CITATION = re.compile(
    r"(?:\{cite(?::\w+)?\}|:cite(?::\w+)?:)`([^`]+)`|\[[^\[\]]+\]\(\.\./bibliography\.md#([a-z0-9]+)\)"
)


def label(row: dict[str, str]) -> str:
    return f"{row['model']}/{row['field']}"


def number(model: str, field: str) -> int | None:
    row = FACT[model, field]
    unit = 10**9 if row["unit"] == "billion parameters" else 1
    return int(Decimal(row["value"]) * unit) if row["value"] else None


def texts_that_cite() -> list[Path]:
    files = [
        *ROOT.glob("*.md"),
        *ROOT.glob("api/*.md"),
        *(ROOT / "notebooks").glob("*.md"),
        *(ROOT / "notebooks").glob("*.ipynb"),
    ]
    return [*files, *(ROOT / "src").rglob("*.py")]


@cache
def cited() -> dict[str, str]:
    """Every key that a page, a notebook or a docstring cites, with one file that does."""
    return {
        key.strip(): str(path.relative_to(ROOT))
        for path in texts_that_cite()
        for groups in CITATION.findall(path.read_text(encoding="utf-8"))
        for key in "".join(groups).split(",")
    }


def with_references(name: str) -> list[str]:
    """A table and those that its foreign keys lead to: what decides whether it is valid."""
    found = [name]
    for each in found:
        keys = TABLES[each]["schema"].get("foreignKeys", [])
        found += [
            key["reference"]["resource"] for key in keys if key["reference"]["resource"] not in ("", *found)
        ]
    return found


def errors(folder: Path) -> list[str]:
    report = validate(str(folder / "datapackage.json"))
    return [error.message for task in report.tasks for error in task.errors] + [
        error.message for error in report.errors
    ]


# --- the package


@pytest.mark.slow
def test_the_package_is_valid() -> None:
    report = validate(str(DATA / "datapackage.json"))
    assert [error.message for task in report.tasks for error in task.errors] == []
    assert report.valid


def test_every_table_is_described() -> None:
    assert {f"{resource['name']}.csv" for resource in PACKAGE["resources"]} == {
        path.name for path in DATA.glob("*.csv")
    }


@each_of("resource", PACKAGE["resources"], ids=lambda resource: str(resource["name"]))
def test_every_table_and_column_says_what_it_is(resource: dict[str, object]) -> None:
    assert resource["title"]
    assert str(resource["description"]).endswith(".")
    schema = resource["schema"]
    assert isinstance(schema, dict)
    for field in schema["fields"]:
        assert field["description"].endswith("."), field["name"]
        assert field["type"] != "integer" or field["unit"], field["name"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("models", "llama-2-13b,Llama 2 13B,", "llama-2-7b,Llama 2 13B,", "primary key"),
        ("models", "Meta,cohort,", "Meta,favourite,", "enum"),
        ("model_facts", "llama-2-7b,licence,", "llama-9-7b,licence,", "foreign key"),
        ("model_facts", ",billion parameters,stated,", ",kilograms,stated,", "enum"),
        ("model_facts", ",date,stated,", ",date,rumoured,", "enum"),
        ("model_facts", "llama-2-7b,licence,", "llama-2-7b,license,", "enum"),
        ("model_facts", ",stated,llama2card,", ",stated,,", "required"),
        ("reference_counts", "6738415616", "6.7B", "type"),
        ("reference_counts", "\ndbrx,", "\ndbrx-2,", "foreign key"),
    ],
)
def test_the_description_catches_a_fault(
    tmp_path: Path, name: str, old: str, new: str, complaint: str
) -> None:
    concerned = with_references(name)
    package = {**PACKAGE, "resources": [TABLES[each] for each in concerned]}
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    for each in concerned:
        shutil.copy(DATA / f"{each}.csv", tmp_path)
    broken = tmp_path / f"{name}.csv"
    text = broken.read_text(encoding="utf-8")
    assert old in text
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = errors(tmp_path)
    assert any(complaint in message.replace("PrimaryKey", "primary key").lower() for message in found), found


# --- models


def test_every_config_is_a_model_and_every_model_has_a_config() -> None:
    assert sorted(NAMES) == sorted(path.stem for path in (DATA / "configs").glob("*.json"))


def test_the_cohort_comes_first_in_the_order_of_the_post() -> None:
    cohort = [row["model"] for row in MODELS if row["group"] == "cohort"]
    assert cohort == [
        "llama-2-7b",
        "llama-2-13b",
        "llama-2-70b",
        "gemma-7b",
        "command-r-v01",
        "dbrx",
        "mixtral-8x22b-v0.1",
        "llama-3-8b",
        "llama-3-70b",
        "phi-3-mini-4k",
        "phi-3-small-8k",
        "phi-3-medium-4k",
        "snowflake-arctic",
        "deepseek-v2",
    ]
    groups = [row["group"] for row in MODELS]
    assert groups == sorted(groups, key=["cohort", "reference", "modern"].index)


@pytest.mark.parametrize("group", ["reference", "modern"])
def test_the_other_groups_are_ordered_by_release(group: str) -> None:
    dates = [FACT[row["model"], "release_date"]["value"] for row in MODELS if row["group"] == group]
    assert dates == sorted(dates)


# --- facts


def test_every_model_has_every_field() -> None:
    assert [(name, field) for name in NAMES for field in EVERY_MODEL if (name, field) not in FACT] == []


@pytest.mark.parametrize("field", OF_THE_COHORT)
def test_what_makers_say_of_training_is_given_for_the_cohort_alone(field: str) -> None:
    assert [row["model"] for row in FACTS if row["field"] == field] == [
        row["model"] for row in MODELS if row["group"] == "cohort"
    ]


def test_facts_are_in_the_order_of_the_models_and_fields() -> None:
    fields = next(
        field["constraints"]["enum"]
        for resource in PACKAGE["resources"]
        if resource["name"] == "model_facts"
        for field in resource["schema"]["fields"]
        if field["name"] == "field"
    )
    assert set(fields) == set(UNITS)
    places = [(NAMES.index(row["model"]), fields.index(row["field"])) for row in FACTS]
    assert places == sorted(places)


@each_of("row", FACTS, ids=label)
def test_a_fact_is_well_formed(row: dict[str, str]) -> None:
    assert row["unit"] == UNITS[row["field"]]
    assert (row["value"] == "") == (row["status"] == "undisclosed")
    assert row["note"] or row["status"] not in ("inferred", "contested"), "says why"
    assert all(text == text.strip() for text in row.values())
    if row["value"] and row["unit"] == "date":
        assert datetime.date(2019, 1, 1) < datetime.date.fromisoformat(row["value"])
    elif row["value"] and row["unit"] == "tokens":
        assert re.fullmatch(r"[1-9][0-9]*", row["value"])
    elif row["value"] and row["unit"] == "billion parameters":
        assert re.fullmatch(r"(0|[1-9][0-9]*)(\.[0-9]+)?", row["value"])
        assert float(row["value"]) > 0


SCALES = {"k": 3, "m": 6, "b": 9, "t": 12, "million": 6, "billion": 9, "trillion": 12}
PRINTED = re.compile(
    r"^printed as (?:a \w+(?: context length)? of )?([\d.,]+) ?(million|billion|trillion|[kKMBT])?\b"
)


@each_of("row", [row for row in FACTS if row["note"].startswith("printed as")], ids=label)
def test_the_value_is_the_printed_one(row: dict[str, str]) -> None:
    match = PRINTED.match(row["note"])
    assert match, row["note"]
    digits, scale = match[1].replace(",", ""), SCALES[match[2].lower()] if match[2] else 0
    # Contexts are printed in thousands and meant in powers of two.
    unit = 1024 ** (scale // 3) if row["field"].endswith("_context") else 10**scale
    assert round(float(digits) * unit) == int(row["value"])


@each_of("name", NAMES)
def test_published_sizes_are_near_the_exact_ones(name: str) -> None:
    total, active = number(name, "total_parameters_published"), number(name, "active_parameters_published")
    assert total
    assert active
    assert active <= total
    # A size that counts the towers of vision and audio is larger than the decoder: by a sixth in Gemma 3n.
    towers = re.search("vision|multimodal", FACT[name, "total_parameters_published"]["note"])
    # The widest gaps upwards are those of names that leave the embedding out (Gemma).
    assert (0.84 if towers else 0.95) < int(COUNTS[name]["total"]) / total < 1.26
    # Small mixtures print what is active without the embedding: Granite 4.0 H Tiny 1 billion for 1.47 in all.
    assert (0.84 if towers else 0.9) < int(COUNTS[name]["active"]) / active < 1.5


# Published figures that no way of counting gives, each with what else they count or how they were printed.
UNEXPLAINED = {
    "GPT-3 175B": "printed with a digit more than it holds; the weights were never released",
    "Mistral 7B": "the announcement prints 7.3 for 7.24",
    "GLM-4.5": "355 where the config has 352.8 without its layer of prediction",
    "GLM-4.6": "as GLM-4.5",
    "GLM-4.7": "as GLM-4.5",
    "Llama 4 Scout": "the whole multimodal model",
    "Gemma 3n E2B": "with vision and audio",
    "Gemma 3n E4B": "with vision and audio",
    "Gemma 4 26B-A4B": "with the vision tower",
    "Gemma 4 E4B": "with vision and audio",
    "Qwen3.5 397B-A17B": "with the vision tower",
    "Step 3.7 Flash": "with the vision encoder",
    "MiniMax-M3": "with the vision tower; active: 23, where others count 26 from the same config",
    "Kimi K2": "printed as 1 trillion",
    "Kimi K2.5": "printed as 1 trillion",
    "DeepSeek-V4-Pro": "printed as 1.6 trillion",
    "LongCat-Flash": "active: an average over tokens that visit experts without weights",
    "Mistral Small 4 119B": "active: 6.5 for 6.63",
}


def test_published_sizes_are_the_derived_ones_rounded_or_cut_off() -> None:
    frames = [published_counts(NAMES), published_counts(NAMES, active=True)]
    without = {name for frame in frames for name, found in frame["readings"].items() if not found}
    assert without == set(UNEXPLAINED)
    # What the towers or the rounding to trillions add stays small beside the whole.
    gaps = frames[0].loc[[name for name in UNEXPLAINED if name in frames[0].index], "gap"].abs()
    assert gaps.max() < 0.15


def test_shapes_are_many_and_distinct() -> None:
    """Models that differ in what they count; a repeated shape is a later training of the same."""
    parts = ("total", "active", "active_without_input_embedding")
    shapes = {tuple(COUNTS[name][part] for part in parts) for name in NAMES}
    assert len(NAMES) >= 170
    assert len(shapes) >= 147


@each_of("name", NAMES)
def test_what_a_reader_asks_first_is_known(name: str) -> None:
    fields = ("release_date", "licence", "inference_context", "total_parameters_published")
    for field in fields:
        row = FACT[name, field]
        assert row["value"], field
        assert row["source"], field
        assert row["status"] in ("stated", "derived", "inferred", "contested"), field


@each_of("name", NAMES)
def test_counts_are_those_of_the_reference_implementation(name: str) -> None:
    model, row = cohort.model(name), COUNTS[name]
    assert model.parameters == int(row["total"])
    assert model.active_parameters == int(row["active"])
    assert model.active_parameters_without_embedding == int(row["active_without_input_embedding"])


def test_listing_the_models_reads_no_config(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    keep = builtins.open

    def note(file: object, *args: object, **kwargs: object) -> object:
        opened.append(str(file))
        return keep(file, *args, **kwargs)  # type: ignore[call-overload]

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a config was parsed")

    monkeypatch.setattr(builtins, "open", note)
    monkeypatch.setattr(registered, "read", fail)
    monkeypatch.setattr(registered, "_load", fail)
    assert sorted(cohort.models()) == sorted(NAMES)
    assert [file for file in opened if file.endswith(".json")] == []


@each_of("name", NAMES)
def test_a_dense_model_uses_all_it_has(name: str) -> None:
    count = COUNTS[name]
    published = [number(name, f"{kind}_parameters_published") for kind in ("total", "active")]
    assert (count["total"] == count["active"]) == (published[0] == published[1])


@each_of("name", NAMES)
def test_contexts_and_tokens_are_plausible(name: str) -> None:
    training, inference = number(name, "training_context"), number(name, "inference_context")
    assert inference
    assert inference % 1024 == 0
    assert training is None or (training % 1024 == 0 and training <= inference)
    tokens = number(name, "training_tokens")
    assert tokens is None or 5 * 10**10 < tokens < 10**14


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("llama-3-70b", "training_tokens", 15_000_000_000_000),
        ("mixtral-8x7b-v0.1", "total_parameters_published", 46_700_000_000),
        ("deepseek-v2", "training_tokens", 8_100_000_000_000),
        ("phi-3-small-8k", "training_context", 8192),
        ("command-r-v01", "inference_context", 131072),
        ("command-r-v01", "training_tokens", None),
        ("mixtral-8x22b-v0.1", "training_context", None),
    ],
)
def test_known_values(name: str, field: str, value: int | None) -> None:
    assert number(name, field) == value


# --- reference counts


def test_every_model_is_counted() -> None:
    assert list(COUNTS) == NAMES


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("llama-2-7b", (6738415616, 6738415616, 6607343616)),
        ("mixtral-8x22b-v0.1", (140620634112, 39152031744, 38955423744)),
        ("deepseek-v2", (235741434880, 21375800320, 20851512320)),
        ("snowflake-arctic", (478584608768, 17318647808, 17089271808)),
        ("llama-4-maverick", (400711848960, 17184691200, 16150205440)),
    ],
)
def test_known_counts(name: str, counts: tuple[int, int, int]) -> None:
    columns = ("total", "active", "active_without_input_embedding")
    assert tuple(int(COUNTS[name][column]) for column in columns) == counts


@each_of("name", NAMES)
def test_counts_nest(name: str) -> None:
    row = COUNTS[name]
    assert int(row["active_without_input_embedding"]) <= int(row["active"]) <= int(row["total"])


# --- sources and units

# Sources of a part of a row, which may be missing where that part is: column -> the values it stands for.
BESIDE = {
    "price_source": ("price_low_usd_per_hour", "price_high_usd_per_hour"),
    "embodied_source": ("embodied_kgco2e",),
    "driver_memory_source": ("driver_memory_mib", "cuda_memory_mib"),
}


@each_of("name", [name for name in TABLES if name not in ("units", "aliases")])
def test_every_value_has_a_source(name: str) -> None:
    found = source_columns(name)
    assert found or TABLES[name].get("sources"), "neither a column nor the table names a source"
    for column in found:
        for row in table(name):
            valued = column not in BESIDE or any(row[value] for value in BESIDE[column])
            assert bool(row[column]) == valued, row


def test_every_unit_is_in_the_list() -> None:
    known = {row["unit"] for row in table("units")}
    used = {row["unit"] for name in TABLES if "unit" in columns(name) for row in table(name)} - {""}
    stated = {
        field["unit"]
        for resource in TABLES.values()
        for field in resource["schema"]["fields"]
        if "unit" in field
    }
    assert sorted((used | stated) - known) == []


@pytest.mark.slow
def test_every_unit_of_the_list_is_used() -> None:
    used = {
        row["unit"] for name in TABLES if name != "units" and "unit" in columns(name) for row in table(name)
    }
    stated = {
        field["unit"]
        for resource in TABLES.values()
        for field in resource["schema"]["fields"]
        if "unit" in field
    }
    judged = {each.unit for chapter in CHAPTERS for each in judge(chapter)}
    assert sorted({row["unit"] for row in table("units")} - used - stated - judged) == []


def test_every_source_is_in_the_bibliography() -> None:
    assert sorted(USED - set(BIB_KEYS)) == []


def test_every_citation_is_in_the_bibliography() -> None:
    assert {key: path for key, path in cited().items() if key not in BIB_KEYS} == {}


def test_every_entry_of_the_bibliography_is_used() -> None:
    used = USED | cited().keys()
    assert [key for key in BIB_KEYS if key not in used] == []


def test_the_bibliography_is_clean() -> None:
    assert sorted(BIB_KEYS) == BIB_KEYS
    assert len(set(BIB_KEYS)) == len(BIB_KEYS)
    assert "$" not in BIB
    entries = BIB.split("\n@")
    for field in ("author", "title", "year", "url"):
        assert [entry for entry in entries if not re.search(rf"^  {field} += \{{.+\}},$", entry, re.M)] == []
    addresses = re.findall(r"^  url += \{(.+)\},$", BIB, re.MULTILINE)
    assert [address for address in addresses if not address.startswith("https://")] == []


def test_the_standing_of_every_source_is_stated() -> None:
    stated = re.findall(
        r"`([a-z0-9]+)`", (DATA / "LICENSE.md").read_text(encoding="utf-8").partition("## Sources")[2]
    )
    assert set(stated) == USED
