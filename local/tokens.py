"""JWTs for the laptop stack, minted with its own secret."""

import re
import time

import jwt

from local.errors import CommandError
from local.stack import Stack

DAY = 86_400
# The protocol's rule for user ids.
USER_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.@-]{1,128}")


def mint(stack: Stack, user: str, *, ttl: int = DAY, scope: str = "", now: float | None = None) -> str:
    """An HS256 token for `user`, valid for `ttl` seconds; `scope` gives it special rights, such as "admin".

    Raises:
        CommandError: no such user can be, or the stack takes no HS256 tokens.

    """
    if not USER_ID.fullmatch(user):
        raise CommandError(f"{user!r} is no user id", "Use 1 to 128 of A-Z a-z 0-9 _ . @ -, and neither . nor ..")
    issued = int(time.time() if now is None else now)
    claims: dict[str, object] = {"sub": user, "iat": issued, "exp": issued + ttl}
    checked = {"iss": stack.iss, "aud": stack.aud}
    if scope:
        claims["scope"] = scope
    claims |= {name: value for name, value in checked.items() if value is not None}
    return jwt.encode(claims, stack.jwt_secret, algorithm="HS256")
