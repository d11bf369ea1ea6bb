"""The device script: what an accelerator at hand attains, measured by `measure.py`."""
