"""Where the laptop stack lives and listens: `PARLEY_PORT` and `PARLEY_HOME`, and everything derived from them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.config import unknown_variables
from local.errors import CommandError

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 4577
REGION = "us-east-1"
ACCOUNT = "000000000000"
# Everything that there is in a stack's home.
HOME_NAMES = frozenset(
    {
        *("state", "objects", "emulator", "tmp", "chats", "providers", "logs", "cdk.out"),
        *("stack.json", "jwt-secret", "deployment.json", "emulator.json", "providers.json", "lock"),
        *("outputs.json", "aws-outputs.json", "doctor.md", "doctor.json", "calls.jsonl", ".DS_Store"),
    }
)
# Controls, half of a surrogate pair (for a byte that is no UTF-8), and what separates values in a configuration.
_NO_PATH = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff,]")
KEYS = "docs/configuration.md and docs/local-stack.md list all that there are"


@dataclass(frozen=True)
class Settings:
    """One stack: its home folder holds all that it writes, so that several can stand side by side."""

    home: Path
    port: int
    root: Path = ROOT
    records: bool = False  # whether what functions ask of AWS is written down

    @property
    def endpoint(self) -> str:
        """What the functions and the URLs use. A name: browsers' rules about origins know `localhost`."""
        return f"http://localhost:{self.port}"

    @property
    def address(self) -> str:
        """What AWS clients here use: with an address they put a bucket into the path, and need no DNS for it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def tools(self) -> Path:
        return self.root / ".tools"

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def objects(self) -> Path:
        return self.home / "objects"

    @property
    def calls_file(self) -> Path:
        """A line for each signed request of a function, where they are recorded."""
        return self.home / "calls.jsonl"

    @property
    def temp(self) -> Path:
        return self.home / "tmp"

    @property
    def chats(self) -> Path:
        return self.home / "chats"

    @property
    def stack_file(self) -> Path:
        return self.home / "stack.json"

    @property
    def secret_file(self) -> Path:
        return self.home / "jwt-secret"

    @property
    def deployment_file(self) -> Path:
        return self.home / "deployment.json"

    @property
    def process_file(self) -> Path:
        return self.home / "emulator.json"

    @property
    def providers(self) -> Path:
        return self.home / "providers"

    @property
    def providers_file(self) -> Path:
        return self.home / "providers.json"

    @property
    def lock_file(self) -> Path:
        return self.home / "lock"

    def check_home(self) -> None:
        """A home holds what a stack has written, or nothing: `up` and `reset` empty folders in it.

        Raises:
            CommandError: it holds other things.

        """
        if self.lock_file.exists() or not self.home.is_dir():
            return
        strange = sorted(path.name for path in self.home.iterdir() if path.name not in HOME_NAMES)
        if strange:
            message = f"PARLEY_HOME is {self.home}, which holds other things, such as {strange[0]}"
            raise CommandError(message, "It has to be a folder of its own, for example: PARLEY_HOME=~/parley make up")

    def log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def show(self, path: Path) -> str:
        """A path as a person would type it."""
        return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def read(environment: Mapping[str, str], root: Path = ROOT) -> Settings:
    """The settings that the environment asks for.

    Raises:
        CommandError: a variable is misspelt, the port is none, or the folder can't be one.

    """
    if problems := unknown_variables(environment):
        raise CommandError(problems[0], KEYS if len(problems) == 1 else f"And {len(problems) - 1} more. {KEYS}")
    home = home_of(environment, root)
    port = _port(environment.get("PARLEY_PORT") or str(DEFAULT_PORT))
    return Settings(home=home, port=port, root=root, records=_is_on("PARLEY_RECORD", environment))


def home_of(environment: Mapping[str, str], root: Path = ROOT) -> Path:
    """The folder of the stack that the environment asks for.

    Raises:
        CommandError: no folder can have that name, or AWS's and the functions' configuration could not carry it.

    """
    text = environment.get("PARLEY_HOME") or ".parley"
    if _NO_PATH.search(text):
        raise CommandError(f"PARLEY_HOME can't be {text!a}", "A path without commas and control characters will do")
    try:
        return root / Path(text).expanduser()
    except RuntimeError:
        raise CommandError(f"PARLEY_HOME is {text}, and there is no such user", "Name the folder by its path") from None


def _is_on(name: str, environment: Mapping[str, str]) -> bool:
    value = environment.get(name) or "off"
    if value not in {"on", "off"}:
        raise CommandError(f"{name} must be on or off, not {value!a}", f"Try: {name}=on make up")
    return value == "on"


def _port(text: str) -> int:
    lowest, highest = 1024, 65535
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(highest)) and lowest <= int(text) <= highest):
        raise CommandError(
            f"PARLEY_PORT must be a number from {lowest} to {highest}, not {text!r}", "Try: PARLEY_PORT=4600 make up"
        )
    return int(text)
