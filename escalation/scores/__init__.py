"""Scores of forecasts: arrays in, arrays out, smaller is better (but :func:`auroc` and :func:`average_precision`).

Draws go along the last axis, one score comes out for each forecast, and a score is NaN where the observation or the
forecast is; what sums cells up (:func:`brier_decomposition`, :func:`reliability_curve`, :func:`auroc`,
:func:`average_precision`, :func:`pit`) leaves out what was not observed and refuses what has no forecast.
"""

from escalation.scores.brier import BrierDecomposition as BrierDecomposition
from escalation.scores.brier import ReliabilityCurve as ReliabilityCurve
from escalation.scores.brier import brier as brier
from escalation.scores.brier import brier_decomposition as brier_decomposition
from escalation.scores.brier import reliability_curve as reliability_curve
from escalation.scores.calibration import cdf_pair as cdf_pair
from escalation.scores.calibration import pit as pit
from escalation.scores.calibration import pit_coverage as pit_coverage
from escalation.scores.calibration import pit_draws as pit_draws
from escalation.scores.closed_form import crps_nbinom as crps_nbinom
from escalation.scores.closed_form import crps_poisson as crps_poisson
from escalation.scores.crps import crps as crps
from escalation.scores.crps import twcrps as twcrps
from escalation.scores.energy import energy_score as energy_score
from escalation.scores.ignorance import VIEWS_BINS as VIEWS_BINS
from escalation.scores.ignorance import ignorance as ignorance
from escalation.scores.intervals import coverage as coverage
from escalation.scores.intervals import interval_score as interval_score
from escalation.scores.intervals import quantile_score as quantile_score
from escalation.scores.log_score import log_score as log_score
from escalation.scores.log_score import log_score_draws as log_score_draws
from escalation.scores.log_score import log_score_nbinom as log_score_nbinom
from escalation.scores.log_score import log_score_poisson as log_score_poisson
from escalation.scores.moments import dawid_sebastiani as dawid_sebastiani
from escalation.scores.moments import dawid_sebastiani_moments as dawid_sebastiani_moments
from escalation.scores.points import mean_calibration_ratio as mean_calibration_ratio
from escalation.scores.points import msle as msle
from escalation.scores.points import tadda1 as tadda1
from escalation.scores.points import tadda2 as tadda2
from escalation.scores.ranked_probability import ranked_probability_score as ranked_probability_score
from escalation.scores.ranking import auroc as auroc
from escalation.scores.ranking import average_precision as average_precision
