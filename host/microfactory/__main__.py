"""`python -m microfactory` is the command line."""

import sys

from microfactory.cli.main import main

sys.exit(main())
