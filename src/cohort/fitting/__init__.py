"""Certified fits of a scaling law to training runs, and their bootstrap.

The estimator of the third approach of :cite:t:`hoffmann2022chinchilla`, and others by name, because the
choice moves the answer. A fit is returned only with the proof that it is a minimum.
"""

from cohort.errors import extras

with extras():
    from cohort.fitting.bootstrap import Bootstrap
    from cohort.fitting.certified import Fit, FitError, fit, predicted
    from cohort.fitting.forms import FORMS
    from cohort.fitting.predictions import Prediction, predict
    from cohort.fitting.profiles import Profile
    from cohort.fitting.search import LOSSES

__all__ = [
    "FORMS",
    "LOSSES",
    "Bootstrap",
    "Fit",
    "FitError",
    "Prediction",
    "Profile",
    "fit",
    "predict",
    "predicted",
]
