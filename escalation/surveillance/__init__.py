"""Surveillance methods: frozen options that judge each count by those before; :func:`escalation.alarms` runs them."""

from escalation.surveillance.bayes import BayesAlarm as BayesAlarm
from escalation.surveillance.cusum import CUSUM as CUSUM
from escalation.surveillance.ears import EARS as EARS
from escalation.surveillance.farrington import Farrington as Farrington
from escalation.surveillance.glr import GLR as GLR
from escalation.surveillance.run_length import RunLength as RunLength
from escalation.surveillance.run_length import cusum_run_length as cusum_run_length
