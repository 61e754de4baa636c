"""``sealpy encrypt``, as a process."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import SEALPY, Program
from tests.conftest import AgeKey

SECRET = """\
# The database of shop.
apiVersion: v1
kind: Secret
metadata:
  name: db
stringData:
  DB_PASSWORD: hunter2
  DB_URL: postgres://shop   # internal
"""


def test_a_secret_keeps_what_makes_it_a_manifest_in_clear(sealpy: Program) -> None:
    sealpy.write("secret.yaml", SECRET)

    ended = sealpy("encrypt", "secret.yaml")

    assert ended.code == 0
    assert ended.err == ""
    assert ended.out.startswith(SECRET.partition("  DB_PASSWORD")[0])
    assert "hunter2" not in ended.out
    assert "postgres" not in ended.out
    assert sealpy.read("secret.yaml") == SECRET


def test_by_the_name_of_sops_all_of_it_is_sealed_as_sops_does(sealpy: Program) -> None:
    sealpy.write("secret.yaml", SECRET)

    ended = sealpy("encrypt", "secret.yaml", name="sops")

    assert ended.code == 0
    assert "kind: ENC[" in ended.out


def test_in_place_and_back_gives_every_byte_back(sealpy: Program) -> None:
    path = sealpy.write("secret.yaml", SECRET)
    path.chmod(0o640)

    assert sealpy("encrypt", "-i", "secret.yaml") == (0, "", "")
    assert "hunter2" not in sealpy.read("secret.yaml")
    assert sealpy("decrypt", "--in-place", "secret.yaml") == (0, "", "")

    assert sealpy.read("secret.yaml") == SECRET
    assert path.stat().st_mode & 0o777 == 0o640


def test_the_real_sops_opens_it(sealpy: Program, tool: Callable[[str], str]) -> None:
    sealpy.write("secret.yaml", SECRET)
    assert sealpy("encrypt", "-i", "secret.yaml").code == 0

    ended = sealpy("decrypt", "--extract", '["stringData"]["DB_PASSWORD"]', "secret.yaml", program=[tool("sops")])

    assert (ended.code, ended.out) == (0, "hunter2")


def test_a_link_stays_a_link(sealpy: Program) -> None:
    sealpy.write("real.yaml", "a: 1\n")
    (sealpy.folder / "link.yaml").symlink_to("real.yaml")

    assert sealpy("encrypt", "-i", "link.yaml").code == 0

    assert (sealpy.folder / "link.yaml").is_symlink()
    assert "ENC[" in sealpy.read("real.yaml")


def test_stdin_goes_to_stdout_under_the_rule_of_the_name_it_is_given(sealpy: Program) -> None:
    ended = sealpy("encrypt", "--filename-override", "x.json", stdin='{"a": "secret"}')

    assert ended.code == 0
    assert ended.out.startswith('{"a": "ENC[')


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 8),
        (["-i"], 8),
        (["-i", "--filename-override", "x.yaml"], 8),
        (["-i", "--output", "y", "x.yaml"], 8),
        (["-i", "--output-dir", "y", "x.yaml"], 8),
        (["missing.yaml"], 100),
        (["."], 2),
        (["--encrypted-regex", "a", "--encrypted-suffix", "b", "x.yaml"], 8),
        (["--encryption-context", "a", "--kms", "arn", "x.yaml"], 6),
        (["--shamir-secret-sharing-threshold", "two", "x.yaml"], 1),
        (["--input-type", "toml", "x.yaml"], 1),
        (["--output-type", "json", "x.yaml"], 1),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_code_of_sops(sealpy: Program, words: list[str], code: int) -> None:
    sealpy.write("x.yaml", "a: 1\n")

    ended = sealpy("encrypt", *words)

    assert ended.code == code
    assert ended.out == ""
    assert ended.err.startswith("sealpy: ")
    assert sealpy.read("x.yaml") == "a: 1\n"


def test_without_a_key_nothing_is_written(run: Program) -> None:
    run.write("x.yaml", "a: secret\n")

    ended = run("encrypt", "-i", "x.yaml")

    assert ended.code == 1
    assert "--age" in ended.err
    assert run.read("x.yaml") == "a: secret\n"


def test_a_file_that_no_rule_covers_is_refused_though_a_key_is_named(sealpy: Program, age_key: AgeKey) -> None:
    sealpy.write(".sops.yaml", f"creation_rules:\n  - path_regex: prod/\n    age: {age_key.recipient}\n")
    sealpy.write("x.yaml", "a: 1\n")

    assert sealpy("encrypt", "--age", age_key.recipient, "x.yaml").code == 1


def test_keys_from_the_environment_take_the_place_of_the_rules(
    sealpy: Program, age_key: AgeKey, other_key: AgeKey
) -> None:
    sealpy.write("x.yaml", "a: 1\n")

    ended = sealpy("encrypt", "x.yaml", env={"SOPS_AGE_RECIPIENTS": other_key.recipient})

    assert other_key.recipient in ended.out
    assert age_key.recipient not in ended.out


def test_a_sealed_file_is_not_sealed_again(sealpy: Program) -> None:
    sealpy.write("x.yaml", "a: 1\n")
    assert sealpy("encrypt", "-i", "x.yaml").code == 0
    before = sealpy.read("x.yaml")

    ended = sealpy("encrypt", "-i", "x.yaml")

    assert ended.code == 203
    assert sealpy.read("x.yaml") == before


def test_an_invalid_regex_is_an_error_before_anything_is_written(sealpy: Program) -> None:
    sealpy.write("x.yaml", "a: secret\n")

    ended = sealpy("encrypt", "-i", "--encrypted-regex", "^(", "x.yaml")

    assert ended.code == 1
    assert "regular expression" in ended.err
    assert sealpy.read("x.yaml") == "a: secret\n"


def test_a_rule_that_leaves_a_secret_in_clear_is_refused_unless_one_insists(sealpy: Program) -> None:
    sealpy.write("secret.yaml", SECRET)

    refused = sealpy("encrypt", "-i", "--encrypted-regex", "^dta$", "secret.yaml")
    assert refused.code == 1
    assert "--allow-clear" in refused.err
    assert sealpy.read("secret.yaml") == SECRET

    assert sealpy("encrypt", "-i", "--allow-clear", "--encrypted-regex", "^dta$", "secret.yaml").code == 0
    assert "hunter2" in sealpy.read("secret.yaml")


def test_a_new_file_with_ciphertext_has_the_usual_mode(sealpy: Program) -> None:
    sealpy.write("x.yaml", "a: 1\n")

    assert sealpy("encrypt", "--output", "y.yaml", "x.yaml").code == 0

    umask = os.umask(0)
    os.umask(umask)
    assert (sealpy.folder / "y.yaml").stat().st_mode & 0o777 == 0o666 & ~umask


def test_on_a_terminal_it_says_that_the_file_is_still_plaintext(sealpy: Program) -> None:
    sealpy.write("x.yaml", "a: 1\n")
    ours, theirs = pty.openpty()

    process = subprocess.Popen(
        [sys.executable, "-c", SEALPY.format(name="sealpy"), "encrypt", "x.yaml"],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        cwd=sealpy.folder,
        env=sealpy.env,
    )
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 20)[0]:
        try:
            shown += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    said = process.communicate(timeout=20)[1].decode()

    assert b"ENC[" in shown
    assert "x.yaml itself is still plaintext" in said
    assert '"sealpy encrypt -i x.yaml"' in said


def _values(text: str) -> dict[str, str]:
    lines = (line.strip().partition(": ") for line in text.splitlines())
    return {key: value for key, _, value in lines if value.startswith("ENC[")}


def test_what_did_not_change_keeps_its_ciphertext_with_update(sealpy: Program) -> None:
    sealpy.write("new.yaml", "a: one\nb: two\n")
    assert sealpy("encrypt", "--output", "old.yaml", "new.yaml").code == 0
    sealpy.write("new.yaml", "a: one\nb: three\n")

    ended = sealpy("encrypt", "--update", "old.yaml", "new.yaml")

    old, new = _values(sealpy.read("old.yaml")), _values(ended.out)
    assert new["a"] == old["a"]
    assert new["b"] != old["b"]
    assert new["mac"] != old["mac"]


def test_writing_over_an_earlier_version_keeps_what_did_not_change(sealpy: Program) -> None:
    sealpy.write("clear.yaml", "a: one\nb: two\n")
    assert sealpy("encrypt", "--output", "sealed.yaml", "clear.yaml").code == 0
    old = _values(sealpy.read("sealed.yaml"))
    sealpy.write("clear.yaml", "a: one\nb: three\n")

    assert sealpy("encrypt", "--output", "sealed.yaml", "clear.yaml").code == 0

    assert _values(sealpy.read("sealed.yaml"))["a"] == old["a"]


def test_nothing_is_kept_from_a_version_that_was_for_others(
    sealpy: Program, age_key: AgeKey, other_key: AgeKey
) -> None:
    sealpy.write("clear.yaml", "a: one\n")
    assert sealpy("encrypt", "--output", "sealed.yaml", "clear.yaml").code == 0
    old = _values(sealpy.read("sealed.yaml"))
    both = f"{age_key.recipient},{other_key.recipient}"

    assert sealpy("encrypt", "--age", both, "--output", "sealed.yaml", "clear.yaml").code == 0

    assert _values(sealpy.read("sealed.yaml"))["a"] != old["a"]


def test_the_committed_version_gives_its_ciphertext_to_what_did_not_change(sealpy: Program) -> None:
    sealpy.git("init", "-q")
    sealpy.write("deep/secret.yaml", SECRET)
    assert sealpy("encrypt", "-i", "deep/secret.yaml").code == 0
    sealpy.git("add", ".")
    sealpy.git("commit", "-q", "-m", "x")
    old = _values(sealpy.read("deep/secret.yaml"))
    sealpy.write("deep/secret.yaml", SECRET.replace("hunter2", "hunter3"))

    assert sealpy("encrypt", "-i", "deep/secret.yaml").code == 0

    new = _values(sealpy.read("deep/secret.yaml"))
    assert new["DB_URL"] == old["DB_URL"]
    assert new["DB_PASSWORD"] != old["DB_PASSWORD"]


def _commit_for_others(sealpy: Program, recipient: str) -> None:
    sealpy.git("init", "-q")
    sealpy.write("secret.yaml", SECRET)
    assert sealpy("encrypt", "-i", "--age", recipient, "secret.yaml").code == 0
    sealpy.git("add", ".")
    sealpy.git("commit", "-q", "-m", "x")


def test_keys_of_a_committed_file_that_we_cannot_read_are_not_dropped(sealpy: Program, other_key: AgeKey) -> None:
    _commit_for_others(sealpy, other_key.recipient)
    new = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  NEW: x\n"
    sealpy.write("secret.yaml", new)

    ended = sealpy("encrypt", "-i", "--age", other_key.recipient, "secret.yaml")

    assert ended.code == 1
    assert "would drop DB_PASSWORD, DB_URL" in ended.err
    assert sealpy.read("secret.yaml") == new
    assert sealpy("encrypt", "-i", "--allow-drop", "--age", other_key.recipient, "secret.yaml").code == 0


def test_a_file_that_we_cannot_read_may_be_written_anew_with_all_its_keys(sealpy: Program, other_key: AgeKey) -> None:
    _commit_for_others(sealpy, other_key.recipient)
    sealpy.write("secret.yaml", SECRET.replace("hunter2", "hunter3"))

    assert sealpy("encrypt", "-i", "--age", other_key.recipient, "secret.yaml").code == 0


def test_no_git_is_run_outside_a_repository(sealpy: Program, tmp_path: Path) -> None:
    sealpy.write("x.yaml", "a: 1\n")
    spy = tmp_path / "git"
    spy.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    spy.chmod(0o755)

    assert sealpy("encrypt", "-i", "x.yaml", env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}).code == 0

    assert not (tmp_path / "ran").exists()
