"""The law that tests of two chapters look at: fitted once for all files of a worker."""

from cohort.fitting import chinchilla_runs, fit

FIT = fit(*chinchilla_runs.columns(chinchilla_runs.runs()))
