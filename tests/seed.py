"""The seed of this run's random documents: fresh each time, printed, and given again to repeat a run."""

import os
import secrets

VARIABLE = "HYPOTHESIS_DOCUMENTS_SEED"

# Workers of one run inherit the variable, so that all of them draw from one seed.
SEED = int(os.environ.setdefault(VARIABLE, str(secrets.randbelow(2**32))))
