"""`make up`: from nothing to a stack that answers, doing only what is not done yet."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from local import deployment, function_log, health, interrupts, page, server, stack, tokens
from local.console import step
from local.errors import CommandError
from local.providers import process as push_servers
from local.providers.ports import Ports
from local.settings import Settings
from local.stack import Stack

HEALTH_SECONDS = 20.0
# Only for the handshake that shows that the stack is up; a minute is enough.
PROBE_USER = "parley-health-check"
PROBE_TTL = 60


def up(settings: Settings) -> Stack:
    """Start what does not run, deploy what has changed, and return when the stack answers.

    Raises:
        CommandError: some step failed.

    """
    deployment.check_configuration(settings)
    with alone(settings):
        page.build(settings)
        _start(settings)
        pushes = _start_push_servers(settings)
        wanted = deployment.wanted(settings, pushes)
        deployed = deployment.read(settings)
        if deployed.fingerprint == wanted and (known := _running(settings)):
            with step("deploy") as line:
                line.result = "nothing has changed"
            interrupts.let_go_of_all()
            return known
        if not deployed.bootstrapped:
            with step("bootstrap"):
                deployment.bootstrap(settings)
        with step("deploy"):
            current = deployment.deploy(settings, wanted, pushes)
        _wait_until_healthy(settings, current)
        interrupts.let_go_of_all()
        return current


def _start(settings: Settings) -> None:
    with step("emulator") as line:
        running = server.find(settings)
        if running is not None and running.port != settings.port:
            raise CommandError(
                f"This stack runs on port {running.port}, not {settings.port}", server.other_port(running, settings)
            )
        if running is None:
            running = server.start(settings)
            line.result = f"started on port {settings.port}, process {running.process.pid}"
        elif server.wait_until_ready(settings):
            server.remember(settings, running)
            line.result = f"runs on port {settings.port}, process {running.process.pid}"
        else:
            raise CommandError(
                f"The emulator (process {running.process.pid}) does not answer", "Run: make down, make up"
            )


def _start_push_servers(settings: Settings) -> Ports:
    with step("push servers") as line:
        running = push_servers.find(settings)
        if running is not None and not push_servers.is_current(settings):
            push_servers.stop(settings)
            running = None
        if running is None:
            running = push_servers.start(settings)
            line.result = f"started on port {running.ports.inspection}, process {running.process.pid}"
        elif push_servers.is_ready(running.ports):
            push_servers.remember(settings, running)
            line.result = f"run on port {running.ports.inspection}, process {running.process.pid}"
        else:
            hint = "Run: make down, make up"
            raise CommandError(f"The push servers (process {running.process.pid}) do not answer", hint)
    return running.ports


def _running(settings: Settings) -> Stack | None:
    """The stack that was deployed before, if it answers."""
    try:
        known = stack.read(settings.stack_file)
        if known.jwt_secret_file is not None:
            known.jwt_secret  # noqa: B018  # a secret that is gone is written again by deploying
    except CommandError:
        return None
    return known if health.http_answers(known) else None


def _wait_until_healthy(settings: Settings, deployed: Stack) -> None:
    with step("health") as line:
        if not health.wait_for_http(deployed, HEALTH_SECONDS):
            raise _unhealthy(settings, f"{deployed.http_url}/v1/health does not answer with 200")
        line.result = "HTTP answers"
        if deployed.jwt_secret_file is None:
            return
        token = tokens.mint(deployed, PROBE_USER, ttl=PROBE_TTL)
        if not health.wait_for_websocket(deployed, token, HEALTH_SECONDS):
            raise _unhealthy(settings, f"{deployed.ws_url} refuses the handshake")
        line.result = "HTTP and WebSocket answer"


def _unhealthy(settings: Settings, message: str) -> CommandError:
    words = function_log.last_words(settings.log("functions"))
    return CommandError(message, f"Last words: {words}\n  See more with: make logs")


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold off a second `make up`, `down` or `reset` of the same stack.

    A killed one leaves the lock to the CDK that it has started, which inherits it, until that has ended.
    """
    settings.check_home()
    settings.home.mkdir(parents=True, exist_ok=True)
    with settings.lock_file.open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                "Another make up, down or reset is at work on this stack",
                "Wait for it to end; of one that was killed, the CDK works on for a minute or so",
            ) from None
        yield


def down(settings: Settings) -> None:
    """Stop the emulator and then the push servers, which its last pushes go to; all but what they received stays."""
    with alone(settings):
        stop(settings)


def stop(settings: Settings) -> None:
    """As `down`, for who holds the lock."""
    with step("emulator") as line:
        line.result = "stopped, its state is kept" if server.stop(settings) else "was not running"
    with step("push servers") as line:
        line.result = "stopped" if push_servers.stop(settings) else "were not running"
