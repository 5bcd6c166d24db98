"""The commands' tests use the laptop stack's fixtures."""

from tests.local.conftest import emulator, settings

__all__ = ["emulator", "settings"]
