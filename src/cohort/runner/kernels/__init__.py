"""Kernels that start warm, and the execution of a notebook in one."""
