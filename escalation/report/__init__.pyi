# The report, and where it is made; __init__.py loads it lazily from this list.
from .write import write_report as write_report
