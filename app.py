"""The CDK app: one stack, checked by cdk-nag on every synthesis."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what follows takes seconds, and its traceback tells a person nothing

# jsii warns about Node 20 on every call; the project supports it and says so in its README.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

from aws_cdk import App, Environment, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.bundling import Bundler
from infra.bytecode import HOST, LAMBDA, BundleError
from infra.config import Config, ConfigError
from infra.stack import ParleyStack, dependency_groups
from local import causes


def main() -> int:
    """Synthesize. A mistake that a person can correct is one line each, without a traceback."""
    app = App()
    try:
        config = Config.load(app.node.get_all_context(), os.environ)
        bundler = Bundler(Path(__file__).parent, HOST if config.is_local else LAMBDA)
        bundles = bundler.build(dependency_groups(config))
    except ConfigError as exc:
        print(*(f"Configuration: {problem}" for problem in exc.problems), sep="\n", file=sys.stderr)  # noqa: T201
        return 1
    except BundleError as exc:
        print(f"Bundle: {exc}", file=sys.stderr)  # noqa: T201
        return 1
    env = Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION"))
    ParleyStack(app, config=config, bundles=bundles, env=env)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    app.synth()
    return 0


def _guarded() -> int:
    """`main`, with a line for what the system refuses, and none for Ctrl-C, which the command that runs it tells of."""
    root = Path(__file__).parent
    try:
        return main()
    except OSError as exc:
        cause = causes.report(exc, causes.Place(root / ".parley", root))
        print(f"Synthesis: {cause.message}. {cause.hint}", file=sys.stderr)  # noqa: T201
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(_guarded())
