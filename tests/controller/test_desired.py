"""From files to objects."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy_controller.desired import Desired, merge, of_links, read_file, with_parts
from sealpy_controller.faults import Fault
from sealpy_controller.objects import Object
from tests.conftest import AgeKey
from tests.controller.conftest import Place, config_map, keyring, secret

Read = Callable[..., list[Desired] | Fault]


@pytest.fixture
def read(age_key: AgeKey) -> Read:
    """Return a function that reads a text with the right key, or with others."""

    def function(text: str | bytes, name: str = "k8s/x.yaml", identities: tuple[str, ...] = (age_key.identity,)):
        return read_file(name, text.encode() if isinstance(text, str) else text, keyring(*identities))

    return function


def _plain(found: list[Desired] | Fault) -> dict[str, dict[str, bytes]]:
    assert not isinstance(found, Fault), found
    return {str(one.object): {key: value.expose() for key, value in one.values.items()} for one in found}


def _fault(found: list[Desired] | Fault) -> Fault:
    assert isinstance(found, Fault)
    return found


def test_a_sealed_secret_is_decrypted(place: Place, read: Read) -> None:
    found = read(place.seal(secret("db", password="hunter2")))

    assert _plain(found) == {"Secret prod/db": {"password": b"hunter2"}}
    assert found[0].file == "k8s/x.yaml"
    assert not found[0].in_clear
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    "flags", [(), ("--encrypted-regex", "^(data|stringData)$")], ids=["all sealed", "values sealed"]
)
@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_what_sops_sealed_is_decrypted(
    tool: Callable[[str], str], tmp_path: Path, age_key: AgeKey, read: Read, flags: tuple[str, ...], suffix: str
) -> None:
    text = secret("db", password="hunter2") + "data:\n  bytes: AAH/\n  password: bG9zZXI=\n"
    if suffix == "json":
        text = (
            '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "prod"},'
            ' "stringData": {"password": "hunter2"}, "data": {"bytes": "AAH/", "password": "bG9zZXI="}}'
        )
    path = tmp_path / f"x.{suffix}"
    path.write_text(text)
    environment = {"PATH": os.environ["PATH"], "HOME": os.devnull}
    sealed = subprocess.run(
        [tool("sops"), "encrypt", "--age", age_key.recipient, *flags, path],
        env=environment,
        capture_output=True,
        check=True,
    ).stdout
    assert b"hunter2" not in sealed

    assert _plain(read(sealed, f"k8s/x.{suffix}")) == {"Secret prod/db": {"bytes": b"\0\1\xff", "password": b"hunter2"}}


def test_all_documents_and_lists_of_a_file_count(place: Place, read: Read) -> None:
    items = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        f"- apiVersion: v1\n  kind: Secret\n  metadata: {{name: {name}, namespace: prod}}\n  stringData: {{a: {name}}}\n"
        for name in ("one", "two")
    )

    several = read(place.seal(secret("db", a="x") + "---\n" + config_map("db", b="y")))
    listed = read(place.seal(items))

    assert _plain(several) == {"Secret prod/db": {"a": b"x"}, "ConfigMap prod/db": {"b": b"y"}}
    assert _plain(listed) == {"Secret prod/one": {"a": b"one"}, "Secret prod/two": {"a": b"two"}}


def test_an_object_without_a_namespace_is_in_the_default_one(read: Read) -> None:
    text = config_map("db", a="x").replace("  namespace: prod\n", "")

    assert _plain(read(text)) == {"ConfigMap default/db": {"a": b"x"}}


def test_a_secret_in_clear_is_used_and_marked(read: Read) -> None:
    found = read(secret("db", password="hunter2") + "---\n" + config_map("db", a="x") + "---\n" + secret("empty"))

    assert [(str(one.object), one.in_clear) for one in found] == [
        ("Secret prod/db", True),
        ("ConfigMap prod/db", False),
        ("Secret prod/empty", False),
    ]


def test_a_secret_with_one_value_in_clear_is_marked(
    tool: Callable[[str], str], tmp_path: Path, age_key: AgeKey, read: Read
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(secret("db", password="hunter2", user_unencrypted="admin"))
    environment = {"PATH": os.environ["PATH"], "HOME": os.devnull}
    command = [tool("sops"), "encrypt", "--age", age_key.recipient, path]
    sealed = subprocess.run(command, env=environment, capture_output=True, check=True).stdout

    assert [one.in_clear for one in read(sealed)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: x\n",
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: x\n",
        "apiVersion: example.com/v1\nkind: Secret\nmetadata:\n  name: x\nstringData: {a: b}\n",
        "{}\n",
    ],
)
def test_other_files_hold_nothing(read: Read, text: str) -> None:
    assert read(text) == []


def test_a_sealed_file_of_something_else_needs_no_key(place: Place, tool: Callable[[str], str], read: Read) -> None:
    values = place.folder / "values.yaml"
    release = place.folder / "release.yaml"
    values.write_text("password: hunter2\n")
    release.write_text(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values:\n    password: hunter2\n"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": os.devnull}
    for path, flags in ((values, ()), (release, ("--encrypted-regex", "password"))):
        command = [tool("sops"), "encrypt", "--age", place.key.recipient, *flags, path]
        sealed = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
        assert b"ENC[" in sealed

        assert read(sealed, identities=()) == []


def _without_metadata(sealed: str) -> str:
    return sealed.partition("\nsops:")[0] + "\n"


def _swapped(sealed: str) -> str:
    lines = sealed.splitlines()
    one, two = (next(i for i, line in enumerate(lines) if line.startswith(f"  {key}:")) for key in ("a", "b"))
    lines[one], lines[two] = (
        lines[one].replace(lines[one].partition(": ")[2], lines[two].partition(": ")[2]),
        lines[two].replace(lines[two].partition(": ")[2], lines[one].partition(": ")[2]),
    )
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("damage", "reason", "part"),
    [
        (lambda text: text.replace("name: db", "name: other"), "IntegrityFailed", "MAC"),
        (lambda text: text.replace('lastmodified: "2026', 'lastmodified: "2025'), "IntegrityFailed", "MAC"),
        (
            lambda text: "\n".join(line for line in text.splitlines() if not line.startswith("  b:")),
            "IntegrityFailed",
            "MAC",
        ),
        (
            lambda text: "\n".join(line for line in text.splitlines() if "mac: ENC" not in line),
            "IntegrityFailed",
            "MAC",
        ),
        (_swapped, "IntegrityFailed", ""),
        (_without_metadata, "MalformedDocument", "a of Secret prod/db is still sealed"),
        (lambda text: text[: len(text) // 2], "MalformedDocument", ""),
        (lambda text: text.replace("stringData:", "stringData: {{"), "MalformedDocument", ""),
        (lambda text: "", "MalformedDocument", "empty"),
    ],
)
def test_a_damaged_file_is_a_fault_and_gives_nothing(place: Place, read: Read, damage, reason: str, part: str) -> None:
    sealed = place.seal(secret("db", a="hunter2", b="hunter3"))
    assert damage(sealed) != sealed

    fault = _fault(read(damage(sealed)))

    assert fault.reason == reason
    assert fault.files == ("k8s/x.yaml",)
    assert part in fault.message
    assert "hunter" not in str(fault)


def test_a_file_for_others_says_for_whom_it_is(place: Place, read: Read, other_key: AgeKey) -> None:
    fault = _fault(read(place.seal(secret("db", a="x"), other_key)))

    assert fault.reason == "NoMatchingIdentity"
    assert other_key.recipient in fault.message
    assert place.key.recipient in fault.message
    assert "ask whoever opens it" in (fault.hint or "")


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("name: db", "name: ../db", "the name of a Secret"),
        ("name: db", "generateName: db", "the name of a Secret"),
        ("name: db", "name: DB", "the name of a Secret"),
        ("name: db", f"name: {'x' * 254}", "the name of a Secret"),
        ("namespace: prod", "namespace: ..", "the namespace of a Secret"),
        ("namespace: prod", "namespace: .sealpy", "the namespace of a Secret"),
        ("namespace: prod", "namespace: a/b", "the namespace of a Secret"),
        ("  password:", "  ../password:", "no name for a key"),
        ("  password:", "  ..data:", "no name for a key"),
        ("  password:", "  a/b:", "no name for a key"),
        ("hunter2", "7", "a number"),
        ("stringData:", "data:", "not base64"),
    ],
)
def test_what_kubernetes_would_not_take_is_a_fault(read: Read, old: str, new: str, part: str) -> None:
    fault = _fault(read(secret("db", password="hunter2").replace(old, new)))

    assert fault.reason == "MalformedDocument"
    assert part in fault.message
    assert "hunter" not in str(fault)


def test_a_value_that_was_sealed_twice_is_a_fault(place: Place, read: Read) -> None:
    once = place.seal(secret("db", password="hunter2"))
    value = next(line for line in once.splitlines() if line.startswith("  password:")).partition(": ")[2]

    fault = _fault(read(place.seal(secret("db", password=value))))

    assert "still sealed" in fault.message


def test_an_object_in_two_places_is_a_fault_that_names_both(read: Read) -> None:
    db, other = Object("prod", "Secret", "db"), Object("prod", "Secret", "other")

    several = read(secret("db", a="one") + "---\n" + secret("other", a="one"), name="a.yaml")

    objects, faults = merge([*several, *read(secret("db", a="one"), name="b.yaml")])

    assert list(objects) == [other]
    assert [(fault.reason, fault.files, fault.objects) for fault in faults] == [
        ("DuplicateObject", ("a.yaml", "b.yaml"), (db,))
    ]


class Files:
    """Files of a source, sealed, and what they come to with their parts put in."""

    def __init__(self, place: Place, read: Read) -> None:
        self._place, self._read = place, read
        self.found: list[Desired] = []
        self.names = {"k8s/db.yaml", "k8s/db.d/b.yaml", "k8s/db.d/c.yaml", "k8s/app.yaml"}

    def add(self, file: str, text: str) -> "Files":
        self.found += self._read(self._place.seal(text), name=file)
        return self

    def joined(self, *faults: Fault, known: tuple[str, ...] = ()) -> tuple[list[Desired], list[Fault]]:
        return with_parts(self.found, faults, self.names, known)


@pytest.fixture
def files(place: Place, read: Read) -> Files:
    return Files(place, read).add("k8s/db.yaml", secret("db", a="one", b="one"))


DB = Object("prod", "Secret", "db")


def test_the_values_of_a_part_win_over_those_of_its_base(files: Files) -> None:
    files.add("k8s/db.d/b.yaml", secret("db", b="two")).add("k8s/db.d/c.yaml", secret("db", c="three"))

    joined, faults = files.joined()

    assert _plain(joined) == {"Secret prod/db": {"a": b"one", "b": b"two", "c": b"three"}}
    assert joined[0].file == "k8s/db.yaml"
    assert faults == []


def test_two_parts_with_one_key_are_a_fault_that_names_both_and_the_object_is_left_alone(files: Files) -> None:
    files.add("k8s/db.d/b.yaml", secret("db", b="two")).add("k8s/db.d/c.yaml", secret("db", b="three"))

    joined, faults = files.joined()

    assert joined == []
    assert [(fault.message, fault.objects) for fault in faults] == [
        ("k8s/db.d/b.yaml and k8s/db.d/c.yaml both hold b", (DB,))
    ]


def test_a_part_that_cannot_be_used_holds_the_object_of_its_base(files: Files) -> None:
    joined, faults = files.joined(Fault("NoMatchingIdentity", "no key", None, ("k8s/db.d/b.yaml",)))

    assert joined == []
    assert [(fault.files, fault.objects) for fault in faults] == [(("k8s/db.d/b.yaml",), (DB,))]


def test_a_part_whose_base_cannot_be_used_is_no_object_of_its_own(place: Place, read: Read) -> None:
    broken = Fault("NoMatchingIdentity", "no key", None, ("k8s/db.yaml",))

    assert Files(place, read).add("k8s/db.d/b.yaml", secret("db", b="two")).joined(broken) == ([], [broken])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (secret("other", b="two"), "is a part of Secret prod/other, and its base has no such object"),
        (secret("db", b="two") + "type: Opaque\n", "a part holds values and the name of their object, not type"),
        (
            secret("db", b="two") + "immutable: true\n",
            "a part holds values and the name of their object, not immutable",
        ),
        (secret("db", b="two").replace("  b:", "  <<: {a: evil}\n  b:"), "a part has no merge keys (<<)"),
        (secret("db", b="two") + "data: {b: Mw==}\n", "a part holds b twice"),
        (secret("db", b="two") + "---\n" + secret("x", b="two"), "a part holds one object, not several"),
    ],
)
def test_what_decrypting_refuses_among_the_parts_holds_the_object_of_the_base(
    files: Files, text: str, problem: str
) -> None:
    joined, (fault,) = files.add("k8s/db.d/b.yaml", text).joined()

    assert joined == []
    assert (fault.reason, fault.message, fault.files) == ("MalformedDocument", problem, ("k8s/db.d/b.yaml",))
    assert DB in fault.objects


def test_a_part_in_clear_holds_the_object_of_the_base(files: Files, read: Read) -> None:
    files.found += read(secret("db", b="two"), name="k8s/db.d/b.yaml")

    joined, (fault,) = files.joined()

    assert (joined, fault.message, fault.objects) == ([], "a part has to be encrypted", (DB, DB))


def test_a_part_names_the_namespace_as_its_base_does(place: Place, read: Read) -> None:
    files = Files(place, read).add("k8s/db.yaml", secret("db", "default", a="one"))
    files.add("k8s/db.d/b.yaml", secret("db", a="two").replace("namespace: prod", "labels: {}"))
    assert files.joined()[0] == []

    files.found.pop()
    files.add("k8s/db.d/b.yaml", secret("db", a="two").replace("  namespace: prod\n", ""))
    assert files.joined()[1][0].message == "is a part of Secret db, and its base has no such object"


@pytest.mark.parametrize("file", ["k8s/app.d/b.yaml", "k8s/none.d/b.yaml", "k8s/db.d/b.yml", "k8s/db.d/deep/b.yaml"])
def test_without_a_base_that_holds_objects_a_file_is_like_any_other(files: Files, file: str) -> None:
    files.add(file, secret("b", "prod", token="two"))
    files.names.add(file)

    assert files.joined() == (files.found, [])


@pytest.mark.parametrize(
    ("file", "known"), [("k8s/none.d/token.yaml", ()), ("k8s/none.d/any.yaml", ("k8s/none.yaml",))]
)
def test_a_part_whose_base_is_gone_is_a_fault_and_no_object(files: Files, file: str, known: tuple[str, ...]) -> None:
    files.add(file, secret("web", token="two"))
    files.names.add(file)

    joined, (fault,) = files.joined(known=known)

    assert [one.object for one in joined] == [DB]
    assert (fault.message, fault.files) == ("is a part of k8s/none.yaml, which is gone", (file,))
    assert fault.objects == (Object("prod", "Secret", "web"),)


@pytest.mark.parametrize("link", ["k8s/db.d", "k8s/db.d/b.yaml"])
def test_a_link_among_the_parts_holds_the_object_of_the_base(files: Files, link: str) -> None:
    (fault,) = of_links(["k8s/other.d", "k8s/db", link], files.found)

    assert (fault.message, fault.files) == ("is a link among the parts of k8s/db.yaml", (link,))
    assert files.joined(fault)[0] == []
