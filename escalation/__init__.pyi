# The public names and where they live; __init__.py loads them lazily from this list.
from .counts import check_counts as check_counts
from .errors import DataWarning as DataWarning
from .errors import EscalationError as EscalationError
from .errors import EscalationWarning as EscalationWarning
from .errors import FileError as FileError
from .errors import FitError as FitError
from .errors import InputError as InputError
from .errors import NotConvergedWarning as NotConvergedWarning
from .errors import PartialPeriodWarning as PartialPeriodWarning
from .flashpoint import FlashpointProbability as FlashpointProbability
from .flashpoint import first_passage as first_passage
from .flashpoint import flashpoint as flashpoint
from .forecast import Forecast as Forecast
from .incidents.aggregate import aggregate as aggregate
from .incidents.read import read_incidents as read_incidents
from .models.climatology import Climatology as Climatology
from .models.local_level import LocalLevel as LocalLevel
from .models.negative_binomial import NegativeBinomial as NegativeBinomial
from .models.negative_binomial import Pulse as Pulse
from .models.negative_binomial import Step as Step
from .periods import exposure as exposure
from .tallies.cases import Case as Case
from .tallies.cases import list_cases as list_cases
from .tallies.cases import load_case as load_case
from .tallies.kernels import default_kernels as default_kernels
from .tallies.read import read_tallies as read_tallies
from .tallies.reconstruct import Reconstruction as Reconstruction
from .tallies.reconstruct import reconstruct as reconstruct
from .trend import RateChange as RateChange
from .trend import compare_rates as compare_rates

__version__: str
