"""The command ``escalation``: a module beside the package, so that an interruption while it loads is one line too."""

import os


def main() -> int:
    """Run the command of this process: its exit code."""
    try:
        from escalation.cli.process import run

        return run()
    except KeyboardInterrupt:  # before it is answered by escalation.cli.process
        os.write(2, b"interrupted\n")
        os._exit(130)
