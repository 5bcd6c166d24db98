"""What holds for every test."""

from __future__ import annotations

try:
    from hypothesis import HealthCheck, settings
except ImportError:
    pass  # a function's tests also run where only its own dependencies are installed
else:
    # A slow machine is no finding: no example has a time limit.
    settings.register_profile("parley", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("quick", settings.get_profile("parley"), max_examples=10)  # make check
    settings.load_profile("parley")
