"""Random steps of a team: who does what next, as a command line and as what the model makes of it."""

import json
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from tests.properties.team_model import (
    ENCODED_SECTION,
    IMAGE,
    TEXT_SECTION,
    Model,
    Outcome,
    Path,
    Sealed,
    Value,
    environment_of,
    is_part,
)

KEYED = ("olga", "dan", "leo", "nina")
PEOPLE = (*KEYED, "pat")
"""Olga operates dev and prod; Dan develops, and opens dev; Leo opens prod; Nina is new; Pat has no key at all."""

ENVIRONMENTS = ("dev", "prod")

MARK = "canary-in-the-coal-mine"
"""Stands in most values, so that one which got out is found."""

_OBJECT_KEYS = ("DB_PASSWORD", "TLS", "tls.crt", "a-b", "on", "0123", "TOKEN", "NEW")
_FLAT_KEYS = ("DB_PASSWORD", "TOKEN", "NEW", "on", "_x", "NULL")
_SHAPES: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text,
    lambda text: f"{text}\nsecond: line\n",
    lambda text: f"\n  {text}\n\n\n- x",
    lambda text: f"  {text}\t ",
    lambda text: f"é🔑\u2028\r{text}",
    lambda text: f"ENC[AES256_GCM,data:{text}=,iv:AA==,tag:AA==,type:str]",
    lambda text: f"'{text}\": #{{}} \\ $HOME",
    lambda text: text * 400,
    lambda text: f"{text}=",
    lambda _: "null",
    lambda _: "1e3",
    lambda _: "0755",
    lambda _: "yes",
    lambda _: "~",
    lambda _: " ",
    lambda _: "---",
)
_MESSAGE = ("--commit", "A change")


class Step(NamedTuple):
    """One run of the program."""

    person: str
    words: tuple[str, ...]
    predict: Callable[[frozenset[str]], Outcome]
    """Changes the model; it gets the names of the files whose bytes the run changed."""
    stdin: bytes = b""
    commits: tuple[str, ...] = ()
    """The files that go into a commit, which must not differ from the last one before."""

    def __str__(self) -> str:
        stdin = f" < {self.stdin!r}" if self.stdin else ""
        return f"{self.person}: sealpy {' '.join(map(repr, self.words))}{stdin}"


class Walk:
    """Draws one step after another."""

    def __init__(self, random: Random, model: Model, recipients: dict[str, str]) -> None:
        self._random = random
        self._model = model
        self._recipients = recipients
        self._count = 0

    def text(self) -> str:
        """Draw a value that no other step draws, or one of the odd ones."""
        self._count += 1
        return self._random.choice(_SHAPES)(f"{MARK}-{self._count}")

    def step(self) -> Step:
        """Draw a step."""
        behind = self._model.behind()
        if behind and self._chance(40):
            # Whoever opens some of the files may not open the others.
            return self._sync(self._random.choice(sorted(self._model.files[self._random.choice(behind)].readers)))
        verbs = (
            (self._add, 6),
            (self._set, 3),
            (self._set_image, 1),
            (self._unset, 2),
            (self._fold, 3),
            (self._rotate, 2),
            (self._grant, 3),
            (self._revoke, 3),
            (self._sync, 1),
            (self._copy_key, 2),
            (self._copy_file, 2),
            (self._decrypt, 1),
        )
        draw = self._random.choices([verb for verb, _ in verbs], [weight for _, weight in verbs])[0]
        return draw(self._person())

    def _person(self) -> str:
        return self._random.choices(PEOPLE, (8, 3, 3, 2, 4))[0]

    def _chance(self, percent: int) -> bool:
        return self._random.randrange(100) < percent

    def _base(self) -> str:
        having = self._having_parts()
        return self._random.choice(having if having and self._chance(50) else self._model.bases())

    def _having_parts(self) -> list[str]:
        return [base for base in self._model.bases() if self._model.parts(base)]

    def _key(self, base: str) -> str:
        file, parts = self._model.files[base], self._model.parts(base)
        if parts and self._chance(40):
            return next(iter(self._model.files[self._random.choice(parts)].values))[-1]
        own = [path[-1] for path in file.values]
        return self._random.choice(own if own and self._chance(50) else _OBJECT_KEYS if file.kind else _FLAT_KEYS)

    def _path(self, file: Sealed, key: str) -> Path:
        """Where a key stands, else where text goes."""
        standing = [path for path in file.values if path[-1] == key]
        if standing:
            return self._random.choice(standing)
        return (TEXT_SECTION[file.kind], key) if file.kind else (key,)

    def _commits(self, *names: str) -> tuple[str, ...]:
        return names if self._chance(25) else ()

    def _add(self, person: str) -> Step:
        base = self._base()
        if self._chance(50):
            person = self._random.choice([name for name in PEOPLE if name not in self._model.files[base].readers])
        key = self._key(base)
        content = self._for(base, self.text()).encode()
        if self._chance(8):
            content = self._random.choice([b"", b"\xff\x00" + content])
        part = self._model.part(base, key)
        commits = self._commits(base, part)
        words = ("add", base, key, "--value-stdin", *(_MESSAGE if commits else ()))
        # One line break at the end is not the value's.
        return Step(person, words, lambda _: self._model.add(person, base, key, content), content + b"\n", commits)

    def _set(self, person: str) -> Step:
        base = self._base()
        file = self._model.files[base]
        path = self._path(file, self._key(base))
        value: Value = self._for(base, self.text())
        if path[0] == ENCODED_SECTION.get(file.kind):
            value = self._random.choice(["", "AAEC/w==", "Y2FuYXJ5"])
        elif self._chance(8):
            value = ""
        elif not file.kind and base.endswith(".json") and self._chance(30):
            value = self._random.choice([True, 7, -12, 2**40])
        return self._set_to(person, base, path, value)

    def _set_image(self, person: str) -> Step:
        base = self._base()
        if IMAGE not in self._model.files[base].clear:
            return self._set(person)
        return self._set_to(person, base, IMAGE, f"web-{self._random.randrange(1000)}")

    def _set_to(self, person: str, base: str, path: Path, value: Value) -> Step:
        commits = self._commits(base)
        words = ("set", base, spelt(path), "--value-stdin", *(_MESSAGE if commits else ()))
        stdin = json.dumps(value).encode()
        return Step(person, words, lambda _: self._model.set(person, base, path, value), stdin, commits)

    def _unset(self, person: str) -> Step:
        base = self._base()
        path = self._path(self._model.files[base], self._key(base))
        commits = self._commits(base)
        words = ("unset", base, spelt(path), *(_MESSAGE if commits else ()))
        return Step(person, words, lambda _: self._model.unset(person, base, path), commits=commits)

    def _fold(self, person: str) -> Step:
        base = self._random.choice(self._having_parts() or self._model.bases())
        return Step(person, ("fold", base), lambda _: self._model.fold(person, base))

    def _rotate(self, person: str) -> Step:
        name = self._random.choice(list(self._model.files))
        return Step(person, ("rotate", "-i", name), lambda _: self._model.rotate(person, name))

    def _grant(self, person: str) -> Step:
        environments = self._environments()
        who = self._of_those(environments[0], wanted=False)
        request = self._chance(35)
        whom = (who,) if who in self._model.named else (self._recipients[who], "--name", who)
        words = ("grant", ",".join(environments), *whom, *(["--request"] if request else []))
        return Step(person, words, lambda _: self._model.grant(person, environments, who, request=request))

    def _revoke(self, person: str) -> Step:
        environments = self._environments()
        who = self._of_those(environments[0], wanted=True)
        request = self._chance(35)
        whom = who if who in self._model.named else self._recipients[who]
        words = ("revoke", ",".join(environments), whom, *(["--request"] if request else []))
        return Step(person, words, lambda _: self._model.revoke(person, environments, who, request=request))

    def _environments(self) -> list[str]:
        return self._random.sample(ENVIRONMENTS, self._random.choice([1, 1, 2]))

    def _of_those(self, environment: str, *, wanted: bool) -> str:
        """Draw somebody with a key: mostly one who reads an environment, or one who does not, and seldom Olga."""
        readers = self._model.rules[environment]
        fitting = [name for name in KEYED if (name in readers) == wanted and (name != "olga" or self._chance(15))]
        return self._random.choice(fitting if fitting and self._chance(80) else KEYED)

    def _sync(self, person: str) -> Step:
        environment = self._random.choice(["", "", "", *ENVIRONMENTS])
        operands = (environment,) if environment else ()
        if self._chance(30):
            return Step(
                person,
                ("sync", "--check", *operands),
                lambda _: Outcome(1 if self._model.behind(environment) else 0),
            )
        return Step(person, ("sync", "--yes", *operands), lambda _: self._model.sync(person, environment))

    def _copy_key(self, person: str) -> Step:
        source = self._base()
        kind = self._model.files[source].kind
        others = [name for name in self._model.bases() if self._model.files[name].kind == kind and name != source]
        # Most often the same file of the other environment, which need not be there.
        target = self._random.choice(others) if others and self._chance(40) else elsewhere(source)
        path = self._path(self._model.files[source], self._key(source))
        keep = self._chance(75)
        words = ("cp", f"{source}:{spelt(path)}", target, *(["--keep-values"] if keep else []))
        return Step(person, words, lambda _: self._model.copy_key(person, source, target, path, keep=keep))

    def _copy_file(self, person: str) -> Step:
        source = self._base()
        target = elsewhere(source)
        keep = self._chance(75)
        words = ("cp", source, target, *(["--keep-values"] if keep else []))

        def predict(changed: frozenset[str]) -> Outcome:
            return self._model.copy_file(person, source, target, keep=keep, written=target in changed)

        return Step(person, words, predict)

    def _decrypt(self, person: str) -> Step:
        base = self._base()
        return Step(person, ("decrypt", base), lambda _: self._model.decrypt(person, base))

    def _for(self, base: str, text: str) -> str:
        # In a dotenv, a backslash and an n are a line break.
        return text.replace("\\n", "\\") if base.endswith(".env") else text


def spelt(path: Path) -> str:
    """Write a path as ``set`` takes it."""
    return "".join(f"[{json.dumps(key)}]" for key in path)


def elsewhere(name: str) -> str:
    """The same file in the other environment."""
    here = environment_of(name)
    there = next(environment for environment in ENVIRONMENTS if environment != here)
    assert not is_part(name)
    return name.replace(f"/{here}/", f"/{there}/")
