# The public names of this room and where they live; __init__.py loads them lazily from this list.
from .decisions import ActingRecord as ActingRecord
from .decisions import acting_record as acting_record
from .decisions import acting_threshold as acting_threshold
from .recalibration import Recalibration as Recalibration
from .recalibration import recalibrate as recalibrate
from .record import with_record as with_record
from .result import Backtest as Backtest
from .run import backtest as backtest
from .scoring import score_forecast as score_forecast
from .selection import Choice as Choice
from .selection import auto_model as auto_model
