"""Every verb, in a repository where recipients have names: none is printed without its name."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sealpy_cli.verbs_table import COMMANDS, VERBS
from tests.cli.process import Ended
from tests.cli.repository import SECRET, Repository
from tests.conftest import AgeKey

FILE, OTHER = "k8s/prod/secrets.yaml", "k8s/dev/secrets.yaml"
PASSWORD = '["stringData"]["PASSWORD"]'
LABEL = '["metadata"]["namespace"]'


@pytest.fixture
def repository(
    tmp_path: Path, home: Path, tool: Callable[[str], str], age_key: AgeKey, other_key: AgeKey
) -> Repository:
    """Return a repository whose production only the cluster reads, and whose rules name alice there too."""
    made = Repository(tmp_path / "repository", home, tool("sops"), {"prod": tuple(age_key), "dev": tuple(other_key)})
    cluster, alice = made.recipient("prod"), made.recipient("dev")
    made.plain.write(".sealpy.yaml", f"recipients:\n  cluster: {cluster}\n  alice: {alice}\n")
    made.plain.write(
        ".sops.yaml",
        "creation_rules:\n"
        f"  - {{path_regex: ^k8s/prod/, encrypted_regex: '^(data|stringData)$', age: '{cluster}'}}\n"
        f"  - {{path_regex: ^k8s/dev/, encrypted_regex: '^(data|stringData)$', age: '{alice}'}}\n",
    )
    made.add(FILE, SECRET.format(name="db", password="hunter2"))
    made.add(OTHER, SECRET.format(name="db", password="hunter3"), to="dev")
    assert made.sealpy("add", FILE, "NEW", "--from-file", ".sops.yaml", keys=()).code == 0
    made.commit()
    return made


class Case(NamedTuple):
    """What somebody with alice's key, or another's, runs; ``names`` are those that are printed."""

    words: tuple[str, ...]
    names: tuple[str, ...] = ("cluster",)
    key: str = "dev"
    before: Callable[[Repository], object] = lambda repository: None

    @property
    def verb(self) -> str:
        return self.words[0] if not self.words[0].startswith("-") else ""


def new_rules(repository: Repository) -> None:
    """Let the rule of production name alice in the place of the cluster."""
    repository.replace(".sops.yaml", repository.recipient("prod"), repository.recipient("dev"))


def new_reader(repository: Repository) -> None:
    """Seal a file of production for alice too, against its rule."""
    repository.sops("rotate", "-i", "--add-age", repository.recipient("dev"), FILE)


def new_part_reader(repository: Repository) -> None:
    """Seal a part for alice too, against its rule."""
    repository.sops("rotate", "-i", "--add-age", repository.recipient("dev"), "k8s/prod/secrets.d/NEW.yaml")


def new_label(repository: Repository) -> None:
    """Edit a clear field without the key."""
    repository.replace(FILE, "namespace: shop", "namespace: shed")


def own_key(repository: Repository) -> None:
    """Put alice's key into her key file."""
    repository.plain.write("key.txt", repository.keys["dev"][0] + "\n")
    assert repository.sealpy("key", "import", "key.txt", keys=()).code == 0


def two_in_the_rule(repository: Repository) -> None:
    """Name alice in the rule of production, and leave its files."""
    cluster = repository.recipient("prod")
    repository.replace(".sops.yaml", f"'{cluster}'", f"'{cluster},{repository.recipient('dev')}'")


def two_readers(repository: Repository) -> None:
    """Let alice read one file of production, as its rule says then."""
    two_in_the_rule(repository)
    new_reader(repository)


def unknown_file(repository: Repository) -> None:
    """Write a sealed file with an edit that no commit tells of."""
    repository.add("k8s/prod/new.yaml", SECRET.format(name="new", password="hunter5"))
    repository.replace("k8s/prod/new.yaml", "namespace: shop", "namespace: shed")


def no_rules(repository: Repository) -> None:
    """Take the rules away, and put alice's key into her key file."""
    own_key(repository)
    (repository.folder / ".sops.yaml").unlink()


def clear_file(repository: Repository) -> None:
    """Write a file in clear."""
    repository.plain.write("k8s/dev/new.yaml", SECRET.format(name="db", password="hunter4"))


BOTH = ("cluster", "alice")
CASES = [
    Case(("decrypt", FILE), BOTH),
    Case(("decrypt", FILE), BOTH, before=own_key),
    Case(("decrypt", "-i", FILE), BOTH),
    Case(("decrypt", "--extract", PASSWORD, FILE), BOTH),
    Case(("decrypt", "-r", "k8s", "--output-dir", "out"), BOTH),
    Case(("-d", FILE), BOTH),
    Case(("--rotate", "-i", FILE), BOTH),
    Case(("--set", f'{PASSWORD} "x"', FILE), BOTH),
    Case((FILE,), BOTH),
    Case(("edit", FILE), BOTH),
    Case(("set", FILE, PASSWORD, '"x"'), BOTH),
    Case(("set", FILE, LABEL, '"x"'), BOTH),
    Case(("set", FILE, PASSWORD, '"x"', "--commit", "X"), BOTH),
    Case(("unset", FILE, PASSWORD), BOTH),
    Case(("rotate", "-i", FILE), BOTH),
    Case(("rotate", "-i", "--rm-age", "{alice}", "--add-age", "{cluster}", FILE), ("alice",), "prod"),
    Case(("encrypt", "--update", FILE, "k8s/dev/new.yaml"), BOTH, before=clear_file),
    Case(("updatekeys", "--yes", FILE), BOTH, before=new_rules),
    Case(("updatekeys", "--yes", FILE), BOTH, "prod", new_rules),
    Case(("updatekeys", "--check", FILE), BOTH, before=new_rules),
    Case(("add", FILE, "MORE", "--from-file", ".sops.yaml")),
    Case(("fold", FILE), BOTH),
    Case(("reseal", "--yes", FILE), BOTH, before=new_label),
    Case(("reseal", "--yes", "--accept-unknown", "k8s/prod/new.yaml"), ("cluster",), "prod", unknown_file),
    Case(("cp", "--keep-values", FILE, "k8s/dev/copy.yaml")),
    Case(("grant", "prod", "alice")),
    Case(("grant", "prod", "{alice}"), ("alice",), "prod"),
    Case(("grant", "--request", "prod", "alice"), BOTH),
    Case(("revoke", "prod", "alice", "--request"), BOTH, before=two_readers),
    Case(("revoke", "prod", "alice"), ("alice",), "prod", two_readers),
    Case(("revoke", "prod", "cluster"), BOTH, before=two_in_the_rule),
    Case(("sync", "--check"), BOTH, before=new_rules),
    Case(("sync", "--yes"), BOTH, before=new_rules),
    Case(("sync", "--yes"), BOTH, "prod", new_rules),
    Case(("check",), ("alice",), before=new_reader),
    Case(("check",), BOTH, before=new_rules),
    Case(("check",), ("alice",), before=new_part_reader),
    Case(("who",), BOTH),
    Case(("who", FILE), BOTH, before=new_reader),
    Case(("diff",), BOTH, before=new_reader),
    Case(("diff",), before=new_label),
    Case(("diff", "--files", OTHER, FILE), ("cluster",)),
    Case(("diff",), ("alice",), before=new_part_reader),
    Case(("key", "import", "key.txt"), ("alice",), before=own_key),
    Case(("init",), ("alice",), before=no_rules),
]

SILENT = {
    # sops' own, or about no file's recipients
    *("filestatus", "completion", "help", "publish", "keyservice", "exec-env", "exec-file", "groups", "hook"),
    # in tests/controller/test_names.py
    "reconcile",
}


def shown(repository: Repository, name: str) -> str:
    recipient = repository.recipient({"cluster": "prod", "alice": "dev"}[name])
    return f"{name} ({recipient[:6]}…{recipient[-2:]})"


def run(repository: Repository, case: Case, *more: str) -> Ended:
    case.before(repository)
    words = [
        word.replace("{alice}", repository.recipient("dev")).replace("{cluster}", repository.recipient("prod"))
        for word in case.words
    ]
    return repository.sealpy(*words, *more, keys=(case.key,), env={"SOPS_EDITOR": "true"})


def without_commands(text: str) -> str:
    """Leave out what is to be copied into a shell, and the column of ``key`` that other programs read."""
    return "".join(
        line
        for line in text.splitlines(keepends=True)
        if not re.match(r"sealpy: hint: (to be let in, ask with a pull request|to take them along): ", line)
        and not re.fullmatch(r"age1[0-9a-z]{58}\n", line)
    )


def test_every_verb_is_in_the_list() -> None:
    told = {case.verb for case in CASES if case.verb and not case.verb.endswith(".yaml")}

    assert {one.name for one in (*VERBS, *COMMANDS)} - SILENT == told


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case.words)[:50])
def test_no_recipient_is_printed_without_its_name(repository: Repository, case: Case) -> None:
    ended = run(repository, case)

    said = without_commands(ended.out + ended.err)
    assert [name for name in case.names if shown(repository, name) not in said] == [], said
    assert [line for line in said.splitlines() if re.search("age1[0-9a-z]{20}", line)] == []


@pytest.mark.parametrize(
    "case",
    [
        Case(("diff", "--json"), BOTH, before=new_reader),
        Case(("diff", "--json"), BOTH, before=new_label),
        Case(("sync", "--check", "--json"), BOTH, before=new_rules),
        Case(("check", "--json"), ("alice",), before=new_reader),
        Case(("who", "--json"), BOTH),
        Case(("grant", "--request", "prod", "alice", "--json"), ("alice",)),
        Case(("revoke", "--request", "prod", "alice", "--json"), ("alice",), before=two_readers),
    ],
    ids=lambda case: " ".join(case.words)[:50],
)
def test_json_has_the_name_beside_the_recipient(repository: Repository, case: Case) -> None:
    document = json.loads(run(repository, case).out)

    by_recipient = {repository.recipient("prod"): "cluster", repository.recipient("dev"): "alice"}
    named = dict(_named(document))
    for recipient, name in by_recipient.items():
        if recipient in named:
            assert named[recipient] == name
    assert set(named.values()) | set(re.findall(r"(cluster|alice) \(age1", json.dumps(document))) >= set(case.names)
    # In a sentence it is as on a screen.
    assert not [text for text in _sentences(document) if re.search("age1[0-9a-z]{20}", text)]


def test_json_of_a_diff_keeps_the_recipient_where_it_was(repository: Repository) -> None:
    new_reader(repository)
    cluster, alice = repository.recipient("prod"), repository.recipient("dev")

    opened, closed = repository.json(), repository.json(keys=())

    assert opened["files"][0]["access"]["added"] == [{"type": "age", "name": alice, "called": "alice", "group": 0}]
    assert [(one["name"], one["called"]) for one in opened["files"][0]["access"]["recipients"]] == [
        (cluster, "cluster"),
        (alice, "alice"),
    ]
    assert closed["files"][0]["needs"] == [cluster, alice]
    assert closed["files"][0]["holders"] == [
        {"recipient": cluster, "called": "cluster"},
        {"recipient": alice, "called": "alice"},
    ]


def test_the_list_of_keys_has_the_name_in_a_column(repository: Repository) -> None:
    own_key(repository)
    alice = repository.recipient("dev")

    text, document = (repository.sealpy("key", "list", *words, keys=()).out for words in ((), ("--json",)))

    assert re.fullmatch(f"{alice}  \\S+  alice\n", text)
    assert [(one["recipient"], one["called"]) for one in json.loads(document)["keys"]] == [(alice, "alice")]


def _named(value: Any) -> Iterator[tuple[str, str | None]]:
    """Find the recipients of a document with the names beside them."""
    if isinstance(value, dict):
        for key in ("recipient", "name"):
            if str(value.get(key)).startswith("age1"):
                yield value[key], value.get("called", value.get("name"))
        for key, name in value.items():
            if key.startswith("age1"):
                yield key, name
            else:
                yield from _named(name)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item)


def _sentences(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _sentences(item)
    elif isinstance(value, list):
        for item in value:
            yield from _sentences(item)
    elif isinstance(value, str) and " " in value:
        yield value


def test_a_changed_field_of_a_recipient_is_told_by_name(repository: Repository) -> None:
    cluster = repository.recipient("prod")
    text = repository.plain.read(FILE)
    repository.replace(FILE, f"recipient: {cluster}\n", f"recipient: {cluster}\n          note: x\n")
    assert text != repository.plain.read(FILE)

    assert f"  ~ {shown(repository, 'cluster')} note: (none) → x   [" in repository.diff().out
