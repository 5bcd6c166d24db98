"""EventBridge invokes functions asynchronously, with the retries and the failure destination that each has set.

On its own MiniStack invokes them once, whatever comes of it.
"""

# ruff: noqa: SLF001  # MiniStack has no hook for this; its version is pinned

import json
import logging

from ministack.services import eventbridge, lambda_svc

log = logging.getLogger("parley.events")


def install() -> None:
    """Take the delivery to functions over. To be called before the emulator starts serving."""
    eventbridge._dispatch_to_lambda = _deliver


def _deliver(function_arn: str, event: str) -> None:
    function, config, name = lambda_svc._get_func_record_for_ref(function_arn)
    if function and config:
        lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), json.loads(event))
    else:
        log.warning("there is no function %s for an event", name)
