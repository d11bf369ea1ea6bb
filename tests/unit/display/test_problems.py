"""Problems to work out, as readers see them."""

from cohort.display.problems import Problem, ProblemList

MEMORY = Problem("What do 8 billion weights in two bytes take?", ("8e9 × 2 bytes = 16e9 bytes",), "16 GB")


def test_a_list_shows_questions_and_keeps_steps_and_answers_behind_a_line():
    shown = ProblemList([MEMORY, MEMORY])._repr_html_()
    question, folded = shown.split("<details>")[:2]
    assert MEMORY.question in question and "16 GB" not in question
    assert "<summary>Solution</summary>" in folded
    assert "<li>8e9 × 2 bytes = 16e9 bytes</li>" in folded and "<strong>16 GB</strong>" in folded
    assert shown.count('<li class="problem">') == 2


def test_a_terminal_shows_everything_in_order():
    assert repr(ProblemList([MEMORY])) == (
        "1. What do 8 billion weights in two bytes take?\n   8e9 × 2 bytes = 16e9 bytes\n   16 GB"
    )


def test_a_name_runs_no_script():
    hostile = Problem("<script>alert(1)</script>", ("<b>",), "<i>")
    shown = ProblemList([hostile])._repr_html_()
    assert "<script>" not in shown and "<b>" not in shown and "<i>" not in shown
