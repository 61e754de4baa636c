"""People at work: a home, a key and a clone of one bare repository for each, and the programs on their path.

Nothing is called that a person could not type: a command line is run by a shell, in that person's clone, and what a
refusal tells them to do next is taken out of its text and run as it stands.
"""

import re
import shlex
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.cli.process import Ended, Program, at_a_terminal
from tests.cli.team import Team, Tool, short
from tests.conftest import AgeKey

# What counts on a terminal while it works, and takes itself away.
_PROGRESS = re.compile(r"\r[^\r\n]*\033\[K")
_COMMIT = re.compile(r"(?<![\w/.-])(?:[0-9a-f]{7}|[0-9a-f]{10})(?![\w/-])")
_NEXT = re.compile(r"(?:sealpy: hint: | +to mend it: )(.+)")
_QUOTED = re.compile(r'"((?:sealpy|git) [^"]+)"')
_BARE = re.compile(r"(?:^|: )((?:sealpy|git) .+)$")

KUSTOMIZATION = """\
resources:
  - secrets.yaml
"""


class Person(Program):
    """Somebody with a home of their own, at work in a clone of the repository."""

    def __init__(self, folder: Path, home: Path, env: Mapping[str, str], crew: "Crew") -> None:
        super().__init__(folder, home, env)
        self.name = home.name
        self.home = home
        self.advice: list[str] = []
        """The commands that the last text of a program told this person to type, in their order."""
        self._crew = crew

    def types(self, line: str, *, stdin: str = "") -> Ended:
        """Type a line into a shell; what it prints has recipients and commits by their names."""
        ended = self(line, stdin=stdin, program=["bash", "-c"])
        self.advice = [*_commands(ended.err), *_commands(ended.out)]
        return Ended(ended.code, self.told(ended.out), self.told(ended.err))

    def does(self, line: str, *, stdin: str = "") -> str:
        """Type a line that has to succeed, and return all that it says."""
        ended = self.types(line, stdin=stdin)
        assert ended.code == 0, ended.err
        return ended.err + ended.out

    def told(self, text: str) -> str:
        """Write recipients as ``age1…olga``, commits as ``<their subject>``, and this person's folders as ``~``."""
        for name, key in self._crew.team.keys.items():
            text = text.replace(key.recipient, f"age1…{name}").replace(short(key.recipient), f"age1…{name}")
        text = text.replace(f"{self.home}/", "~/").replace(f"{self.folder}/", "")
        return _COMMIT.sub(self._subject, text)

    def pulls(self) -> None:
        """Bring the clone to what everybody has."""
        self.git("pull", "-q", "--ff-only")

    def pushes(self, message: str, branch: str = "main") -> None:
        """Commit all there is, and push it."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", "origin", f"HEAD:{branch}")

    def takes(self, branch: str) -> None:
        """Bring the clone to a branch as it is at the remote."""
        self.git("fetch", "-q")
        self.git("switch", "-q", branch)
        self.git("merge", "-q", "--ff-only", f"origin/{branch}")

    def branches(self, name: str) -> None:
        """Begin a branch."""
        self.git("switch", "-q", "-c", name)

    def answers(self, line: str, *pairs: tuple[str, str]) -> tuple[int, str]:
        """Type a line of sealpy at a terminal, and each answer once its question is there; return code and screen."""
        code, screen = at_a_terminal(self, *shlex.split(line)[1:], answers=pairs)
        return code, self.told(_PROGRESS.sub("", screen))

    def changed(self) -> list[str]:
        """Return the files that differ from the last commit."""
        return [line[3:] for line in self.git("status", "--porcelain", "-uall").splitlines()]

    def opens(self, file: str) -> bool:
        """Tell whether the real sops, with this person's key, opens a file and finds its MAC right."""
        return self.types(f"sops decrypt {file}").code == 0

    def _subject(self, found: re.Match[str]) -> str:
        for folder in (self.folder, self._crew.origin):
            ended = self("-C", folder, "log", "-1", "--format=%s", found[0], program=["git"])
            if ended.code == 0:
                return f"<{ended.out.strip()}>"
        return found[0]


class Crew:
    """Olga operates dev and prod, Leo prod; Dan develops and opens dev; Rita reviews, without a key; Nina is new.

    Others get their clone when they come: ``clone`` for somebody known or without a key, ``newcomer``, ``machine``.
    """

    def __init__(self, base: Path, tool: Tool) -> None:
        self.team = Team(base, tool)
        self._base = base
        self._people: list[Person] = []
        self._path = f"{sysconfig.get_path('scripts')}:{Path(tool('sops')).parent}:{self.team.olga.env['PATH']}"
        self.team.begin()
        for folder in ("k8s/dev/app", "k8s/prod/app", "k8s/prod/mail"):
            self.team.write(f"{folder}/kustomization.yaml", KUSTOMIZATION)
        self.team.olga.git("add", "-A")
        self.team.olga.git("commit", "-q", "-m", "Start", "--amend")
        self.origin = base / "origin.git"
        subprocess.run(
            ["git", "clone", "-q", "--bare", str(self.team.folder), str(self.origin)], check=True, timeout=60
        )
        self.olga, self.leo, self.dan = (self.clone(name) for name in ("olga", "leo", "dan"))
        self.rita = self.clone("rita")

    def newcomer(self, name: str) -> Person:
        """Return somebody who has no key yet; see ``meet``."""
        del self.team.keys[name]
        return self.clone(name)

    def machine(self, name: str) -> Person:
        """Return a machine with a key of its own, which is in Nina's place."""
        self.team.keys[name] = self.team.keys.pop("nina")
        return self.clone(name)

    def meet(self, person: Person) -> None:
        """Learn the key that somebody made."""
        found = re.search(r"public key: (age1\w+)\s+(AGE-SECRET-KEY-1\w+)", self.key_file(person.name).read_text())
        assert found
        self.team.keys[person.name] = AgeKey(identity=found[2], recipient=found[1])

    def spelt(self, text: str) -> str:
        """Write recipients in the place of ``{name}``."""
        for name, key in self.team.keys.items():
            text = text.replace(f"{{{name}}}", key.recipient)
        return text

    def key_file(self, name: str) -> Path:
        """Return where somebody's key lies."""
        return self._base / "homes" / name / "config" / "sops" / "age" / "keys.txt"

    def everybody(self) -> list[Person]:
        """Return all that have a clone."""
        return self._people

    def clone(self, name: str, at: str = "main") -> Person:
        """Return somebody in a fresh clone; who has a key has it where sops looks for it."""
        home = self._base / "homes" / name
        home.mkdir(parents=True)
        if name in self.team.keys:
            key = self.key_file(name)
            key.parent.mkdir(parents=True, exist_ok=True)
            key.write_text(f"{self.team.keys[name].identity}\n")
        folder = self._base / "clones" / name
        subprocess.run(["git", "clone", "-q", "-b", at, self.origin.as_uri(), str(folder)], check=True, timeout=60)
        env = {"PATH": self._path, "USER": name, "GIT_AUTHOR_NAME": name, "GIT_COMMITTER_NAME": name}
        person = Person(folder, home, env, self)
        self._people.append(person)
        return person


def _commands(said: str) -> Iterator[str]:
    for line in said.splitlines():
        found = _NEXT.match(line)
        if found:
            bare = _BARE.search(found[1])
            yield from _QUOTED.findall(found[1]) or ([bare[1]] if bare else [])
