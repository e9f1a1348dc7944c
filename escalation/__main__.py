"""``python -m escalation`` is the command ``escalation``."""

import sys

from escalation.cli.process import run

if __name__ == "__main__":
    sys.exit(run())
