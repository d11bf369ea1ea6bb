"""The package as a whole: what importing it loads, and how its names are found."""

import inspect
import subprocess
import sys

import pytest

import cohort


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_loads_none_of_the_large_libraries():
    code = (
        "import sys, cohort; print(sorted({'numpy', 'pandas', 'matplotlib', 'seaborn'} & set(sys.modules)))"
    )
    assert run(code) == "[]"


def test_the_formulas_need_the_standard_library_alone():
    code = (
        "import sys; before = set(sys.modules); import cohort;"
        "cohort.model('deepseek-v2').kv_cache_bytes(8192);"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(tops - set(sys.stdlib_module_names) - {'cohort'}))"
    )
    assert run(code) == "[]"


def test_submodules_load_lazily():
    assert run("import cohort; print(cohort.architecture.GroupedQuery(8, 2, 64).kind)") == "GQA"


def test_plurals_list_what_the_singular_knows():
    assert "llama-3-8b" in cohort.models()
    assert "model_facts" in cohort.tables()
    for listing in (cohort.models(), cohort.tables()):
        assert all(isinstance(name, str) for name in listing)
        assert len(set(listing)) == len(listing)


@pytest.mark.parametrize("name", ["accelerators", "grids", "laws", "models", "tables"])
def test_a_plural_is_a_plain_function(name):
    assert inspect.isfunction(getattr(cohort, name))
    assert inspect.signature(getattr(cohort, name)).parameters == {}


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'modle'"):
        _ = cohort.modle


def test_dir_names_the_look_ups():
    assert {"model", "models", "table", "CohortError"} <= set(dir(cohort))
