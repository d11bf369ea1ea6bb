"""Commands whose output is produced as the book is built: all is shown, and no failure is hidden."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docutils.parsers.rst import DirectiveError
from sessions import Session
from sums import sums


def session(folder: Path, *lines: str, arguments: tuple[str, ...] = (), **options: Any) -> Any:
    """A directive as Sphinx makes it, on a page of its own."""
    made = Session.__new__(Session)
    made.content, made.arguments, made.options = list(lines), list(arguments), options
    made.state = SimpleNamespace(
        document=SimpleNamespace(
            settings=SimpleNamespace(
                env=SimpleNamespace(
                    srcdir=str(folder),
                    docname="page",
                    temp_data={"sessions": True},
                    note_dependency=lambda name: None,
                )
            )
        )
    )
    made.set_source_info = lambda node: None
    made.directive_error = lambda level, message: DirectiveError(level, message)
    (folder / "_build" / "sessions" / "page").mkdir(parents=True, exist_ok=True)
    return made


def texts(directive: Any) -> list[str]:
    return [node.astext() for node in directive.run()]


def test_commands_stand_with_their_output_and_share_a_folder(tmp_path: Path) -> None:
    assert texts(session(tmp_path, "echo one > file", "cat file; echo two >&2")) == [
        "$ echo one > file\n$ cat file; echo two >&2\none\ntwo"
    ]
    program = ["with open('file') as file:", "    print(file.read())"]
    assert texts(session(tmp_path, *program, arguments=("python",))) == ["\n".join(program), "one"]


def test_files_of_the_book_lie_beside_the_commands(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "log.csv").write_text("time,watts\n", encoding="utf-8")
    assert texts(session(tmp_path, "cat log.csv", files="data/log.csv")) == ["$ cat log.csv\ntime,watts"]


def test_durations_are_left_out(tmp_path: Path) -> None:
    """However long they took: a number that is wider has less space before it."""
    (tmp_path / "said").write_text(
        "a finished    12.3 s\na finished     9.9 s\nb   0.1 s, 1.5 steps\n7.0 s\n", encoding="utf-8"
    )
    assert texts(session(tmp_path, "cat said", files="said")) == [
        "$ cat said\na finished …\na finished …\nb …, 1.5 steps\n…"
    ]


def test_a_command_that_ends_otherwise_than_stated_fails_the_build(tmp_path: Path) -> None:
    with pytest.raises(DirectiveError) as ended:
        session(tmp_path, "echo broken; exit 3").run()
    assert ended.value.msg == "'echo broken; exit 3' ended with status 3: broken\n"
    with pytest.raises(DirectiveError) as ended:
        session(tmp_path, "true", status=1).run()
    assert ended.value.msg == "'true' ended with status 0: "
    assert texts(session(tmp_path, "echo refused; exit 1", status=1)) == ["$ echo refused; exit 1\nrefused"]


def test_sums_are_those_of_every_file_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"abc")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "c").write_bytes(b"")
    assert sums(tmp_path) == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a/c\n"
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n"
    )
