"""Logs of power and energy as meters write them: read, put on one clock, summed with their error."""

from cohort.footprint.logs.channels import Channel, PowerLog
from cohort.footprint.logs.reading import LAYOUTS, read_logs

__all__ = ["LAYOUTS", "Channel", "PowerLog", "read_logs"]
