"""`python -m gpuagent.client` is `lem`."""

import sys

from gpuagent.client.command import main

if __name__ == "__main__":
    sys.exit(main())
