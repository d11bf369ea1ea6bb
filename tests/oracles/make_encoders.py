"""Write ``encoders.json``: weights of the encoders before the registered models, as transformers has them.

Run from the repository root, with the ``oracle`` extra installed: ``python tests/oracles/make_encoders.py``.
Counted is what the class of the whole release registers outside its text decoder, on the meta device.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ENCODERS = Path(__file__).with_name("encoders.json")
CONFIGS = Path(__file__).parents[2] / "data" / "configs"


def described() -> dict[str, dict[str, Any]]:
    """Return the registered configs that describe an encoder, by name."""
    configs = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in CONFIGS.glob("*.json")}
    return {name: config for name, config in sorted(configs.items()) if config.get("vision_config")}


def count(config: dict[str, Any]) -> dict[str, int]:
    """Return the weights that encode images and those that encode sound, with what joins them."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    fields = {name: value for name, value in config.items() if name != "quantization_config"}
    settings = transformers.AutoConfig.for_model(**fields)
    with torch.device("meta"):
        model = transformers.AutoModelForImageTextToText.from_config(settings)
    counts = {"image": 0, "sound": 0}
    for name, parameter in model.named_parameters():
        if "language_model" not in name and "lm_head" not in name:
            counts["sound" if "audio" in name else "image"] += parameter.numel()
    return counts


def main() -> None:
    """Count every encoder and write the answers, one a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(count(config))}" for name, config in described().items()]
    ENCODERS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(lines)} counts in {ENCODERS.name}")


if __name__ == "__main__":
    main()
