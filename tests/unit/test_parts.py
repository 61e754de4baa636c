"""Where parts are, and what they do to their file."""

from pathlib import Path

import pytest

from sealpy import claims, part_folder, parts, registry
from sealpy.claims import Owner
from sealpy.document import Document, Leaf
from sealpy.errors import DocumentError, Refused
from sealpy.parts import Part, Put
from sealpy.sealing import Opened

YAML = registry.format_named("yaml")
WEB = Owner("Secret", "shop", "web")
BASE = """\
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: shop}
stringData:
  A: one
data:
  B: YWJj
"""


def _leaves(text: str) -> list[Leaf]:
    return list(YAML.scan(text).leaves)


def _sealed(text: str) -> Document:
    """Return a document that counts as sealed; what its values are does not matter here."""
    return YAML.scan(text)._replace(metadata={})


def _part(text: str, path: str = "x.d/K.yaml") -> Part:
    document = _sealed(text)
    return parts.read(path, document, document.leaves)


def _of_web(field: str, key: str, content: str, path: str = "x.d/K.yaml") -> Part:
    return _part(parts.text(WEB, field, key, content, YAML), path)


@pytest.mark.parametrize(
    ("base", "key", "part"),
    [
        ("envs/prod/secrets.yaml", "A", "envs/prod/secrets.d/A.yaml"),
        ("secrets.yml", "tls.crt", "secrets.d/tls.crt.yml"),
        ("./db.enc.json", ".dockercfg", "./db.enc.d/.dockercfg.json"),
        ("app.env", "A", "app.d/A.env"),
    ],
)
def test_a_part_has_the_name_of_its_key_and_the_suffix_of_its_file(base: str, key: str, part: str) -> None:
    assert part_folder.path_of(base, key) == part
    assert part_folder.base_of(part) == base


@pytest.mark.parametrize(
    "path", ["a.yaml", "x/a.yaml", "x.d/a.txt", "x.d/.yaml", ".d/a.yaml", "x.d/y/a.yaml", "x.d", "", "x.dd/a.yaml"]
)
def test_other_files_are_no_parts(path: str) -> None:
    assert part_folder.base_of(path) is None


@pytest.mark.parametrize("path", ["a.ini", "a.bin", ".yaml", "x/.env", "yaml"])
def test_what_has_no_known_suffix_can_have_no_parts(path: str) -> None:
    assert part_folder.folder_of(path) is None
    with pytest.raises(Refused):
        part_folder.path_of(path, "A")


def test_a_key_that_is_too_long_for_a_file_is_refused() -> None:
    assert part_folder.path_of("a.yaml", "k" * 250)
    with pytest.raises(Refused, match="too long"):
        part_folder.path_of("a.yaml", "k" * 251)


def test_only_files_with_the_suffix_of_the_base_are_its_parts(tmp_path: Path) -> None:
    folder = tmp_path / "x.d"
    folder.mkdir()
    for name in ("B.yaml", "A.yaml", "C.json", ".sealpy-0123.yaml", "notes.txt", ".yaml"):
        (folder / name).write_text("")
    (folder / "D.yaml").mkdir()

    assert part_folder.beside(str(tmp_path / "x.yaml")) == [f"{folder}/A.yaml", f"{folder}/B.yaml"]
    assert part_folder.beside(str(tmp_path / "y.yaml")) == []


@pytest.mark.parametrize("content", ["yes", "1", "", " a", "a: b # c", "line\nline\n", "'\"", "null", "ü", "- x"])
@pytest.mark.parametrize("name", ["yaml", "json"])
def test_a_part_holds_just_the_value(content: str, name: str) -> None:
    fmt = registry.format_named(name)

    document = fmt.scan(parts.text(WEB, "stringData", "K", content, fmt))

    assert [leaf.content for leaf in document.leaves if leaf.path == ("stringData", "K")] == [content]
    assert [leaf.kind for leaf in document.leaves] == ["str"] * 5
    claimed = claims.claim("p", document._replace(metadata={}))
    assert (claimed.owner, list(claimed.values)) == (WEB, ["K"])


def test_a_key_stays_in_the_section_where_it_stands() -> None:
    found = parts.puts(
        _leaves(BASE), [_of_web("stringData", "B", "xyz"), _of_web("stringData", "C", "new", "x.d/C.yaml")]
    )

    assert found == [
        Put(("data", "B"), "eHl6", "x.d/K.yaml", replaces=True),
        Put(("stringData", "C"), "new", "x.d/C.yaml", replaces=False),
    ]
    assert "eHl6" not in repr(found)


def test_two_parts_with_one_key_are_an_error_that_names_both() -> None:
    both = [_of_web("stringData", "A", "x", "x.d/A.yaml"), _of_web("data", "A", "eA==", "x.d/a.yaml")]

    with pytest.raises(DocumentError, match=r"x\.d/A\.yaml and x\.d/a\.yaml both hold A"):
        parts.puts(_leaves(BASE), both)


def test_a_part_of_another_object_is_an_error() -> None:
    part = _part(parts.text(Owner("Secret", "shop", "api"), "stringData", "K", "x", YAML))

    with pytest.raises(DocumentError, match="is a part of Secret shop/api, and its base has no such object") as caught:
        parts.puts(_leaves(BASE), [part])
    assert caught.value.path == "x.d/K.yaml"


def test_what_stands_in_a_later_document_cannot_be_added_to() -> None:
    with pytest.raises(Refused, match="first document"):
        parts.puts(_leaves("a: b\n---\n" + BASE), [_of_web("stringData", "K", "x")])


def test_bytes_go_where_bytes_can_stand() -> None:
    ((_, manifest),) = parts.owners(_leaves(BASE))

    assert parts.place(_leaves(BASE), manifest, "K", b"\xff") == (("data", "K"), "/w==", False)
    assert parts.place(_leaves(BASE), manifest, "B", b"\xff") == (("data", "B"), "/w==", True)
    with pytest.raises(Refused, match="only text goes"):
        parts.place(_leaves(BASE), manifest, "A", b"\xff")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BASE + "---\n" + BASE, "one object"),
        ("apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: web}\n  stringData: {A: x}\n", "one object"),
        (BASE + "immutable: true\n", "not immutable"),
        (BASE.replace("{name: web,", "{labels: {a: b}, name: web,"), "not metadata"),
        ("apiVersion: v1\nkind: Secret\nmetadata: {name: web}\n", "without a value"),
        ("a: {b: c}\n", "not a"),
        ("a: [1]\n", "not a"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\ndata: {a: b}\n", "neither a Secret nor a ConfigMap"),
        (BASE.replace("YWJj", "a-b"), "not base64"),
        (BASE.replace("  B:", "  A:"), "holds A twice"),
        (BASE.replace("  A: one", "  <<: {A: one}"), "merge keys"),
        ("<<: {A: one}\n", "merge keys"),
        (BASE.replace("name: web", "<<: {name: web}"), "merge keys"),
        (BASE.replace("kind: Secret", "kind: ConfigMap"), "not stringData"),
        (BASE.replace("  A:", "  a b:"), "a b is no name for a key"),
        (BASE.replace("A: one", "A: 1"), "the value of A is no text"),
        (BASE.replace("one", "ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:int]"), "the value of A is no text"),
        (BASE + "type: Opaque\n", "not type"),
        (BASE.replace("  A: one", "  A: {b: c}"), "not stringData"),
        (BASE.replace("  A: one", "  A: {}"), "not stringData"),
        (BASE + "binaryData: {}\n", "not binaryData"),
        (BASE.replace("name: web", "name: 'ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]'"), "object in clear"),
    ],
)
def test_what_is_no_part_is_an_error_that_names_the_file(text: str, problem: str) -> None:
    with pytest.raises(DocumentError, match=problem) as caught:
        _part(text)
    assert caught.value.path == "x.d/K.yaml"


def test_a_part_has_to_be_encrypted() -> None:
    with pytest.raises(DocumentError, match="has to be encrypted") as caught:
        claims.claim("x.d/K.yaml", YAML.scan(parts.text(WEB, "stringData", "K", "x", YAML)))
    assert caught.value.path == "x.d/K.yaml"


@pytest.mark.parametrize("key", [".sealpy-x", "kustomization"])
def test_some_files_are_never_parts(key: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=f"{key}.yaml is no name for a part"):
        part_folder.path_of("x.yaml", key)
    (tmp_path / "x.d").mkdir()
    (tmp_path / f"x.d/{key}.yaml").write_text("")
    assert part_folder.base_of(f"x.d/{key}.yaml") is None
    assert part_folder.beside(f"{tmp_path}/x.yaml") == []


@pytest.mark.parametrize("linked", ["x.d", "x.d/K.yaml"])
def test_a_link_in_the_place_of_parts_is_refused_and_named(linked: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/K.yaml").write_text(BASE)
    if linked != "x.d":
        (tmp_path / "x.d").mkdir()
    (tmp_path / linked).symlink_to(tmp_path / "elsewhere" / linked.removeprefix("x.d").removeprefix("/"))

    def never(_: bytes) -> Opened:
        raise AssertionError

    assert part_folder.beside(f"{tmp_path}/x.yaml") == [f"{tmp_path}/x.d/K.yaml"]
    with pytest.raises(Refused, match=f"{tmp_path}/{linked} is a symbolic link"):
        parts.load(f"{tmp_path}/x.yaml", never)


def test_what_a_merge_key_of_the_file_brings_is_replaced_too() -> None:
    base = _leaves(BASE.replace("  A: one", "  <<: {A: one}"))

    assert parts.puts(base, [_of_web("stringData", "A", "x")]) == [
        Put(("stringData", "A"), "x", "x.d/K.yaml", replaces=True)
    ]


def test_a_part_of_a_missing_file_is_known_by_the_name_of_its_key() -> None:
    claimed = claims.claim("x.d/K.yaml", _sealed(parts.text(WEB, "stringData", "K", "x", YAML)))

    assert claims.is_orphan("x.d/K.yaml", claimed)
    assert not claims.is_orphan("x.d/web.yaml", claimed)
    assert not claims.is_orphan("x.d/A.yaml", claims.claim("x.d/A.yaml", _sealed(BASE)))


def test_a_document_that_is_no_object_has_parts_with_one_key_at_the_top() -> None:
    base = _leaves("port: 1\nname: web\nmap: {a: b}\n")

    found = parts.puts(base, [_part("port: 2\n"), _part("host: h\n", "x.d/host.yaml")])

    assert [(put.path, put.value, put.replaces) for put in found] == [(("port",), 2, True), (("host",), "h", False)]
    with pytest.raises(Refused, match="a map or a list"):
        parts.place(base, None, "map", b"x")


@pytest.mark.parametrize("key", ["sops", "a b", "", "ü"])
def test_some_names_are_no_keys(key: str) -> None:
    for name in ("yaml", "json", "dotenv"):
        with pytest.raises(Refused):
            parts.check_key(key, registry.format_named(name), Owner())


@pytest.mark.parametrize("key", ["sops_mac", "1A", "a.b", "a-b"])
def test_a_variable_has_a_stricter_name(key: str) -> None:
    with pytest.raises(Refused):
        parts.check_key(key, registry.format_named("dotenv"), Owner())
    parts.check_key(key, YAML, WEB)
