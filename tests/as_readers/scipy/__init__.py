"""In the place of SciPy, which the tests of fits have beside them and a reader's environment has not.

Kernels of the tests find this first: they draw and compute as for readers. They also start sooner, since
seaborn imports SciPy where it finds it.
"""

raise ModuleNotFoundError("No module named 'scipy': readers have none", name="scipy")
