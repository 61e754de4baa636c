"""Files with several key groups: what sealpy writes, the real sops opens with as many groups, and the other way."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import Ended, Program
from tests.conftest import AgeKey, make_age_key

CLEAR = {
    "secrets.yaml": "# why\na: one\nb:\n  - two\n",
    "secrets.json": '{"a": "one", "b": ["two", 3]}\n',
    "secrets.env": "A=one\n# why\nB=two\n",
    "secrets.ini": "[s]\na = one\nb = two\n",
    "secrets.bin": "any\x01bytes",
}
Group = tuple[int, ...]


class People:
    """Four people with a key each, and a folder whose rule puts them into groups."""

    def __init__(self, base: Path, tool: Callable[[str], str]) -> None:
        self.sops = tool("sops")
        self.keys: list[AgeKey] = []
        for number in range(4):
            self.keys.append(make_age_key(tool, base / f"{number}.txt"))
        self.folder = base / "work"
        self.folder.mkdir()
        for name, text in CLEAR.items():
            (self.folder / name).write_text(text)

    def rule(self, *groups: Group, threshold: int = 0) -> None:
        listed = "".join(
            "      - age: [{}]\n".format(", ".join(self.keys[person].recipient for person in group)) for group in groups
        )
        most = f"    shamir_threshold: {threshold}\n" if threshold else ""
        (self.folder / ".sops.yaml").write_text(f"creation_rules:\n  - key_groups:\n{listed}{most}")

    def __call__(self, *words: str, by: Group = (), sops: bool = False, stdin: str = "") -> Ended:
        """Run sealpy or the real sops with some people's keys."""
        identities = "\n".join(self.keys[person].identity for person in by)
        home = self.folder.parent / "home"
        program = Program(self.folder, home, {"SOPS_AGE_KEY": identities} if by else {})
        return program(*words, stdin=stdin, program=[self.sops] if sops else ())

    def opens(self, name: str, by: Group, *, sops: bool = True) -> bool:
        """Tell whether some people together open a file, and that they see what it held."""
        ended = self("decrypt", name, by=by, sops=sops)
        if ended.code:
            assert ended.code == 128, ended.err
            return False
        # sops writes a file its own way, so its data are compared: all words in order.
        assert re.findall(r"\w+", ended.out) == re.findall(r"\w+", CLEAR[name])
        return True

    def circles(self, name: str, *, sops: bool = True) -> list[Group]:
        """Return the smallest sets of people who open a file together."""
        found: list[Group] = []
        for size in (1, 2, 3):
            for circle in itertools.combinations(range(4), size):
                if not any(set(small) <= set(circle) for small in found) and self.opens(name, circle, sops=sops):
                    found.append(circle)
        return found


@pytest.fixture
def people(tmp_path: Path, tool: Callable[[str], str]) -> People:
    return People(tmp_path, tool)


TWO_OF_THREE: list[Group] = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3)]


@pytest.mark.parametrize("name", CLEAR)
@pytest.mark.parametrize("sops", [True, False], ids=["read by sops", "read by sealpy"])
def test_two_of_three_groups_open_what_sealpy_sealed(people: People, name: str, sops: bool) -> None:
    people.rule((0,), (1,), (2, 3), threshold=2)

    assert people("encrypt", "-i", name).code == 0

    assert people.circles(name, sops=sops) == TWO_OF_THREE


def test_without_a_threshold_all_groups_are_needed_and_the_file_says_so(people: People) -> None:
    people.rule((0,), (1,), (2, 3))
    people("encrypt", "-i", "secrets.yaml")

    assert people.circles("secrets.yaml") == [(0, 1, 2), (0, 1, 3)]
    assert "shamir_threshold: 3\n" in (people.folder / "secrets.yaml").read_text()


@pytest.mark.parametrize(("groups", "threshold"), [(2, 1), (2, 3), (3, 1), (3, 4)])
def test_a_threshold_that_cannot_be_ends_both_with_the_same_code(people: People, groups: int, threshold: int) -> None:
    people.rule(*[(person,) for person in range(groups)], threshold=threshold)

    theirs, ours = people("encrypt", "secrets.yaml", sops=True), people("encrypt", "-i", "secrets.yaml")

    assert (theirs.code, ours.code) == (1, 1)
    assert ours.err == (
        f"sealpy: secrets.yaml: there are {groups} key groups, and {threshold} of them are to open the file\n"
        f"sealpy: hint: make shamir_threshold 2 to {groups}, or leave it out, and all are needed\n"
    )
    assert (people.folder / "secrets.yaml").read_text() == CLEAR["secrets.yaml"]


def test_the_flag_for_the_threshold(people: People) -> None:
    people.rule((0,), (1,), (2, 3))
    people("encrypt", "-i", "--shamir-secret-sharing-threshold", "2", "secrets.yaml")

    assert people.circles("secrets.yaml") == TWO_OF_THREE


@pytest.mark.parametrize("name", CLEAR)
def test_rotate_gives_every_group_a_new_share(people: People, name: str) -> None:
    people.rule((0,), (1,), (2, 3), threshold=2)
    sealed = people("encrypt", name, sops=True)
    (people.folder / name).write_text(sealed.out)

    ended = people("rotate", "-i", name, by=(0, 3))

    assert ended.code == 0, ended.err
    assert people.circles(name) == TWO_OF_THREE
    assert not set(_wraps(sealed.out)) & set(_wraps((people.folder / name).read_text()))


def test_an_edit_and_a_new_encryption_keep_the_shares(people: People) -> None:
    people.rule((0,), (1,), (2, 3), threshold=2)
    people("encrypt", "-i", "secrets.yaml")
    before = _wraps((people.folder / "secrets.yaml").read_text())

    assert people("set", "secrets.yaml", '["c"]', '"three"', by=(0, 1)).code == 0
    assert people("unset", "secrets.yaml", '["c"]', by=(2, 1)).code == 0

    assert people.circles("secrets.yaml") == TWO_OF_THREE
    assert len(before) == 4
    assert _wraps((people.folder / "secrets.yaml").read_text()) == before


@pytest.mark.parametrize("first", [True, False], ids=["sops and sealpy", "sealpy and sops"])
def test_updatekeys_of_both_take_turns(people: People, first: bool) -> None:
    people.rule((0, 1))
    people("encrypt", "-i", "secrets.yaml")
    for sops, groups, circles in (
        (first, [(0,), (1, 2)], [(0, 1), (0, 2)]),
        (not first, [(0,), (1,), (3,)], [(0, 1), (0, 3), (1, 3)]),
        (first, [(0,), (1, 2), (3,)], [(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)]),
        (not first, [(1, 3)], [(1,), (3,)]),
    ):
        people.rule(*groups)

        ended = people("updatekeys", "--yes", "secrets.yaml", by=(0, 1, 2, 3), sops=sops)

        assert ended.code == 0, ended.err
        assert people.circles("secrets.yaml") == circles


def _wraps(text: str) -> list[str]:
    """Return the wrapped shares of a file."""
    return re.findall(r"-----BEGIN AGE ENCRYPTED FILE-----(?:\\n|\s)+([^-]+?)(?:\\n|\s)+-----END", text)
