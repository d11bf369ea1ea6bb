"""What readers see: numbers in words, tables, figures' common parts and the book's theme.

The wording of numbers needs the standard library alone; tables and figures load with their own modules.
"""

from cohort.display.words import binary, bullets, counted, mass, plainly, ranged, say, scaled, significant

__all__ = ["binary", "bullets", "counted", "mass", "plainly", "ranged", "say", "scaled", "significant"]
