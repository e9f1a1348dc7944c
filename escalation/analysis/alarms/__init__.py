"""Surveillance methods: which periods stand out, and what a method costs while nothing changes."""

from escalation.analysis.alarms.bayes import BayesAlarm as BayesAlarm
from escalation.analysis.alarms.cusum import CUSUM as CUSUM
from escalation.analysis.alarms.cusum_run_length import RunLength as RunLength
from escalation.analysis.alarms.cusum_run_length import cusum_run_length as cusum_run_length
from escalation.analysis.alarms.ears import EARS as EARS
from escalation.analysis.alarms.farrington import Farrington as Farrington
from escalation.analysis.alarms.glr import GLR as GLR
