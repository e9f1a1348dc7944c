"""Charts, one family a file; only this folder and the report import matplotlib."""
