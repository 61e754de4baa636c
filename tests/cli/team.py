"""A team: people with a home and keys of their own, and one repository with environments."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.cli.process import Program
from tests.conftest import AgeKey, make_age_key

Tool = Callable[[str], str]

RULES = """\
# who reads what
creation_rules:
  - path_regex: ^k8s/dev/.*\\.yaml$
    encrypted_regex: ^(data|stringData)$
    age:
      - {olga} # Olga, on call
      - {dan}
  - path_regex: ^k8s/prod/.*\\.yaml$
    encrypted_regex: ^(data|stringData)$
    age: {olga},{leo}
"""

NAMES = """\
version: 1
recipients:
  olga: {olga}
  dan: {dan}
  leo: {leo} # until March
"""

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: {name}
stringData:
  DB_PASSWORD: {value} # rotated in May
  TOKEN: "{value}-token"
"""

FILES = ("k8s/dev/app/secrets.yaml", "k8s/prod/app/secrets.yaml", "k8s/prod/mail/secrets.yaml")


class Team:
    """Olga operates dev and prod; Dan develops and opens dev; Leo will leave; Nina is new; Pat has no key."""

    def __init__(self, base: Path, tool: Tool) -> None:
        self.folder = base / "repository"
        self.folder.mkdir()
        self._base = base
        self._tool = tool
        self.keys: dict[str, AgeKey] = {}
        self.olga, self.dan, self.leo, self.nina = (self._person(name) for name in ("olga", "dan", "leo", "nina"))
        self.pat = self._program("pat", {})

    def recipient(self, name: str) -> str:
        """Return somebody's public key."""
        return self.keys[name].recipient

    def write(self, name: str, text: str) -> None:
        """Write a file of the repository, with recipients in the place of ``{name}``."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for person, key in self.keys.items():
            text = text.replace(f"{{{person}}}", key.recipient)
        path.write_text(text)

    def read(self, name: str) -> str:
        """Return the text of a file, with ``{name}`` in the place of recipients."""
        text = (self.folder / name).read_text()
        for person, key in self.keys.items():
            text = text.replace(key.recipient, f"{{{person}}}")
        return text

    def begin(self) -> None:
        """Write rules, names and files, encrypted by the real sops, and commit them."""
        self.write(".sops.yaml", RULES)
        self.write(".sealpy.yaml", NAMES)
        for name in FILES:
            _, environment, service, _ = name.split("/")
            self.write(name, SECRET.replace("{name}", service).replace("{value}", f"{environment}-{service}-canary"))
            ended = self.olga("encrypt", "-i", name, program=[self._tool("sops")])
            assert ended.code == 0, ended.err
        self.olga.git("init", "-q", ".")
        self.commit()

    def commit(self) -> None:
        """Commit everything."""
        self.olga.git("add", "-A")
        self.olga.git("commit", "-q", "-m", "x")

    def changed(self) -> list[str]:
        """Return the files that differ from the last commit."""
        return [line[3:] for line in self.olga.git("status", "--porcelain").splitlines()]

    def sops(self, name: str, file: str) -> tuple[int, str]:
        """Decrypt a file with the real sops and somebody's key; return its exit code and output."""
        person: Program = getattr(self, name)
        ended = person("decrypt", file, program=[self._tool("sops")])
        return ended.code, ended.out

    def readers(self, file: str) -> list[str]:
        """Return who opens a file with the real sops, MAC verified; Pat must not."""
        return [name for name in (*self.keys, "pat") if self.sops(name, file)[0] == 0]

    def together(self, one: str, other: str, file: str) -> bool:
        """Tell whether two people together open a file with the real sops, MAC verified."""
        person: Program = getattr(self, one)
        extra = {"SOPS_AGE_KEY": self.keys[other].identity}
        return person("decrypt", file, program=[self._tool("sops")], env=extra).code == 0

    def _person(self, name: str) -> Program:
        path = self._base / f"{name}.txt"
        self.keys[name] = make_age_key(self._tool, path)
        return self._program(name, {"SOPS_AGE_KEY_FILE": str(path)})

    def _program(self, name: str, env: Mapping[str, str]) -> Program:
        home = self._base / name
        home.mkdir()
        return Program(self.folder, home, env)


def shown(team: Team, name: str) -> str:
    """Write somebody as sealpy does: the name, and the recipient behind it."""
    return f"{name} ({short(team.recipient(name))})"


def short(recipient: str) -> str:
    """Write a recipient as it stands behind a name."""
    return f"{recipient[:6]}…{recipient[-2:]}"
