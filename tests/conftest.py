"""What holds for every test."""

from __future__ import annotations

import asyncio
import inspect

import pytest

LONGEST_S = 300.0  # what hangs fails; a busy machine does not

try:
    from hypothesis import HealthCheck, settings
except ImportError:
    pass  # a function's tests also run where only its own dependencies are installed
else:
    # A slow machine is no finding: no example has a time limit.
    settings.register_profile("parley", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("quick", settings.get_profile("parley"), max_examples=10)  # make check
    settings.load_profile("parley")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that is a coroutine gets an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**given), LONGEST_S))
    return True
