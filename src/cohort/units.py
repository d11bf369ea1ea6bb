"""Units: how many of one make another, each once.

Memory is in binary units, and a data sheet's gigabyte is 1e9 bytes.
"""

KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40  # bytes
GB = 10**9  # bytes
SECONDS_PER_HOUR = 3600.0
HOURS_PER_YEAR = 8760.0
DAYS_PER_YEAR = 365.0
WH_PER_KWH = 1000.0
JOULES_PER_WH = 3600.0
JOULES_PER_KWH = 3.6e6
