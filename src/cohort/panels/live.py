"""What the page sends and gets: text in JSON, so that nothing of Python's reaches into the page."""

from __future__ import annotations

import json
from typing import Any

from cohort.architecture.registered import model, models
from cohort.errors import CohortError
from cohort.errors.arguments import explain
from cohort.footprint import grids
from cohort.panels.asking import ask, panel
from cohort.panels.inputs import RefusedError
from cohort.panels.markup import answer_html
from cohort.panels.states import fragment, papermill
from cohort.registry.devices import accelerators


def respond(text: str) -> str:
    """Return the answer to what a page asks.

    Parameters
    ----------
    text : str
        JSON with ``panel``, its name, and ``inputs``, what the fields hold by name.

    Returns
    -------
    str
        JSON with ``html``; ``said``, the answer in a sentence; ``keep``: ``link``, ``papermill``, ``python``
        and ``csv``; ``answer``, as `cohort.panels.answers.Answer.as_dict` has it; and ``matters``, the inputs
        that do. Or with ``errors``, a sentence by the name of the field.
    """
    asked = json.loads(text)
    name = asked["panel"]
    try:
        found = ask(name, **asked["inputs"])
    except RefusedError as error:
        return json.dumps({"errors": error.fields})
    except CohortError as error:
        return json.dumps({"errors": {"": str(error)}})
    keep = {
        "link": fragment(name, found.values),
        "papermill": papermill(name, found.values),
        "python": f"import cohort\n\n{found.python}",
        "csv": found.csv(),
    }
    matters = [each.name for each in panel(name).inputs if each.matters(found.values)]
    told: dict[str, Any] = {
        "html": answer_html(found),
        "said": found.sentences[0],
        "keep": keep,
        "answer": found.as_dict(),
        "matters": matters,
    }
    return json.dumps(told, ensure_ascii=False)


def names() -> str:
    """Return the names that fields propose, by list, as JSON."""
    known = models()
    mixtures = [name for name in known if model(name).experts is not None]
    return json.dumps(
        {"models": known, "mixtures": mixtures, "accelerators": accelerators(), "grids": grids()},
        ensure_ascii=False,
    )


explain(__name__)
