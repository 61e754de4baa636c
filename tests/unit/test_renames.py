"""Which removed file is which added one."""

from sealpy.comparison.renames import Trait, pair, trait
from tests.unit.comparing import opener, rotated, seal, version
from tests.unit.test_comparison import SECRET


def secret(path: str, name: str = "db") -> Trait:
    return trait(version(seal(SECRET.replace("name: db", f"name: {name}")), path), opener())


def test_the_same_object_at_another_place_is_the_same_file():
    assert pair([secret("a/x.yaml")], [secret("b/y.yaml")]) == {0: 0}


def test_another_object_is_another_file():
    assert pair([secret("a/x.yaml")], [secret("a/x2.yaml", "mq")]) == {}


def test_of_several_with_one_name_the_path_decides():
    removed = [secret(f"old/{env}/db.yaml") for env in ("dev", "qa", "prod")]
    added = [secret(f"new/{env}/db.yaml") for env in ("prod", "dev", "qa")]

    assert pair(removed, added) == {0: 2, 1: 0, 2: 1}


def test_what_stays_ambiguous_stays_apart():
    assert pair([secret("a.yaml"), secret("b.yaml")], [secret("c.yaml"), secret("d.yaml")]) == {}


def test_the_same_bytes_are_the_same_file_whatever_it_is():
    same = [trait(version(b"any bytes", path), opener()) for path in ("a", "b")]

    assert pair(same[:1], same[1:]) == {0: 0}


def test_empty_files_are_not_each_other():
    empty = [trait(version(b"", path), opener()) for path in ("a", "b")]

    assert pair(empty[:1], empty[1:]) == {}


def test_without_objects_the_same_keys_under_the_same_file_name_are_the_same_file():
    sealed = seal("a: 1\nb: 2\n", selection=None)
    moved = [
        trait(version(data, path), opener()) for data, path in ((sealed, "x/v.yaml"), (rotated(sealed), "y/v.yaml"))
    ]
    renamed = trait(version(rotated(sealed), "y/w.yaml"), opener())

    assert pair(moved[:1], moved[1:]) == {0: 0}
    assert pair(moved[:1], [renamed]) == {}
