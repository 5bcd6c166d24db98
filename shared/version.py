"""The version of all there is: the stack, the protocol that it speaks, both clients and the React hooks.

This is where it stands. `make version V=0.2.0` changes it here and wherever else it is written (release/places.py
lists where), and tests/release holds that they agree. docs/compatibility.md says what a version promises.
"""

from typing import Final

VERSION: Final = "0.1.0"
