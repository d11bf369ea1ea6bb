"""Units: how many of one make another, each once.

Memory is in binary units, and a data sheet's gigabyte is 1e9 bytes.
"""

KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40  # bytes
GB = 10**9  # bytes
BYTES = {"KiB": KIB, "MiB": MIB, "GiB": GIB, "TiB": TIB, "kB": 10**3, "MB": 10**6, "GB": GB, "TB": 10**12}
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
SECONDS_PER_HOUR = 3600.0
HOURS_PER_DAY = 24.0
HOURS_PER_YEAR = 8760.0
DAYS_PER_YEAR = 365.0
WH_PER_KWH = 1000.0
JOULES_PER_KWH = 3.6e6
G_PER_KG = 1000.0
KG_PER_TONNE = 1000.0
MILLION, BILLION, TRILLION = 10**6, 10**9, 10**12
