"""The command `sectile`: `python -m sectile --help`."""

import sys

from ._sectile import run


def main() -> int:
    """Runs the command with the arguments of this process."""
    sys.stdout.flush()
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
