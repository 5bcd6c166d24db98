"""Makes the key pair that a deployment pushes to browsers with.

  python -m ops.web_push mailto:ops@example.com

Prints the public key for `web_push_key`, and the secret for Secrets Manager, whose ARN is `web_push_secret_arn`. The
subject is how a push service reaches a person where our pushes trouble it. With --check it reads a secret from stdin
and prints its public key. Ends with 2 for a subject or a secret that is none.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from functions.offline_push.web.encryption import encoded
from functions.offline_push.web.vapid import key_from


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m ops.web_push", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("subject", nargs="?", help="mailto: or https:")
    parser.add_argument("--check", action="store_true", help="say the public key of the secret that comes by stdin")
    chosen = parser.parse_args(arguments)
    try:
        secret = sys.stdin.read() if chosen.check else new_secret(chosen.subject or "")
        public_key = key_from(secret).public_key
    except ValueError:
        print("A subject begins with mailto: or https://; a secret is JSON with both", file=sys.stderr)
        return 2
    print(f"web_push_key={public_key}")
    if not chosen.check:
        print(f"secret: {secret}")
    return 0


def new_secret(subject: str) -> str:
    """The JSON for Secrets Manager, with a new private key."""
    scalar = generate_private_key(SECP256R1()).private_numbers().private_value.to_bytes(32, "big")
    return json.dumps({"private_key": encoded(scalar), "subject": subject})


if __name__ == "__main__":
    sys.exit(main())
