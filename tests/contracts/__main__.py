"""Compares the simulation's tables with DynamoDB Local: the same random requests must have the same answers.

    PARLEY_DYNAMODB_ENDPOINT=http://localhost:8000 python -m tests.contracts --requests 20000 --seed 7

Ends with status 1 at the first difference, and shows it.
"""

from __future__ import annotations

import argparse
import os
import sys
from random import SystemRandom

from tests.contracts.comparison import difference
from tests.contracts.engines import ENDPOINT, empty, remove, service
from tests.dynamodb import Store


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.contracts", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    options = parser.parse_args()
    if ENDPOINT not in os.environ:
        parser.error(f"{ENDPOINT} must say where DynamoDB Local is, as http://localhost:8000")
    with service(os.environ[ENDPOINT]) as judge:
        empty(judge)
        found = difference(Store(), judge, requests=options.requests, seed=options.seed)
        remove(judge)
    alike = f"{options.requests} requests answered alike"
    sys.stdout.write(f"seed {options.seed}: {found or alike}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
