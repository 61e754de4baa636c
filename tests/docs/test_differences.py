"""docs/differences.md, line by line: each line is tried with sealpy and with the real sops."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import places
from tests.cli.process import Ended, Program
from tests.conftest import AgeKey

PAGE = places.ROOT / "docs" / "differences.md"

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: web
stringData:
  PASSWORD: correct-horse
"""


class Both:
    """sealpy and sops in one folder, with one key."""

    def __init__(self, folder: Path, sops: str, key: AgeKey) -> None:
        self.key = key
        self.run = Program(folder, folder.parent, {"SOPS_AGE_KEY": key.identity, "SOPS_DISABLE_VERSION_CHECK": "1"})
        self._sops = sops
        self.write, self.read = self.run.write, self.run.read

    def sealpy(self, *words: str | Path, env: dict[str, str] | None = None) -> Ended:
        return self.run(*words, env=env)

    def sops(self, *words: str | Path, env: dict[str, str] | None = None) -> Ended:
        return self.run(*words, env=env, program=[self._sops])

    def as_sops(self, *words: str | Path, env: dict[str, str] | None = None) -> Ended:
        """Run sealpy by the name of sops."""
        return self.run(*words, env=env, name="sops")

    def each(self, *words: str, file: str) -> tuple[Ended, Ended]:
        """Encrypt one file with both, to standard output."""
        return tuple(run("encrypt", "--age", self.key.recipient, *words, file) for run in (self.sealpy, self.sops))  # type: ignore[return-value]

    def sealed(self, name: str, text: str, *words: str) -> None:
        """Write a file that sops sealed."""
        self.write(name, text)
        ended = self.sops("encrypt", "-i", "--age", self.key.recipient, *words, name)
        assert ended.code == 0, ended.err

    def rule(self, *lines: str) -> None:
        self.write(".sops.yaml", "\n".join(["creation_rules:", f"  - age: {self.key.recipient}", *lines]) + "\n")


@pytest.fixture
def both(tmp_path: Path, tool: Callable[[str], str], age_key: AgeKey) -> Both:
    folder = tmp_path / "work"
    folder.mkdir()
    return Both(folder, tool("sops"), age_key)


Case = Callable[[Both], None]
CASES: dict[str, Case] = {}


def line(what: str) -> Callable[[Case], Case]:
    """Mark what tries a line of the page, by its first cell."""

    def keep(case: Case) -> Case:
        CASES[what] = case
        return case

    return keep


@line("A Secret or ConfigMap without a rule")
def _(both: Both) -> None:
    both.write("secret.yaml", SECRET)

    ours, theirs = both.each(file="secret.yaml")

    assert ours.out.startswith("apiVersion: v1\nkind: Secret\n")
    assert "correct-horse" not in ours.out
    assert theirs.out.startswith("apiVersion: ENC[")
    words = ("encrypt", "--age", both.key.recipient, "secret.yaml")
    assert both.as_sops(*words).out.startswith("apiVersion: ENC[")
    assert both.sealpy(*words, env={"SEALPY_SOPS_COMPAT": "1"}).out.startswith("apiVersion: ENC[")
    both.rule("    unencrypted_suffix: _unencrypted")
    assert both.sealpy("encrypt", "secret.yaml").out.startswith("apiVersion: ENC[")


@line("The text around the values")
def _(both: Both) -> None:
    text = "---\na:   'one'\n\nb:\n- \"two\"\n"
    both.write("a.yaml", text)

    ours, theirs = both.each(file="a.yaml")
    both.write("ours.yaml", ours.out)
    both.write("theirs.yaml", theirs.out)

    assert re.match(r"---\na:   'ENC\[.*\]'\n\nb:\n- \"ENC\[.*\]\"\n", ours.out)
    assert both.sealpy("decrypt", "ours.yaml").out == text
    assert both.sops("decrypt", "theirs.yaml").out == "a: one\nb:\n    - two\n"


@line("Comments that sops drops")
def _(both: Both) -> None:
    both.write("a.ini", "[a]\nk = v\n; the end\n")

    ours, theirs = both.each(file="a.ini")
    both.write("b.ini", ours.out)

    assert "; ENC[" in ours.out
    assert "; ENC[" not in theirs.out
    assert both.sealpy("decrypt", "b.ini").out == "[a]\nk = v\n; the end\n"


@line("Comments in lists")
def _(both: Both) -> None:
    both.write("a.yaml", "a:\n  # note\n  - one\n")

    ours, theirs = both.each(file="a.yaml")
    both.write("theirs.yaml", theirs.out)

    assert re.match(r"a:\n  #ENC\[.*type:comment\]\n  - ENC\[", ours.out)
    assert re.match(r"a:\n    - ENC\[.*type:comment\]\n    - ENC\[", theirs.out)
    assert both.sealpy("decrypt", "theirs.yaml").out == "a:\n    # note\n    - one\n"


@line("A file that sops could not read back")
def _(both: Both) -> None:
    for name, text in (
        ("merge.yaml", 'a: 1\n"<<": text\n'),
        ("zero.yaml", "a_unencrypted: -0.0\n"),
        ("number.ini", "[a]\n-=one\n"),
    ):
        both.write(name, text)

        ours, theirs = both.each(file=name)
        both.write(name, theirs.out)

        assert ours.code == 23
        assert "hint: " in ours.err
        assert ours.out == ""
        assert theirs.code == 0
        assert both.sops("decrypt", name).code != 0


@line("JSON that is cut short")
def _(both: Both) -> None:
    both.write("a.json", '{"kept": "a", "lost": ["b"')

    ours, theirs = both.each(file="a.json")

    assert ours.code == 2
    assert theirs.code == 0
    assert "lost" not in theirs.out


@line("An invalid regular expression")
def _(both: Both) -> None:
    both.write("a.yaml", "a: secret\n")

    ours, theirs = both.each("--encrypted-regex", "^(", file="a.yaml")

    assert ours.code == 1
    assert "is not a regular expression" in ours.err
    assert theirs.code == 0
    assert "a: secret" in theirs.out


@line("A misspelt key in `.sops.yaml`")
def _(both: Both) -> None:
    both.write("a.yaml", "a: secret\n")
    both.rule("    encryped_regex: ^a$")

    ours, theirs = both.sealpy("encrypt", "a.yaml"), both.sops("encrypt", "a.yaml")

    assert ours.code == 1
    assert "did you mean encrypted_regex?" in ours.err
    assert theirs.code == 0
    both.write(".sops.yaml", f"keys: [&me {both.key.recipient}]\ncreation_rules:\n  - age: [*me]\n")
    assert both.sealpy("encrypt", "a.yaml").code == 0


@line("A rule that seals nothing of a Secret")
def _(both: Both) -> None:
    both.write("a.yaml", SECRET)

    ours, theirs = both.each("--encrypted-regex", "^dta$", file="a.yaml")

    assert ours.code == 1
    assert "leave every value of this Secret in clear" in ours.err
    assert "PASSWORD: correct-horse" in theirs.out
    words = ("encrypt", "--age", both.key.recipient, "--encrypted-regex", "^dta$", "a.yaml")
    assert "PASSWORD: correct-horse" in both.sealpy(*words, "--allow-clear").out
    assert "PASSWORD: correct-horse" in both.as_sops(*words).out


@line("`encrypt -i` over a committed file")
def _(both: Both) -> None:
    both.rule()
    both.run.git("init", "--quiet")
    both.write("a.yaml", "one: first\ntwo: second\n")
    changed = {}
    for name, run in (("sops", both.sops), ("by its name", both.as_sops), ("sealpy", both.sealpy)):
        both.write("a.yaml", "one: first\ntwo: second\n")
        run("encrypt", "-i", "a.yaml")
        both.run.git("add", ".")
        both.run.git("commit", "--quiet", "--message", name)
        both.write("a.yaml", "one: first\ntwo: other\n")
        run("encrypt", "-i", "a.yaml")
        changed[name] = re.findall(r"^\+(\w+): ENC", both.run.git("diff", "--unified=0"), re.MULTILINE)
        both.run.git("checkout", "--quiet", "a.yaml")

    assert changed == {"sops": ["one", "two"], "by its name": ["one", "two"], "sealpy": ["two"]}
    both.sealpy("rotate", "-i", "a.yaml")
    assert re.findall(r"^\+(\w+): ENC", both.run.git("diff", "--unified=0"), re.MULTILINE) == ["one", "two"]


@line("`encrypt -i` over a committed file that no key here opens")
def _(both: Both) -> None:
    both.rule()
    both.run.git("init", "--quiet")
    both.sealed("a.yaml", "one: first\ntwo: second\n")
    both.run.git("add", ".")
    both.run.git("commit", "--quiet", "--message", "sealed")
    nobody = {"SOPS_AGE_KEY": ""}
    both.write("a.yaml", "one: mine\n")

    refused = both.sealpy("encrypt", "-i", "a.yaml", env=nobody)

    assert refused.code == 1
    assert "would drop two" in refused.err
    assert both.read("a.yaml") == "one: mine\n"
    assert both.sealpy("encrypt", "-i", "--allow-drop", "a.yaml", env=nobody).code == 0
    both.write("a.yaml", "one: mine\n")
    assert both.sops("encrypt", "-i", "a.yaml", env=nobody).code == 0
    both.write("a.yaml", "one: mine\n")
    assert both.as_sops("encrypt", "-i", "a.yaml", env=nobody).code == 0


@line("A file in place")
def _(both: Both) -> None:
    for run, kept in ((both.sops, 2), (both.sealpy, 1)):
        both.sealed("a.yaml", "a: secret\n")
        linked = both.run.folder / "linked.yaml"
        os.link(both.run.folder / "a.yaml", linked)

        run("set", "a.yaml", '["a"]', '"other"')

        assert linked.stat().st_nlink == kept
        linked.unlink()


@line("Files with decrypted text")
def _(both: Both) -> None:
    both.sealed("a.yaml", "a: secret\n")
    modes = []
    for run in (both.sops, both.sealpy):
        run("decrypt", "--output", "clear.yaml", "a.yaml")
        modes.append((both.run.folder / "clear.yaml").stat().st_mode & 0o777)
        (both.run.folder / "clear.yaml").unlink()

    umask = os.umask(0o022)
    os.umask(umask)
    assert modes == [0o666 & ~umask, 0o600]
    both.write("clear.yaml", "").chmod(0o640)
    both.sealpy("decrypt", "--output", "clear.yaml", "a.yaml")
    assert (both.run.folder / "clear.yaml").stat().st_mode & 0o777 == 0o640


@line("Fields of the metadata that nobody knows")
def _(both: Both) -> None:
    for run, kept in ((both.sops, False), (both.sealpy, True)):
        both.sealed("a.yaml", "a: secret\n")
        both.write("a.yaml", both.read("a.yaml").replace("    version:", "    team: blue\n    version:"))

        assert run("set", "a.yaml", '["a"]', '"other"').code == 0

        assert ("team: blue" in both.read("a.yaml")) is kept


@line("`set` with a number")
def _(both: Both) -> None:
    large = "9007199254740993"
    values = []
    for run, number in ((both.sops, large), (both.as_sops, large), (both.sealpy, large), (both.sealpy, "5.0")):
        both.sealed("a.yaml", "a: secret\n")
        run("set", "a.yaml", '["n"]', number)
        kind = re.search(r'^"?n"?: ENC.*type:(\w+)\]', both.read("a.yaml"), re.MULTILINE)
        assert kind
        values.append((kind[1], both.sops("decrypt", "--extract", '["n"]', "a.yaml").out.strip()))

    rounded = ("float", "9.007199254740992e+15")
    assert values == [rounded, rounded, ("int", large), ("float", "5")]


@line("`set` with a list")
def _(both: Both) -> None:
    both.sealed("a.yaml", "a: secret\n")

    assert both.sops("set", "a.yaml", '["l"]', "[1, 2]").code == 7
    assert both.as_sops("set", "a.yaml", '["l"]', "[1, 2]").code == 7
    assert both.sealpy("set", "a.yaml", '["l"]', "[1, 2]").code == 0
    assert both.sops("decrypt", "--extract", '["l"][1]', "a.yaml").out.strip() == "2"


@line("`edit -s`")
def _(both: Both) -> None:
    both.sealed("a.yaml", "a: secret\n")
    editor = {"EDITOR": "sed -i s/secret/other/"}

    assert both.sops("edit", "-s", "a.yaml", env=editor).code == 0
    assert both.sops("decrypt", "a.yaml").out == "a: secret\n"
    assert both.sealpy("edit", "-s", "a.yaml", env=editor).code == 0
    assert both.sops("decrypt", "a.yaml").out == "a: other\n"
    meddled = both.sealpy(
        "edit", "-s", "a.yaml", env={"EDITOR": "sed -i -e s/other/third/ -e s/version:.*/version:\\ 9.9.9/"}
    )
    assert "has no effect" in meddled.err
    assert "9.9.9" not in both.read("a.yaml")


@line("`edit` of a file that changed meanwhile")
def _(both: Both) -> None:
    for run, code in ((both.sops, 0), (both.sealpy, 1)):
        both.sealed("other.yaml", "a: theirs\n")
        both.sealed("a.yaml", "a: secret\n")
        both.write("editor.sh", 'sed -i s/secret/mine/ "$1"; cp other.yaml a.yaml\n')

        ended = run("edit", "a.yaml", env={"EDITOR": "sh editor.sh"})

        assert ended.code == code, ended.err
        found = both.sops("decrypt", "a.yaml").out
        assert found == ("a: mine\n" if code == 0 else "a: theirs\n")
    assert both.sops("decrypt", "a.edited-1.yaml").out == "a: mine\n"


@line("`rotate`")
def _(both: Both) -> None:
    for run, kept in ((both.sops, True), (both.sealpy, False)):
        both.sealed("a.yaml", "a: secret\n")
        before = re.findall(r"^a: .*iv:(.*?),", both.read("a.yaml"))

        assert run("rotate", "-i", "a.yaml").code == 0

        assert (re.findall(r"^a: .*iv:(.*?),", both.read("a.yaml")) == before) is kept


@line("`rotate --add-age` of a key that is there")
def _(both: Both) -> None:
    for run, times in ((both.sops, 2), (both.sealpy, 1)):
        both.sealed("a.yaml", "a: secret\n")

        assert run("rotate", "-i", "--add-age", both.key.recipient, "a.yaml").code == 0

        assert both.read("a.yaml").count("recipient: ") == times


@line("`updatekeys` of a file that was tampered with")
def _(both: Both) -> None:
    other = _another_recipient(both)
    for run, code in ((both.sops, 0), (both.sealpy, 51)):
        both.sealed("a.yaml", "a: secret\nname_unencrypted: good\n")
        both.write("a.yaml", both.read("a.yaml").replace("good", "evil"))
        both.write(".sops.yaml", f"creation_rules:\n  - age: [{both.key.recipient}, {other}]\n")

        assert run("updatekeys", "--yes", "a.yaml").code == code

        assert (other in both.read("a.yaml")) is (code == 0)
        (both.run.folder / ".sops.yaml").unlink()


@line("`updatekeys` with recipients that stay")
def _(both: Both) -> None:
    other = _another_recipient(both)
    for run, kept in ((both.sops, False), (both.sealpy, True)):
        both.sealed("a.yaml", "a: secret\n")
        entry = re.search(r"-----BEGIN.*?-----END", both.read("a.yaml"), re.DOTALL)
        assert entry
        both.write(".sops.yaml", f"creation_rules:\n  - age: [{both.key.recipient}, {other}]\n")

        assert run("updatekeys", "--yes", "a.yaml").code == 0

        assert other in both.read("a.yaml")
        assert (entry[0] in both.read("a.yaml")) is kept
        (both.run.folder / ".sops.yaml").unlink()


@line("`decrypt --extract` into a single value")
def _(both: Both) -> None:
    both.sealed("a.yaml", "a: secret\n")

    assert both.sops("decrypt", "--extract", '["a"]["b"]', "a.yaml").code == 2
    ours = both.sealpy("decrypt", "--extract", '["a"]["b"]', "a.yaml")
    assert (ours.code, ours.out) == (1, "")
    assert "nothing at that path" in ours.err


@line("An input type that does not exist")
def _(both: Both) -> None:
    both.write("a.txt", "a: secret\n")

    ours, theirs = both.each("--input-type", "yml", file="a.txt")

    assert ours.code == 1
    assert "yaml" in ours.err
    assert '"data": "ENC[' in theirs.out
    words = ("encrypt", "--age", both.key.recipient, "--input-type", "yml", "a.txt")
    assert '"data": "ENC[' in both.as_sops(*words).out


@line("A word that is nearly a verb")
def _(both: Both) -> None:
    both.rule()
    editor = {"EDITOR": "sed -i s/hello/bye/"}

    ours = both.sealpy("decrpyt", env=editor)

    assert ours.code == 1
    assert 'did you mean "decrypt"?' in ours.err
    assert not (both.run.folder / "decrpyt").exists()
    for run in (both.sops, both.as_sops):
        run("decrpyt", env={"EDITOR": "sh -c 'echo changed > \"$0\"'"})
        assert (both.run.folder / "decrpyt").exists()
        (both.run.folder / "decrpyt").unlink()


@line("Commands that give a key (`SOPS_AGE_KEY_CMD`)")
def _(both: Both) -> None:
    both.sealed("a.yaml", "a: secret\n")
    both.write("give.sh", f"echo run >> ran\necho {both.key.identity}\n")
    command = {"SOPS_AGE_KEY_CMD": "sh give.sh"}

    assert both.sealpy("decrypt", "a.yaml", env=command).code == 0
    assert not (both.run.folder / "ran").exists()
    assert both.sealpy("decrypt", "a.yaml", env={**command, "SOPS_AGE_KEY": ""}).code == 0
    assert both.read("ran") == "run\n"
    assert both.sops("decrypt", "a.yaml", env=command).code == 0
    assert both.read("ran") == "run\nrun\n"


def _another_recipient(both: Both) -> str:
    made = both.sealpy("key", "new", "--output", "other.txt")
    assert made.code == 0, made.err
    (both.run.folder / "other.txt").unlink()
    return made.out.strip()


def test_each_line_of_the_page_is_tried() -> None:
    rows = re.findall(r"^\| (.+?) \| .+ \| .+ \| .+ \| .+ \|$", PAGE.read_text(), re.MULTILINE)

    assert [row.removesuffix(" ◐") for row in rows if row != "what"] == list(CASES)


@pytest.mark.parametrize("what", list(CASES))
def test_the_page_is_right(what: str, both: Both) -> None:
    CASES[what](both)


def test_programs_of_this_page_are_the_real_ones(both: Both) -> None:
    version = subprocess.run([both._sops, "--version"], capture_output=True, text=True, check=True).stdout

    assert version.startswith("sops 3.13.3")
