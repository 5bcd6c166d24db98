"""The commands' tests use the laptop stack's fixtures."""

from tests.local.conftest import emulator, settings, watchdog

__all__ = ["emulator", "settings", "watchdog"]
