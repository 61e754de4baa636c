"""A team's repository on disk: made at random, read by the real sops and without any code of ours."""

import json
from collections.abc import Mapping
from pathlib import Path as Folder
from random import Random
from typing import Any, NamedTuple

import pyrage
import yaml

from tests.cli.process import Ended, Program
from tests.properties.team_model import (
    ENCODED_SECTION,
    IMAGE,
    NAMES,
    RULES,
    TEXT_SECTION,
    Model,
    Path,
    Sealed,
    environment_of,
)
from tests.properties.team_walk import ENVIRONMENTS, KEYED, MARK, PEOPLE

REGEX = "^(data|stringData|binaryData)$"
PATTERNS: Mapping[str, tuple[tuple[str, bool], ...]] = {
    "take parts in": ((r"flat\.", False), ("", True)),
    "name bases alone": ((r"flat\.(json|env)$", False), (r"[a-z]+\.(yaml|json)$", True)),
    "name parts apart": (
        (r"flat\.d/", False),
        (r"[a-z]+\.d/", True),
        (r"flat\.[a-z]+$", False),
        (r"[a-z]+\.[a-z]+$", True),
    ),
}
"""Rules by how they treat parts: patterns below an environment's folder, and whether they are for manifests."""

AUDITOR = "auditor"
"""Has everybody's keys, and only looks."""


class Entry(NamedTuple):
    """A data key as it is wrapped for one recipient."""

    recipient: str
    wrapped: str


class Repository:
    """A folder with git, rules, names and sealed files, and the people who work in it."""

    def __init__(self, base: Folder, random: Random, sops: str) -> None:
        self.folder = base / "repository"
        self.folder.mkdir(parents=True)
        self._base = base
        self._random = random
        self._sops = sops
        self.keys = {name: pyrage.x25519.Identity.generate() for name in KEYED}
        self.recipients = {name: str(key.to_public()) for name, key in self.keys.items()}
        self._names = {recipient: name for name, recipient in self.recipients.items()}
        self.people = {name: self._person(name, [name] if name in KEYED else []) for name in PEOPLE}
        self.auditor = self._person(AUDITOR, KEYED)
        self.model = self._begin()

    def tree(self) -> dict[str, bytes]:
        """Read every file but git's own."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and ".git" not in path.relative_to(self.folder).parts
        }

    def sops(self, person: str, name: str) -> Ended:
        """Decrypt one file with the real sops."""
        program = self.auditor if person == AUDITOR else self.people[person]
        return program("decrypt", name, program=[self._sops])

    def data_key(self, person: str, entries: list[Entry]) -> bytes | None:
        """Unwrap a data key with whatever entry opens; the recipient that it names does not count."""
        if person not in self.keys:
            return None
        for entry in entries:
            try:
                return pyrage.decrypt(entry.wrapped.encode(), [self.keys[person]])
            except pyrage.DecryptError:
                continue
        return None

    def names_of(self, recipients: list[str]) -> set[str]:
        """Return whose recipients these are; each stands there once."""
        assert len(set(recipients)) == len(recipients)
        return {self._names[recipient] for recipient in recipients}

    def rules(self) -> dict[str, set[str]]:
        """Read from the configuration who may read which environment; all rules of one say the same."""
        found: dict[str, set[str]] = {}
        for rule in yaml.safe_load((self.folder / RULES).read_text())["creation_rules"]:
            age = rule["age"]
            people = self.names_of(age if isinstance(age, list) else [text.strip() for text in age.split(",")])
            assert found.setdefault(environment_of(rule["path_regex"]), people) == people
        return found

    def named(self) -> set[str]:
        """Read whose names are known, each of the right recipient."""
        known = yaml.safe_load((self.folder / NAMES).read_text())["recipients"]
        assert all(self.recipients[name] == recipient for name, recipient in known.items())
        return set(known)

    def _person(self, name: str, keys: list[str] | tuple[str, ...]) -> Program:
        home = self._base / "homes" / name
        home.mkdir(parents=True)
        if not keys:
            return Program(self.folder, home, {})
        path = self._base / f"{name}.txt"
        path.write_text("".join(f"{self.keys[key]}\n" for key in keys))
        return Program(self.folder, home, {"SOPS_AGE_KEY_FILE": str(path)})

    def _begin(self) -> Model:
        random = self._random
        only_encrypted = [environment for environment in ENVIRONMENTS if random.randrange(100) < 40]
        model = Model({"dev": {"olga", "dan"}, "prod": {"olga", "leo"}}, ("olga", "dan", "leo"), only_encrypted)
        self._write(RULES, self._rules_text(model))
        people = "".join(f"  {name}: {self.recipients[name]}\n" for name in sorted(model.named))
        self._write(NAMES, f"version: 1\nrecipients: # who is who\n{people}")
        flat = random.choice(["flat.json", "flat.env"])
        extras = random.sample(["settings.yaml", "token.json", flat], random.choice([1, 1, 2]))
        names = [f"k8s/{environment}/secrets.yaml" for environment in ENVIRONMENTS]
        for extra in extras:
            names += [
                f"k8s/{environment}/{extra}" for environment in random.sample(ENVIRONMENTS, random.choice([1, 2]))
            ]
        for name in names:
            file, text = _drawn(random, name, model.rules[environment_of(name)])
            model.files[name] = file
            self._write(name, text)
            sealer = random.choice([[], [self._sops]])
            ended = self.people["olga"]("encrypt", "-i", name, program=sealer)
            assert ended.code == 0, ended.err
        git = self.people["olga"].git
        git("init", "-q", "-b", "main")
        git("add", "-A")
        git("commit", "-q", "-m", "Start")
        return model

    def _rules_text(self, model: Model) -> str:
        style = self._random.choice(list(PATTERNS))
        as_list = self._random.random() < 0.5
        lines = ["# who reads what", "creation_rules:"]
        for environment, people in model.rules.items():
            recipients = [self.recipients[name] for name in sorted(people)]
            for pattern, of_manifests in PATTERNS[style]:
                lines.append(f"  - path_regex: ^k8s/{environment}/{pattern} # {style}")
                lines += [f"    encrypted_regex: {REGEX}"] if of_manifests else []
                lines += ["    mac_only_encrypted: true"] if environment in model.only_encrypted else []
                if as_list:
                    lines += ["    age:", *(f"      - {recipient}" for recipient in recipients)]
                else:
                    lines.append(f"    age: {','.join(recipients)}")
        return "\n".join(lines) + "\n"

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def entries(name: str, raw: bytes) -> list[Entry]:
    """Read for whom the data key of a sealed file is wrapped."""
    if name.endswith(".env"):
        found = _lines(raw.decode())
        start = "sops_age__list_"
        count = sum(key.startswith(start) and key.endswith("__map_recipient") for key in found)
        return [
            Entry(found[f"{start}{number}__map_recipient"], found[f"{start}{number}__map_enc"])
            for number in range(count)
        ]
    return [Entry(item["recipient"], item["enc"]) for item in _tree(name, raw)["sops"]["age"]]


def leaves(name: str, raw: bytes) -> dict[Path, Any]:
    """Read the values of a file, sealed or in clear, by their paths; of YAML, as text."""
    if name.endswith(".env"):
        return {(key,): text for key, text in _lines(raw.decode()).items() if not key.startswith("sops_")}
    tree = _tree(name, raw) or {}
    tree.pop("sops", None)
    return dict(_flat(tree, ()))


def _tree(name: str, raw: bytes) -> Any:
    return json.loads(raw) if name.endswith(".json") else yaml.load(raw, yaml.BaseLoader)


def _lines(text: str) -> dict[str, str]:
    pairs = [line.partition("=") for line in text.split("\n") if line and not line.startswith("#")]
    return {key: value.replace("\\n", "\n") for key, _, value in pairs}


def _flat(tree: dict[str, Any], above: Path) -> list[tuple[Path, Any]]:
    found: list[tuple[Path, Any]] = []
    for key, value in tree.items():
        path = (*above, key)
        found += _flat(value, path) if isinstance(value, dict) else [(path, value)]
    return found


def _drawn(random: Random, name: str, readers: set[str]) -> tuple[Sealed, str]:
    """Draw a file: what the model knows of it, and its clear text."""
    stem = name.rpartition("/")[2]
    mark = f"{MARK}-{environment_of(name)}"
    if stem.startswith("flat"):
        values = {("DB_PASSWORD",): f"{mark}-password", ("TOKEN",): f" {mark} # é", ("EMPTY",): ""}
        if name.endswith(".env"):
            return Sealed("", {}, values, readers), "# of the app\n" + "".join(
                f"{path[0]}={text}\n" for path, text in values.items()
            )
        return Sealed("", {}, {**values, ("PORT",): 5432}, readers), json.dumps(
            {**{path[0]: text for path, text in values.items()}, "PORT": 5432}, indent=2
        )
    kind = "ConfigMap" if stem == "settings.yaml" else "Secret"
    clear: dict[Path, str] = {
        ("apiVersion",): "v1",
        ("kind",): kind,
        ("metadata", "name"): stem.partition(".")[0],
        ("metadata", "namespace"): "shop",
        IMAGE: "web-1",
    }
    text, encoded = TEXT_SECTION[kind], ENCODED_SECTION[kind]
    values = {(text, "DB_PASSWORD"): f"{mark}-password", (text, "TOKEN"): f"{mark}:\n  two\n", (encoded, "TLS"): "AAH/"}
    if random.random() < 0.3:
        del values[encoded, "TLS"]
    manifest = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": clear["metadata", "name"], "namespace": "shop", "labels": {"image": "web-1"}},
    }
    for (section, key), value in values.items():
        manifest.setdefault(section, {})[key] = value
    if name.endswith(".json"):
        return Sealed(kind, clear, values, readers), json.dumps(manifest, indent=random.choice([None, 2]))
    dumped = yaml.safe_dump(manifest, sort_keys=False, indent=random.choice([2, 4]))
    return Sealed(kind, clear, values, readers), f"# of {kind}\n" + dumped.replace("shop\n", "shop # the web\n")
