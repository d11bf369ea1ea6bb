"""Parameters: what a cell may hold, what a value may be, and that papermill reads the same."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from synthetic import CHAPTERS, PARAMETERS, code, good, make, markdown, write

from cohort.errors import NotebookError, ParameterError, UnknownNameError
from cohort.runner.notebook.document import read_notebook
from cohort.runner.parameter_cells import (
    TYPES,
    Parameter,
    Text,
    as_list,
    convert,
    read_parameters,
    validate,
)
from cohort.runner.parameter_sources import from_text, from_yaml, from_yaml_file


def read(source: str) -> list[Parameter]:
    return read_parameters("chapter", make(markdown("# Title"), code(source, "p", "parameters")))


def wanting(kind: str) -> Parameter:
    return Parameter("x", kind, 0, "Help.")


def test_reads_every_type() -> None:
    assert read(PARAMETERS) == [
        Parameter("context", "int", 8192, "Context, in tokens."),
        Parameter("budget", "float", 5.76e23, "Training compute, in FLOP."),
        Parameter("model", "str", "llama-3-8b", "A model by name."),
        Parameter("causal", "bool", True, "Whether tokens look back only."),
        Parameter("models", "list[str]", ["llama-3-8b", "dbrx"], "Rows of the table."),
        Parameter("contexts", "list[int]", [8192, 65536], "Contexts to compare, in tokens."),
        Parameter("shares", "list[float]", [0.5, -1.0], "Shares to draw."),
    ]


LONG_LIST = """\
seed: int = 0  # Seed of the draws.
models: list[str] = [
    "llama-3-8b", "dbrx",

    # The rest.
    "gemma-7b",
]  # Rows of the table.
shares: list[float] = [
    0.5,
    1.0
]  # Shares to draw."""


def test_a_list_may_go_over_several_lines(tmp_path: Path) -> None:
    seed, models, shares = read(LONG_LIST)
    assert models == Parameter(
        "models", "list[str]", ["llama-3-8b", "dbrx", "gemma-7b"], "Rows of the table."
    )
    assert (seed.default, shares.default, shares.help) == (0, [0.5, 1.0], "Shares to draw.")
    assert_papermill_agrees(write(tmp_path / "n.ipynb", make(code(LONG_LIST, "p", "parameters"))))


def test_a_notebook_without_parameters_has_none() -> None:
    assert read_parameters("chapter", make(code("x = 1"))) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x = 3  # Help.", "is no parameter"),
        ("x: int = 3", "is no parameter"),
        ("x: int = 3  #", "is no parameter"),
        ("x: int = 3  # More than y = 4.", "is no parameter"),
        ("x: bool = 1 == 1  # Help.", "is no parameter"),
        ('x: str = "#ff0000"  # Help.', "is no parameter"),
        ("x: int | None = 3  # Help.", "is no parameter"),
        ("x: tuple[int, ...] = (1, 2)  # Help.", "is no parameter"),
        ("import os", "is no parameter"),
        ("  x: int = 3  # Help.", "is no parameter"),
        ("x: list[int] = [1,", "is no parameter"),
        ("x: list[int] = [\n    1,\ny: int = 2  # Help.", "is no parameter"),
        ("x: list[int] = [\n    1,  # one\n]  # Help.", "papermill would misread its help"),
        ("x: list[int] = [\n    1,\n]", "is no parameter"),
        ("x: list[int] = [\n    1 + 1,\n]  # Help.", "is not a literal"),
        ("x: dict = 3  # Help.", "the type dict is not one of int, float, str, bool, list[str]"),
        ("x: list[bool] = [True]  # Help.", "the type list[bool] is not one of"),
        ("x: int = 3  # See #4.", "papermill would misread its help"),
        ("x: int = 3  # type: float", "papermill would misread its help"),
        ("x: int = 2 * 4  # Help.", "is not a literal"),
        ("x: str = model  # Help.", "is not a literal"),
        ("x: float = 20  # Help.", "not of type float (write 20.0 for a float)"),
        ("x: int = 3.0  # Help.", "not of type int"),
        ("x: int = True  # Help.", "not of type int"),
        ("x: int = None  # Help.", "not of type int"),
        ("x: list[int] = 3  # Help.", "not of type list[int]"),
        ("x: int = [3]  # Help.", "not of type int"),
        ('x: list[int] = [1, "2"]  # Help.', "not of type list[int]"),
        ("x: float = 1e999  # Help.", "not finite"),
        ("class: int = 3  # Help.", "cannot be a variable"),
        ("3x: int = 3  # Help.", "cannot be a variable"),
        ("context: int = 1  # Help.\ncontext: int = 2  # Help.", "context is already a parameter"),
    ],
)
def test_a_line_outside_the_grammar_is_refused_by_name(line: str, reason: str) -> None:
    with pytest.raises(NotebookError) as raised:
        read(line)
    message = str(raised.value)
    assert reason in message
    assert message.startswith("chapter, cell 2 [p] `")
    assert "\n" not in message


def test_two_cells_of_parameters_are_refused() -> None:
    cells = [code("x: int = 3  # Help.", name, "parameters") for name in ("a", "b")]
    with pytest.raises(NotebookError, match="2 cells are tagged parameters"):
        read_parameters("chapter", make(*cells))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_papermill_reads_the_same_in_every_chapter(path: Path) -> None:
    assert_papermill_agrees(path)


def test_papermill_reads_the_same_in_a_cell_of_every_type(tmp_path: Path) -> None:
    assert_papermill_agrees(write(tmp_path / "n.ipynb", good()))


def assert_papermill_agrees(path: Path) -> None:
    from papermill import inspect_notebook

    ours = read_parameters(path.stem, read_notebook(path))
    theirs = inspect_notebook(path)
    assert list(theirs) == [parameter.name for parameter in ours]
    for parameter in ours:
        seen = theirs[parameter.name]
        assert seen["inferred_type_name"] == parameter.type
        assert ast.literal_eval(seen["default"]) == parameter.default
        assert seen["help"] == parameter.help


@pytest.mark.parametrize("path", [*CHAPTERS, None], ids=lambda path: path.stem if path else "every type")
def test_papermills_help_lists_every_parameter(path: Path | None, tmp_path: Path) -> None:
    path = path or write(tmp_path / "n.ipynb", good())
    from papermill.cli import papermill

    printed = CliRunner().invoke(papermill, ["--help-notebook", str(path)])
    assert printed.exit_code == 0
    assert "Unable to parse" not in printed.stderr
    for parameter in read_parameters(path.stem, read_notebook(path)):
        assert f"  {parameter.name}: {parameter.type} (default " in printed.stdout
        assert parameter.help in printed.stdout


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "65536", 65536),
        ("int", "-1", -1),
        ("int", "10_000", 10000),
        ("int", "6e24", 6 * 10**24),
        ("int", "4096.0", 4096),
        ("float", "6e24", 6e24),
        ("float", "3", 3.0),
        ("float", ".5", 0.5),
        ("bool", "true", True),
        ("bool", "False", False),
        ("list[str]", "llama-3-8b, dbrx", ["llama-3-8b", "dbrx"]),
        ("list[int]", "8192,6e4", [8192, 60000]),
        ("list[float]", "1,2.5", [1.0, 2.5]),
    ],
)
def test_a_value_means_the_same_on_the_command_line_and_in_yaml(kind: str, text: str, value: object) -> None:
    for given in (from_text([("x", text)]), from_yaml(f"x: {text}", "-y")):
        converted = convert(wanting(kind), given["x"])
        assert converted == value
        assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "4.5"),
        ("int", "true"),
        ("int", "many"),
        ("int", "nan"),
        ("int", "1e400"),
        ("int", "1e999999999999999999999"),
        ("float", "inf"),
        ("float", ".nan"),
        ("float", "false"),
        ("float", "1.2.3"),
        ("bool", "1"),
        ("bool", "yes"),
        ("list[int]", "1,x"),
        ("list[int]", "1,,2"),
        ("list[float]", "1,nan"),
        ("list[str]", "a,,b"),
    ],
)
def test_a_value_of_another_type_is_refused_naming_the_type_wanted(kind: str, text: str) -> None:
    for given in (from_text([("x", text)]), from_yaml(f"x: {text}", "-y")):
        with pytest.raises(ParameterError) as raised:
            convert(wanting(kind), given["x"])
        assert f" {kind} such as " in str(raised.value)
        assert str(raised.value).startswith("parameter x takes ")
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "yaml"),
    [
        ("str", "8"),
        ("str", "true"),
        ("str", "[a]"),
        ("str", "null"),
        ("int", "'8192'"),
        ("float", "'6e24'"),
        ("int", "[8192]"),
        ("list[int]", "8192"),
        ("list[int]", "[1, true]"),
        ("list[str]", "[a, 8]"),
        ("list[str]", "{a: b}"),
        ("bool", "'true'"),
    ],
)
def test_yaml_has_types_of_its_own(kind: str, yaml: str) -> None:
    with pytest.raises(ParameterError, match="parameter x takes "):
        convert(wanting(kind), from_yaml(f"x: {yaml}", "-y")["x"])


def test_text_stays_text_whatever_it_looks_like() -> None:
    assert convert(wanting("str"), Text("8")) == "8"
    assert convert(wanting("str"), from_yaml("x: no", "-y")["x"]) == "no"
    assert convert(wanting("str"), from_yaml("x: 2024-05-07", "-y")["x"]) == "2024-05-07"
    assert convert(wanting("str"), from_yaml("x: !!str 8", "-y")["x"]) == "8"


def test_yaml_is_that_of_version_1_2() -> None:
    text = "a: [on, off, y, 1:30, 0x1F, 0o17, 010, ~, true]\nb: &b {c: 1}\nd: *b"
    assert from_yaml(text, "-y") == {
        "a": ["on", "off", "y", "1:30", 31, 15, 10, None, True],
        "b": {"c": 1},
        "d": {"c": 1},
    }


def test_plain_python_values_convert_too() -> None:
    import numpy as np

    assert convert(wanting("int"), 4096.0) == 4096
    assert convert(wanting("int"), np.int64(8)) == 8
    assert convert(wanting("list[float]"), [1, Decimal("6e24")]) == [1.0, 6e24]
    with pytest.raises(ParameterError, match="as a float it is not exact"):
        convert(wanting("int"), 6e24)
    with pytest.raises(ParameterError, match="takes an int"):
        convert(wanting("int"), np.True_)


@pytest.mark.parametrize("kind", TYPES)
def test_what_a_type_gives_it_also_takes(kind: str) -> None:
    defaults = {parameter.type: parameter.default for parameter in read(PARAMETERS)}
    assert convert(wanting(kind), defaults[kind]) == defaults[kind]


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"parameter of chapter: 'contxt'; did you mean 'context'"):
        validate("chapter", read(PARAMETERS), {"contxt": 1})


# Each line stands for nine of the line before: the last for half a thousand million values.
BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{level}: &a{level} [{','.join(9 * [f'*a{level - 1}'])}]\n" for level in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x: [1, 2", "is not YAML"),
        ("- x", "give names with values"),
        ("1: 2", "give names with values"),
        ("x: 1\nx: 2", "'x' is given twice"),
        ("x: !!python/object/apply:os.getcwd []", "is not YAML"),
        ("x: &a [*a]", "is not YAML"),
        ("x: !color red", "a value of the kind '!color' is not plain"),
        ("x: !!set {a}", "a value of the kind 'set' is not plain"),
        ("? [a]\n: 1", "a key is not plain"),
        ("x: 1\n---\nx: 2", "is not YAML"),
        (BOMB, "more than 100,000 values or 50 levels"),
        (f"x: {'[' * 60}{']' * 60}", "more than 100,000 values or 50 levels"),
    ],
)
def test_yaml_that_gives_no_values_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(ParameterError) as raised:
        from_yaml(text, "-y")
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_of_parameters(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("context: 65536\nmodels:\n  - llama-3-8b\n  - dbrx\n", encoding="utf-8")
    assert from_yaml_file(file) == {"context": 65536, "models": ["llama-3-8b", "dbrx"]}
    file.write_text("", encoding="utf-8")
    assert from_yaml_file(file) == {}
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="is not text in UTF-8"):
        from_yaml_file(file)
    with pytest.raises(ParameterError, match="cannot be read"):
        from_yaml_file(tmp_path / "absent.yaml")


def test_a_list_parameter_that_plain_papermill_passed_as_text() -> None:
    assert as_list("llama-3-8b, dbrx") == ["llama-3-8b", "dbrx"]
    assert as_list(["llama-3-8b"]) == ["llama-3-8b"]
    assert as_list("8192,65536", int) == [8192, 65536]
    assert as_list(8192, int) == [8192]
    assert as_list(0.5, float) == [0.5]
    for wrong in (True, None, {"a": 1}, "1,x"):
        with pytest.raises(ParameterError, match=r"a list\[int\] such as 1,2 is wanted"):
            as_list(wrong, int)
