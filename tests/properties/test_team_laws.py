"""What a team does to a repository, in whatever order, comes to what a model of plain dicts says.

A walk is some fifteen runs of the program by people with different keys. After each of them:

- it ended as the model says, and said no secret;
- what the model does not name stays byte for byte, and of the values only the ciphertext that had to is another;
- every file that changed opens with the real sops for who may read it, and for nobody else; nobody who may not read it
  ever held the data key that it has now;
- a file and its parts are, as one object, what the model holds.
"""

from base64 import b64encode
from pathlib import Path as Folder
from random import Random
from typing import Any

import pytest

import sealpy
from sealpy.errors import SealpyError
from tests import places
from tests.cli.process import Ended
from tests.cli.team import Tool
from tests.properties.team_model import NAMES, RULES, Change, Outcome, Path, Sealed, is_part
from tests.properties.team_repository import Repository, entries, leaves
from tests.properties.team_walk import MARK, PEOPLE, Step, Walk
from tests.seed import SEED, VARIABLE

WALKS = int(places.ENVIRONMENT.get("SEALPY_TEAM_WALKS", "8"))
"""How many walks are taken, of about five seconds each."""

MARKS = [MARK.encode(), *(b64encode(b" " * shift + MARK.encode())[4:-4] for shift in range(3))]
"""The mark as it stands in clear, and in base64."""


@pytest.mark.parametrize("walk", range(WALKS))
def test_whatever_a_team_does_in_whatever_order_its_files_are_what_a_model_says(
    tmp_path: Folder, tool: Tool, walk: int
) -> None:
    course = Course(tmp_path, Random(f"{SEED} {walk}"), tool("sops"))
    try:
        course.run()
    except BaseException as error:
        error.add_note(f"walk {walk} of {VARIABLE}={SEED}:")
        for line in course.taken:
            error.add_note(f"  {line}")
        raise


class Course:
    """One walk on its way."""

    def __init__(self, folder: Folder, random: Random, sops: str) -> None:
        self.taken: list[str] = []
        self._random = random
        self._looks = Random(random.random())
        self._folder = folder
        self._repository = Repository(folder, random, sops)
        self._model = self._repository.model
        self._walk = Walk(random, self._model, self._repository.recipients)
        self._auditor = sealpy.Keys.of(*map(str, self._repository.keys.values()))
        self._known: dict[str, set[bytes]] = {person: set() for person in PEOPLE}
        """The data keys that each person ever held."""
        self._tree = self._repository.tree()
        self._committed = dict(self._tree)

    def run(self) -> None:
        """Take the steps."""
        self._see(self._model.files)
        for _ in range(self._random.randint(10, 20)):
            if self._random.randrange(100) < 12:
                self._commit()
            else:
                self._take(self._walk.step())
        self._finish()

    def _commit(self) -> None:
        person = self._random.choice(PEOPLE)
        self.taken.append(f"{person}: git commit --all")
        git = self._repository.people[person].git
        git("add", "-A")
        git("commit", "-q", "--allow-empty", "-m", "Work")
        self._committed = dict(self._tree)

    def _take(self, step: Step) -> None:
        self.taken.append(str(step))
        program = self._repository.people[step.person]
        before = self._tree
        ended = program(*step.words, stdin=step.stdin)
        self._tree = after = self._repository.tree()
        changed = frozenset(name for name in {*before, *after} if before.get(name) != after.get(name))

        dirty = [name for name in step.commits if before.get(name) != self._committed.get(name)]
        # An empty value is noticed first.
        refused = dirty and step.stdin != b"\n"
        outcome = Outcome(1) if refused else step.predict(changed)

        assert ended.code == outcome.code, ended.err
        assert changed == set(outcome.changes)
        self._says_no_secret(step, ended)
        if step.words[0] == "revoke":
            self._lists(ended, outcome)
        if step.words[0] == "decrypt" and ended.code == 0:
            self._is_whole(step.words[1], leaves(step.words[1], ended.out.encode()))
        if step.commits:
            self._is_committed(outcome, program.git("log", "-1", "--name-only", "--format=%s").split("\n"))
        for name, change in outcome.changes.items():
            if change.kind == "text":
                continue
            if change.kind == "gone":
                assert name not in after
                continue
            if name in before:
                self._changed_no_more(name, change, before[name], after[name])
        self._see(name for name in changed if name in self._model.files)

    def _changed_no_more(self, name: str, change: Change, old: bytes, new: bytes) -> None:
        """Compare the ciphertexts of a file, and its data keys."""
        one, other = leaves(name, old), leaves(name, new)
        if change.kind in ("set", "wrapped"):
            assert {path for path in {**one, **other} if one.get(path) != other.get(path)} <= change.paths
        else:
            sealed = {text for text in one.values() if str(text).startswith("ENC[")}
            assert sealed.isdisjoint(other.values())
        same_key = not self._keys(name, old).isdisjoint(self._keys(name, new))
        assert same_key == (change.kind in ("set", "wrapped"))

    def _keys(self, name: str, raw: bytes) -> set[bytes]:
        wrapped = entries(name, raw)
        return {key for person in PEOPLE if (key := self._repository.data_key(person, wrapped)) is not None}

    def _see(self, names: Any) -> None:
        """Look at files that changed, and at what they are part of."""
        assert set(self._tree) == {*self._model.files, RULES, NAMES}
        assert self._repository.rules() == self._model.rules
        assert self._repository.named() == self._model.named
        whole = set()
        for name in sorted(names):
            self._is_readable(name)
            whole.add(
                name if not is_part(name) else next(b for b in self._model.bases() if name in self._model.parts(b))
            )
        for base in self._model.bases() if len(whole) > 2 else whole:
            self._is_one_object(base)
        for raw in self._tree.values():
            assert not any(mark in raw for mark in MARKS)

    def _is_readable(self, name: str) -> None:
        """A file is as the model says, for its readers, and nobody else ever held its data key."""
        file, raw = self._model.files[name], self._tree[name]
        wrapped = entries(name, raw)
        assert self._repository.names_of([entry.recipient for entry in wrapped]) == file.readers
        opened = {person: self._repository.data_key(person, wrapped) for person in PEOPLE}
        assert {person for person, key in opened.items() if key is not None} == file.readers
        (data_key,) = {key for key in opened.values() if key is not None}
        for person in PEOPLE:
            if person in file.readers:
                self._known[person].add(data_key)
            assert (data_key in self._known[person]) == (person in file.readers), person
        self._opens_with_sops(name, self._looks.choice(sorted(file.readers)))

    def _opens_with_sops(self, name: str, person: str) -> None:
        file = self._model.files[name]
        ended = self._repository.sops(person, name)
        assert ended.code == 0, ended.err
        assert leaves(name, ended.out.encode()) == written(name, file), name

    def _is_one_object(self, base: str) -> None:
        """The library gives a file and its parts as the model has them."""
        path = str(self._repository.folder / base)
        if self._model.effective(base) is None:
            with pytest.raises(SealpyError):
                sealpy.load(path, keys=self._auditor)
            return
        self._is_whole(base, flat(sealpy.load(path, keys=self._auditor)))

    def _is_whole(self, base: str, found: dict[Path, Any]) -> None:
        file = self._model.files[base]
        values = {path: value for path, value in found.items() if path not in file.clear}
        assert {path: str(value) for path, value in found.items() if path in file.clear} == file.clear
        whole = Sealed(file.kind, file.clear, values, ())
        expected = self._model.effective(base)
        if base.endswith(".env"):
            expected = {key: str(value) for key, value in (expected or {}).items()}
        assert whole.contents() == expected

    def _says_no_secret(self, step: Step, ended: Ended) -> None:
        assert "Traceback" not in ended.err
        assert "internal error" not in ended.err
        out = "" if step.words[0] == "decrypt" else ended.out
        assert not any(mark.decode() in out + ended.err for mark in MARKS)

    def _lists(self, ended: Ended, outcome: Outcome) -> None:
        lines = [line.partition(": ") for line in ended.out.splitlines()]
        assert {name: frozenset(filter(None, paths.split(", "))) for name, _, paths in lines} == outcome.listed

    def _is_committed(self, outcome: Outcome, log: list[str]) -> None:
        """Nothing but what the step changed is in the last commit."""
        if outcome.changes:
            assert log[0] == "A change"
            assert set(filter(None, log[1:])) == set(outcome.changes)
        for name in outcome.changes:
            self._committed.pop(name, None)
            if name in self._tree:
                self._committed[name] = self._tree[name]

    def _finish(self) -> None:
        """Look at everything once more, through every door."""
        self._see(self._model.files)
        for name, file in self._model.files.items():
            for person in PEOPLE:
                if person in file.readers:
                    self._opens_with_sops(name, person)
                else:
                    assert self._repository.sops(person, name).code == 128
        for base in self._model.bases():
            ended = self._repository.auditor("decrypt", base)
            assert (ended.code == 0) == (self._model.effective(base) is not None), ended.err
            if ended.code == 0:
                self._is_whole(base, leaves(base, ended.out.encode()))
        pat = self._repository.people["pat"]
        assert pat("sync", "--check").code == (1 if self._model.behind() else 0)
        ended = pat("check")
        assert ended.code == (1 if self._model.behind() else 0), ended.err + ended.out
        assert not list(Folder(pat.env["HOME"]).rglob("*"))
        self._runs()

    def _runs(self) -> None:
        """Reconcile one environment into a folder."""
        self._commit()
        environment = self._looks.choice(["dev", "prod"])
        target = self._folder / "running"
        words = ("reconcile", "--source", ".", "--ref", "main", "--path", f"k8s/{environment}", "--to", str(target))
        ended = self._repository.auditor(*words, "--once")
        expected: dict[str, Any] = {}
        codes = set()
        for base in self._model.bases(environment):
            file = self._model.files[base]
            if not file.kind:
                continue
            whole = self._model.effective(base)
            if whole is None:
                codes.add(1)
                continue
            where = f"shop/{file.kind.lower()}s/{file.clear['metadata', 'name']}"
            expected |= {f"{where}/{key}": content for key, content in whole.items()}
        assert ended.code == (1 if codes else 0), ended.err
        assert served(target) == expected


def written(name: str, file: Sealed) -> dict[Path, Any]:
    """What the clear text of one file holds."""
    if name.endswith(".env"):
        return {path: str(value) for path, value in file.values.items()}
    return {**file.clear, **file.values}


def flat(tree: dict[str, Any], above: Path = ()) -> dict[Path, Any]:
    """Take a tree apart into values by their paths."""
    found: dict[Path, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, (*above, key))
        else:
            found[*above, key] = value
    return found


def served(target: Folder) -> dict[str, bytes]:
    """Read what a program gets to see in the folder that is served."""
    found = {}
    for folder in target.glob("*/*/*"):
        if folder.parts[-3].startswith("."):
            continue
        for path in folder.iterdir():
            if not path.name.startswith("."):
                found[str(path.relative_to(target))] = path.read_bytes()
    return found
