"""`python -m tests.aws`: what AWS would say to the requests that a running laptop stack has recorded."""

from __future__ import annotations

import os
import sys

from local import settings as local_settings
from tests.e2e.recorded import deployment_of, verdict_on


def main() -> int:
    settings = local_settings.read(os.environ)
    if not settings.calls_file.exists():
        sys.stderr.write(f"{settings.show(settings.calls_file)} is not there: PARLEY_RECORD=on make up\n")
        return 2
    verdict = verdict_on(settings, deployment_of(settings))
    sys.stdout.write(f"{verdict}\n")
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())
