"""Inputs that several panels ask for; a panel has its own default and parameter of each."""

from __future__ import annotations

from cohort.architecture.registered import model as read_model
from cohort.panels.inputs import Input
from cohort.registry.devices import accelerator

MODEL = Input(
    name="model",
    kind="name",
    default="llama-3-70b",
    label="Model",
    names="models",
    looked_up=read_model,
    parameter="model",
    help="Any model of the book, in any usual spelling.",
)

OWN_CONFIG = Input(
    name="config",
    kind="text",
    default="",
    label="Or a config.json of your own",
    help="Paste its text; it takes the place of the model. It stays in this page.",
)

ACCELERATOR = Input(
    name="accelerator",
    kind="name",
    default="H100 SXM 80GB",
    label="Accelerator",
    names="accelerators",
    looked_up=accelerator,
    parameter="accelerator",
    help="What it runs on.",
)

CONCURRENCY = Input(
    name="concurrency",
    kind="int",
    default=64,
    label="Answers at once",
    unit="answers",
    low=1,
    high=10**6,
    step=2,
    slider=(1, 1024),
    parameter="concurrency",
    help="Answers that are written at the same time.",
)

PROMPT = Input(
    name="input_tokens",
    kind="int",
    default=1024,
    label="Prompt",
    unit="tokens",
    low=1,
    high=10**7,
    step=2,
    slider=(16, 2**17),
    parameter="input_tokens",
    help="Length of each prompt.",
)

ANSWER = Input(
    name="output_tokens",
    kind="int",
    default=256,
    label="Answer",
    unit="tokens",
    low=1,
    high=10**6,
    step=2,
    slider=(16, 2**15),
    parameter="output_tokens",
    help="Length of each answer.",
)
