"""What each live panel of the book asks and answers, for the standard library alone.

The page *Explore* runs this package itself, in the reader's browser; what a panel shows there is what
`ask` returns here. A panel is a module: its ``PANEL`` lists the inputs, and its ``work_out`` turns their
values into sentences, numbers, a table and drawings by calling the formula wings. Panels belong to the book:
a checkout and the book's pages have them, an installed wheel does not.
"""

from cohort.panels.asking import ask, defaults, panel, panels

__all__ = ["ask", "defaults", "panel", "panels"]
