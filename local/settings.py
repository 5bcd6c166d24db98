"""Where the laptop stack lives and listens: `PARLEY_PORT` and `PARLEY_HOME`, and everything derived from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.errors import LocalError

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 4577
REGION = "us-east-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Settings:
    """One stack: its home folder holds all that it writes, so that several can stand side by side."""

    home: Path
    port: int
    root: Path = ROOT

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

    def log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def show(self, path: Path) -> str:
        """A path as a person would type it."""
        return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def read(environment: Mapping[str, str], root: Path = ROOT) -> Settings:
    """The settings that the environment asks for.

    Raises:
        LocalError: the port is none.

    """
    home = Path(environment.get("PARLEY_HOME") or ".parley").expanduser()
    return Settings(home=root / home, port=_port(environment.get("PARLEY_PORT") or str(DEFAULT_PORT)), root=root)


def _port(text: str) -> int:
    lowest, highest = 1024, 65535
    if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
        raise LocalError(
            f"PARLEY_PORT must be a number from {lowest} to {highest}, not {text!r}", "Try: PARLEY_PORT=4600 make up"
        )
    return int(text)
