"""`python -m counterfoil` is the command `counterfoil`."""

import sys

from counterfoil.cli import main

if __name__ == "__main__":
    sys.exit(main())
