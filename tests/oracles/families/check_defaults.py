"""Compare ``configs/defaults.json`` with the classes of the reference library: ``python check_defaults.py FILE``.

A default that the class declares must be the one in the file. What the file has beyond, a class computes or
takes from a config without declaring it; false, null and fields that move no count are left out of the file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import arbiter  # noqa: F401  (sets the library quiet)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from cohort.architecture.configs.fields import ALIASES


def differing(family: str, defaults: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the fields whose default is another one in the class: in the file, and there."""
    fields = CONFIG_MAPPING[family].__dataclass_fields__
    found = {}
    for name, value in defaults.items():
        declared = next(
            (fields[each].default for each in ALIASES.get(name, (name,)) if each in fields), value
        )
        if isinstance(declared, (int, float, str, bool)) and declared != value:
            found[name] = (value, declared)
    return found


def main() -> None:
    """Print what differs, a line for each type, and how many types were compared."""
    recorded = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    known = [family for family in recorded if family in CONFIG_MAPPING]
    for family in known:
        found = differing(family, recorded[family][0])
        if found:
            print(family, found)
    print(len(known), "of", len(recorded), "types have a class in the library")


if __name__ == "__main__":
    main()
