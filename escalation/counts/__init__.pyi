# The public names of this room and where they live; __init__.py loads them lazily from this list.
from .periods import exposure as exposure
from .schema import check_counts as check_counts
from .series import CountSeries as CountSeries
