"""What a manifest is, and what its workloads get."""

import base64
import math
from typing import Any

import pytest

from sealpy import kubernetes, values
from sealpy.document import Leaf, Path
from sealpy.errors import DocumentError


class Comment(str):
    """Stands for a comment where a key stands."""

    __slots__ = ()


def leaves(*documents: object) -> list[Leaf]:
    """Take plain data apart as a format would."""
    return [leaf for number, document in enumerate(documents) for leaf in below((), document, number)]


def below(path: Path, value: object, document: int) -> list[Leaf]:
    if isinstance(value, dict) and value:
        found = []
        for key, item in value.items():
            if isinstance(key, Comment):
                found.append(Leaf(path, 0, 0, "comment", str(key), document=document))
            else:
                found += below((*path, key), item, document)
        return found
    if isinstance(value, list) and value:
        return [leaf for index, item in enumerate(value) for leaf in below((*path, index), item, document)]
    return [Leaf(path, 0, 0, *values.from_python(value), document=document)]


def secret(name: str = "app", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "prod"}, **fields}


def config_map(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app"}, **fields}


def a_list(*items: object, kind: str = "List") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "items": list(items)}


def content(document: object) -> dict[str, bytes]:
    found = leaves(document)
    (manifest,) = kubernetes.manifests(found)
    return {key: value.content for key, value in kubernetes.effective(found, manifest).items()}


def refused(document: object) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        content(document)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def summary(found: list[Leaf]) -> list[tuple[int, Path, str, str, str]]:
    return [(m.document, m.prefix, m.kind, m.namespace, m.name) for m in kubernetes.manifests(found)]


# Objects


def test_every_document_that_names_its_kind_is_an_object():
    found = leaves(secret(), {"just": "values"}, config_map(), {"apiVersion": "v1"}, {"kind": "Secret"})

    assert summary(found) == [(0, (), "Secret", "prod", "app"), (2, (), "ConfigMap", "", "app")]


def test_the_items_of_a_list_are_objects_and_the_list_is_not():
    found = leaves(a_list(secret("one"), config_map(), secret("two")))

    assert summary(found) == [
        (0, ("items", 0), "Secret", "prod", "one"),
        (0, ("items", 1), "ConfigMap", "", "app"),
        (0, ("items", 2), "Secret", "prod", "two"),
    ]


def test_a_list_may_name_its_kind_after_its_items():
    found = leaves({"apiVersion": "v1", "items": [secret("one")], "kind": "List"})

    assert summary(found) == [(0, ("items", 0), "Secret", "prod", "one")]


def test_the_items_of_a_list_of_one_kind_may_leave_it_out():
    found = leaves(a_list({"metadata": {"name": "one"}, "data": {}}, kind="SecretList"))

    assert summary(found) == [(0, ("items", 0), "Secret", "", "one")]
    assert kubernetes.is_secret_like(kubernetes.manifests(found)[0])


def test_items_of_what_is_no_list_belong_to_it():
    found = leaves({"apiVersion": "example.com/v1", "kind": "Basket", "items": [secret()]})

    assert summary(found) == [(0, (), "Basket", "", "")]
    assert kubernetes.manifests(found)[0].span == (0, len(found))


def test_names_that_are_no_text_are_not_names():
    found = leaves({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": 5, "namespace": None}})

    assert summary(found) == [(0, (), "Secret", "", "")]


def test_a_comment_that_looks_like_a_field_is_none():
    found = leaves({Comment("kind"): None, "apiVersion": "v1", "metadata": {Comment("name: x"): None, "name": "app"}})

    assert summary(found) == []


def test_only_the_core_api_has_secrets():
    found = leaves(secret(), config_map(), secret() | {"apiVersion": "example.com/v1"}, secret() | {"kind": "Pod"})

    assert [kubernetes.is_secret_like(m) for m in kubernetes.manifests(found)] == [True, True, False, False]


# What is sealed without a rule


@pytest.mark.parametrize(
    "documents",
    [
        [secret()],
        [config_map()],
        [secret(), config_map(), secret("two")],
        [a_list(secret(), config_map())],
        [a_list(secret()), secret("two")],
        [secret(), {}],
    ],
)
def test_the_kubernetes_selection_applies_to_secrets_and_config_maps_alone(documents):
    assert kubernetes.default_selection_applies([leaf for leaf in leaves(*documents) if leaf.path])


@pytest.mark.parametrize(
    "documents",
    [
        [],
        [{"a": "b"}],
        [secret(), {"a": "b"}],
        [secret(), secret() | {"kind": "Deployment"}],
        [secret() | {"apiVersion": "example.com/v1"}],
        [a_list(secret(), secret() | {"kind": "Pod"})],
        [a_list(secret(), "text")],
        [a_list(secret(), {"a": "b"})],
        [a_list()],
    ],
)
def test_the_kubernetes_selection_does_not_apply_to_anything_else(documents):
    assert not kubernetes.default_selection_applies(leaves(*documents))


def test_a_secret_is_held_when_it_has_a_value():
    assert kubernetes.holds_secret(leaves(secret(stringData={"A": "x"})))
    assert kubernetes.holds_secret(leaves(secret(data={"A": "eA=="})))
    assert kubernetes.holds_secret(leaves(a_list(config_map(), secret(data={"A": "eA=="}))))
    assert not kubernetes.holds_secret(leaves(secret()))
    assert not kubernetes.holds_secret(leaves(secret(data={}, stringData={"A": ""})))
    assert not kubernetes.holds_secret(leaves(config_map(data={"A": "x"})))
    assert not kubernetes.holds_secret(leaves({"data": {"A": "x"}}))


# What the running object holds


def test_data_is_decoded_and_string_data_is_taken_as_it_is():
    assert content(secret(data={"A": "aGk=", "B": "/w=="}, stringData={"C": "hi é"})) == {
        "A": b"hi",
        "B": b"\xff",
        "C": "hi é".encode(),
    }


def test_string_data_wins_over_data_wherever_it_stands():
    assert content(secret(stringData={"A": "new"}, data={"A": "b2xk", "B": "b2xk"})) == {"A": b"new", "B": b"old"}


def test_base64_may_have_line_ends():
    wrapped = base64.encodebytes(b"x" * 100).decode()

    assert content(secret(data={"A": wrapped})) == {"A": b"x" * 100}


def test_a_config_map_has_text_and_bytes():
    assert content(config_map(data={"A": "aGk="}, binaryData={"B": "aGk="})) == {"A": b"aGk=", "B": b"hi"}


def test_a_value_knows_where_it_is_written_and_does_not_print():
    found = leaves(secret(data={"A": "aHVudGVyMg=="}, stringData={"B": "hunter2"}))
    (manifest,) = kubernetes.manifests(found)

    got = kubernetes.effective(found, manifest)

    assert [(value.field, value.leaf.path) for value in got.values()] == [
        ("data", ("data", "A")),
        ("stringData", ("stringData", "B")),
    ]
    assert "hunter2" not in repr(got)


def test_nothing_is_an_empty_value_as_for_the_api_server():
    assert content(secret(data={"A": None, "B": ""}, stringData={"C": None})) == {"A": b"", "B": b"", "C": b""}


@pytest.mark.parametrize("fields", [{}, {"data": {}}, {"data": None}, {"stringData": {}, "binaryData": {}}])
def test_an_object_may_have_no_values(fields):
    assert content(secret(**fields)) == {}


def test_each_item_of_a_list_has_its_own_values():
    found = leaves(a_list(secret("one", stringData={"A": "1"}), secret("two", stringData={"A": "2"})), secret("three"))

    got = [kubernetes.effective(found, manifest) for manifest in kubernetes.manifests(found)]

    assert [{key: value.content for key, value in one.items()} for one in got] == [{"A": b"1"}, {"A": b"2"}, {}]


def test_documents_are_kept_apart():
    found = leaves(secret("one", stringData={"A": "1"}), secret("two", stringData={"B": "2"}))

    got = [kubernetes.effective(found, manifest) for manifest in kubernetes.manifests(found)]

    assert [list(one) for one in got] == [["A"], ["B"]]


def test_comments_are_no_values():
    assert content(secret(stringData={Comment(" note"): None, "A": "x"})) == {"A": b"x"}


def test_merge_keys_are_applied_and_own_keys_win():
    common = {"A": "common", "B": "common"}

    assert content(secret(stringData={"<<": common, "B": "own"})) == {"B": b"own", "A": b"common"}
    assert content(secret(stringData={"B": "own", "<<": common})) == {"B": b"own", "A": b"common"}


def test_of_several_bases_the_first_wins():
    bases = [{"A": "1"}, {"A": "2", "B": "2", "<<": {"A": "3", "B": "3", "C": "3"}}]

    assert content(secret(stringData={"<<": bases})) == {"A": b"1", "B": b"2", "C": b"3"}


def test_a_merged_map_gives_way_whole_to_one_of_the_objects_own():
    base = {"apiVersion": "v1", "kind": "Secret", "stringData": {"A": "base"}, "metadata": {"name": "base"}}

    assert content({"<<": base, "stringData": {"B": "own"}}) == {"B": b"own"}
    assert summary(leaves({"<<": base, "metadata": {"name": "own"}})) == [(0, (), "Secret", "", "own")]


# What the API server would not take


@pytest.mark.parametrize("wrong", ["hunter2", "aGk", "aGk=a", "a-_=", "é==="])
def test_what_is_not_base64_is_named_by_its_key(wrong):
    error = refused(secret(data={"PASSWORD": wrong}))

    assert str(error) == "data.PASSWORD of Secret app is not base64"
    assert error.hint == "write the text itself under stringData"


@pytest.mark.parametrize(
    ("value", "what"), [(5432, "a number"), (1.5, "a number"), (math.nan, "a number"), (True, "true or false")]
)
def test_numbers_and_the_like_are_to_be_quoted(value, what):
    error = refused(secret(stringData={"PORT": value}))

    assert str(error) == f"stringData.PORT of Secret app is {what}"
    assert error.hint == "put it in quotes"


def test_a_number_among_encoded_values_belongs_somewhere_else():
    error = refused(secret(data={"PORT": 5432}))

    assert str(error) == "data.PORT of Secret app is a number"
    assert error.hint == "put it in quotes under stringData"


@pytest.mark.parametrize("value", [{"a": "x"}, ["x"], {}, []])
def test_a_value_is_no_map_and_no_list(value):
    assert "stringData.A" in str(refused(secret(stringData={"A": value})))


@pytest.mark.parametrize("value", ["x", ["x"], 5, []])
def test_the_values_stand_in_a_map(value):
    assert "stringData" in str(refused(secret(stringData=value)))


@pytest.mark.parametrize("key", ["", ".", "..", "..a", "a/b", "../../etc/passwd", "a b", "é", "a\n", "x" * 254])
def test_a_key_that_could_be_no_file_is_refused(key):
    assert "is no name for a key" in str(refused(secret(stringData={key: "x"})))


@pytest.mark.parametrize("key", ["a", ".a", "A-b_c.d", "tls.crt", ".dockerconfigjson", "x" * 253])
def test_ordinary_keys_are_taken(key):
    assert content(secret(stringData={key: "x"})) == {key: b"x"}


def test_fields_of_the_other_kind_are_not_dropped_silently():
    assert str(refused(secret(binaryData={"A": "aGk="}))) == "Secret app has no binaryData"
    assert str(refused(config_map(stringData={"A": "x"}))) == "ConfigMap app has no stringData"


def test_a_config_map_holds_a_key_once():
    error = refused(config_map(data={"A": "x"}, binaryData={"A": "aGk="}))

    assert str(error) == "A of ConfigMap app stands in data and in binaryData"


def test_bytes_are_no_text():
    assert str(refused(secret(stringData={"A": b"\xff"}))) == "stringData.A of Secret app is not text"
    assert refused(config_map(data={"A": b"\xff"})).hint == "bytes go under binaryData, as base64"


def test_other_objects_have_no_values():
    found = leaves(secret() | {"kind": "Pod"})

    with pytest.raises(DocumentError, match=r"Pod app is neither a Secret nor a ConfigMap"):
        kubernetes.effective(found, kubernetes.manifests(found)[0])


# The object itself


def test_the_object_is_plain_data_without_its_values():
    document = secret(data={"A": "aGk="}, stringData={"B": "x"}, type="Opaque", immutable=True)
    document["metadata"] |= {"labels": {"app": "x"}, "annotations": {}, "creationTimestamp": None}
    found = leaves(a_list(config_map(), document))

    assert kubernetes.object_json(found, kubernetes.manifests(found)[1]) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "app",
            "namespace": "prod",
            "labels": {"app": "x"},
            "annotations": {},
            "creationTimestamp": None,
        },
        "type": "Opaque",
        "immutable": True,
    }


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"metadata": {"name": "app", "labels": {"version": 1.5}}}, "metadata.labels.version"),
        ({"metadata": {"name": "app", "annotations": {"on": True}}}, "metadata.annotations.on"),
        ({"metadata": {"name": "app", "labels": ["x", 5]}}, "metadata.labels.1"),
        ({"type": 5}, "type"),
        ({"immutable": "yes"}, "immutable"),
    ],
)
def test_fields_of_the_wrong_kind_are_named(fields, named):
    found = leaves(secret() | fields)

    with pytest.raises(DocumentError) as caught:
        kubernetes.object_json(found, kubernetes.manifests(found)[0])

    assert str(caught.value).startswith(f"{named} of Secret app is ")
