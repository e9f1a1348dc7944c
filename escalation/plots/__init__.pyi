# The charts, and where they live; __init__.py loads them lazily from this list.
from .backtest_charts import pit as pit
from .backtest_charts import reliability as reliability
from .backtest_charts import scores as scores
from .excitation_charts import excitation as excitation
from .flashpoint_charts import first_passage as first_passage
from .forecast_charts import forecast as forecast
from .forecast_charts import models as models
from .growth_charts import growth as growth
from .nowcast_charts import nowcast as nowcast
from .severity_charts import fatality_tail as fatality_tail
from .severity_charts import lethality as lethality
from .tally_charts import counts as counts
from .tally_charts import reconstruction as reconstruction
from .trend_charts import trend as trend
from .watching_charts import alarms as alarms
from .watching_charts import changes as changes
from .watching_charts import regimes as regimes
