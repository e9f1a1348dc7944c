# The public names of this room and where they live; __init__.py loads them lazily from this list.
from .kernels import default_kernels as default_kernels
from .read import read_tallies as read_tallies
from .reconstruct import Reconstruction as Reconstruction
from .running import PressTotal as PressTotal
from .running import running_totals as running_totals
from .together import CounterRatios as CounterRatios
from .vintages import Vintages as Vintages
from .vintages import known_by as known_by
