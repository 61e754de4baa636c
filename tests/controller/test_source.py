"""Repositories: what is read of them, and what none of them can make us do."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sealpy.errors import SourceError
from sealpy_controller import source as module
from sealpy_controller.git import Stopped
from sealpy_controller.source import File, Source
from tests.controller.conftest import Place

Open = Callable[..., Source]


@pytest.fixture
def opened(place: Place) -> Iterator[Open]:
    """Return a function that opens a source; all of them are closed in the end."""
    sources = []

    def function(where: str | None = None, ref: str = "main", path: str = "k8s", **options) -> Source:
        options = {"environ": place.environ, "stop": lambda: False, **options}
        sources.append(Source(where or str(place.repository), ref, path, **options))
        return sources[-1]

    yield function
    for source in sources:
        source.__exit__(None, None, None)


def _remote(place: Place) -> str:
    return f"file://{place.repository}"


def _read(source: Source) -> dict[str, bytes | None]:
    listing = source.files(source.commit())
    return {file.path: data for file, data in source.contents(listing.files)}


@pytest.mark.parametrize("kind", ["worktree", "bare", "address"])
def test_the_files_of_the_folder_are_read_and_no_others(place: Place, opened: Open, kind: str) -> None:
    commit = place.commit({"k8s/a.yaml": "a", "k8s/deep/b c\n.yaml": "b", "other/c.yaml": "c"})
    where = str(place.repository)
    if kind == "bare":
        where = str(place.folder / "bare.git")
        subprocess.run(["git", "clone", "-q", "--bare", place.repository, where], check=True)
    source = opened(_remote(place) if kind == "address" else where)

    assert source.commit() == commit
    assert _read(source) == {"k8s/a.yaml": b"a", "k8s/deep/b c\n.yaml": b"b"}


@pytest.mark.parametrize("kind", ["worktree", "address"])
def test_the_branch_counts_and_not_what_is_checked_out(place: Place, opened: Open, kind: str) -> None:
    place.commit({"k8s/a.yaml": "committed"})
    place.git("switch", "-q", "-c", "other")
    place.commit({"k8s/a.yaml": "on another branch"})
    (place.repository / "k8s/a.yaml").write_text("not committed")

    assert _read(opened(_remote(place) if kind == "address" else None)) == {"k8s/a.yaml": b"committed"}


def test_the_whole_repository_is_a_folder_too(place: Place, opened: Open) -> None:
    place.commit({"a.yaml": "a"})

    assert _read(opened(path=".")) == {"a.yaml": b"a"}
    assert _read(opened(_remote(place), path="./")) == {"a.yaml": b"a"}


def test_a_mirror_follows_new_commits_and_rewritten_ones(place: Place, opened: Open) -> None:
    place.commit({"k8s/a.yaml": "one"})
    source = opened(_remote(place))
    assert _read(source) == {"k8s/a.yaml": b"one"}

    place.commit({"k8s/a.yaml": "two"})
    assert _read(source) == {"k8s/a.yaml": b"two"}

    place.git("reset", "-q", "--hard", "HEAD~1")
    place.commit({"k8s/b.yaml": "three"})
    assert _read(source) == {"k8s/a.yaml": b"one", "k8s/b.yaml": b"three"}


def test_a_mirror_is_small_private_and_gone_in_the_end(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for number in range(3):
        place.commit({"k8s/a.yaml": f"{number}"})
    with Source(_remote(place), "main", "k8s", environ=place.environ, stop=lambda: False) as source:
        source.commit()
        folder = next(tmp_path.glob("sealpy-*"))

        assert folder.stat().st_mode & 0o077 == 0
        log = ["git", "-C", folder / "mirror", "rev-list", "--count", "main"]
        assert subprocess.run(log, capture_output=True, check=True).stdout == b"1\n"
        assert list((folder / "mirror" / "hooks").glob("*")) == []
    assert not folder.exists()


def test_a_mirror_that_has_grown_is_made_anew(place: Place, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    place.commit({"k8s/a.yaml": "one"})
    source = opened(_remote(place))
    source.commit()
    first = source._mirror
    monkeypatch.setattr(module, "MAX_MIRROR", 1000)

    place.commit({"k8s/a.yaml": "two"})
    with pytest.raises(SourceError) as caught:
        source.commit()

    assert "larger than sealpy takes" in (caught.value.hint or "")
    assert not Path(first).exists()
    monkeypatch.undo()
    assert _read(source) == {"k8s/a.yaml": b"two"}


@pytest.mark.parametrize("kind", ["worktree", "address"])
@pytest.mark.parametrize("filtering", ["true", "false"])
def test_a_file_over_the_limit_is_named_and_not_read(place: Place, opened: Open, kind: str, filtering: str) -> None:
    place.git("config", "uploadpack.allowFilter", filtering)
    place.commit({"k8s/a.yaml": "a", "k8s/big.yaml": "x" * (module.MAX_FILE + 1), "k8s/z.yaml": "x" * module.MAX_FILE})

    read = _read(opened(_remote(place) if kind == "address" else None))

    assert read["k8s/big.yaml"] is None
    assert read["k8s/a.yaml"] == b"a"
    assert len(read["k8s/z.yaml"] or b"") == module.MAX_FILE


def test_links_and_submodules_are_not_followed(place: Place, opened: Open) -> None:
    commit = place.commit({"k8s/a.yaml": "a"})
    (place.repository / "k8s/link.yaml").symlink_to("/etc/passwd")
    (place.repository / "k8s/folder").symlink_to("..")
    place.git("update-index", "--add", "--cacheinfo", f"160000,{commit},k8s/module")
    place.git("add", "k8s/link.yaml", "k8s/folder")
    place.git("commit", "-q", "-m", "x")
    source = opened()

    listing = source.files(source.commit())

    assert [file.path for file in listing.files] == ["k8s/a.yaml"]
    assert listing.links == ("k8s/folder", "k8s/link.yaml", "k8s/module")


def test_attributes_change_nothing(place: Place, opened: Open) -> None:
    place.commit({"k8s/a.yaml": "a\n", ".gitattributes": "* text eol=crlf filter=evil diff=evil\n"})
    place.git("config", "filter.evil.smudge", f"touch {place.folder}/evil")
    place.git("config", "diff.evil.textconv", f"touch {place.folder}/evil")

    assert _read(opened()) == {"k8s/a.yaml": b"a\n"}
    assert _read(opened(_remote(place))) == {"k8s/a.yaml": b"a\n"}
    assert not (place.folder / "evil").exists()


def test_no_program_that_a_repository_names_is_run(place: Place, opened: Open) -> None:
    place.commit({"k8s/a.yaml": "a"})
    touch = place.folder / "touch"
    touch.write_text(f"#!/bin/sh\necho $0 >> {place.folder}/evil\n")
    touch.chmod(0o755)
    hooks = place.repository / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc", "fsmonitor-watchman"):
        (hooks / name).symlink_to(touch)
    for setting in ("core.fsmonitor", "core.sshCommand", "core.pager", "credential.helper", "core.editor"):
        place.git("config", setting, str(touch))
    place.git("update-ref", "refs/heads/check", "HEAD")
    assert (place.folder / "evil").exists(), "the trap does not work"
    (place.folder / "evil").unlink()

    _read(opened())
    _read(opened(_remote(place)))

    assert not (place.folder / "evil").exists()


def test_replaced_objects_do_not_count(place: Place, opened: Open) -> None:
    place.commit({"k8s/a.yaml": "a"})
    real = place.git("rev-parse", "HEAD:k8s/a.yaml").strip()
    place.commit({"k8s/a.yaml": "evil"})
    place.git("replace", real, place.git("rev-parse", "HEAD:k8s/a.yaml").strip())
    place.commit({"k8s/a.yaml": "a"})

    assert _read(opened()) == {"k8s/a.yaml": b"a"}


@pytest.mark.parametrize(
    ("where", "part"),
    [
        ("ext::sh -c 'touch evil'", "another program"),
        ("fd::17", "another program"),
        ("http://example.com/x.git", "would use http"),
        ("ftp://example.com/x.git", "would use ftp"),
        ("https://user:hunter2@example.com/x.git", "password"),
        ("ssh://user:hunter2@example.com/x.git", "password"),
        ("ssh://example.com/x\n.git", "neither a folder nor an address"),
    ],
)
def test_what_git_may_not_be_asked_for_is_refused_at_once(opened: Open, where: str, part: str) -> None:
    with pytest.raises(SourceError) as caught:
        opened(where)

    assert part in caught.value.message
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    "where",
    ["https://example.com/x.git", "ssh://git@example.com:22/x", "git@example.com:x/y.git", "git://example.com/x"],
)
def test_addresses_of_every_allowed_kind_are_taken(opened: Open, where: str) -> None:
    assert opened(where).shown == where


def test_a_token_in_the_place_of_a_user_is_not_shown(opened: Open) -> None:
    source = opened("https://ghp_token@localhost:1/x.git")

    assert "ghp_token" not in source.name
    with pytest.raises(SourceError) as caught:
        source.commit()
    assert "localhost:1" in caught.value.message
    assert "ghp_token" not in caught.value.message


@pytest.mark.parametrize(
    "ref", ["", "-x", "--upload-pack=touch", "a b", "a..b", "a:b", "@{-1}", "x/", ".x", "a\nb", "x.lock", "a^", "a~1"]
)
def test_what_is_no_name_of_a_branch_is_refused_at_once(opened: Open, ref: str) -> None:
    with pytest.raises(SourceError, match="--ref"):
        opened(ref=ref)


@pytest.mark.parametrize("path", ["/etc", "..", "a/../b", "a\0b", "a\nb"])
def test_what_is_no_folder_of_a_repository_is_refused_at_once(opened: Open, path: str) -> None:
    with pytest.raises(SourceError, match="--path"):
        opened(path=path)


@pytest.mark.parametrize("kind", ["worktree", "address"])
def test_a_branch_or_a_folder_that_is_not_there_is_named(place: Place, opened: Open, kind: str) -> None:
    place.commit({"k8s/a.yaml": "a"})
    place.git("tag", "v1")
    where = _remote(place) if kind == "address" else None

    for ref in ("mian", "v1", "HEAD"):
        with pytest.raises(SourceError) as caught:
            opened(where, ref=ref).commit()
        assert "--ref" in (caught.value.hint or "")
    for path in ("k8", "k8s/a.yaml", "K8S"):
        source = opened(where, path=path)
        with pytest.raises(SourceError) as caught:
            source.files(source.commit())
        assert caught.value.message == f"there is no folder {path} on main"


def test_a_folder_that_is_no_repository_is_not_looked_for_further_up(place: Place, opened: Open) -> None:
    place.commit({"k8s/a.yaml": "a"})

    with pytest.raises(SourceError, match="not a git repository"):
        opened(str(place.repository / "k8s")).commit()
    with pytest.raises(SourceError, match="there is no folder"):
        opened(str(place.folder / "nowhere")).commit()
    with pytest.raises(SourceError, match="there is no folder"):
        opened("-x").commit()


def test_our_keys_are_not_in_gits_environment(place: Place, opened: Open) -> None:
    place.commit({"k8s/a.yaml": "a"})
    spy = place.folder / "bin" / "git"
    spy.parent.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    spy.write_text(f'#!/bin/sh\nenv >> {place.folder}/seen\nexec {real} "$@"\n')
    spy.chmod(0o755)
    environ = {
        **place.environ,
        "PATH": f"{spy.parent}:{os.environ['PATH']}",
        "SOPS_AGE_KEY_FILE": "/keys",
        "GIT_DIR": "/elsewhere",
        "GIT_SSH_COMMAND": "ssh -F none",
        "SSH_AUTH_SOCK": "/agent",
    }
    before = os.environ["PATH"]
    os.environ["PATH"] = environ["PATH"]
    try:
        _read(opened(_remote(place), environ=environ))
    finally:
        os.environ["PATH"] = before

    seen = (place.folder / "seen").read_text()
    assert "SSH_AUTH_SOCK=/agent" in seen
    assert "GIT_SSH_COMMAND=ssh -F none" in seen
    assert "SOPS_AGE" not in seen
    assert "GIT_DIR" not in seen
    assert place.key.identity not in seen


def test_a_server_that_never_answers_is_given_up(place: Place, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TRANSFER_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = opened(f"git://127.0.0.1:{server.getsockname()[1]}/x")

        with pytest.raises(SourceError, match="took too long"):
            source.commit()


def test_stopping_does_not_wait_for_a_server(place: Place, opened: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = opened(f"git://127.0.0.1:{server.getsockname()[1]}/x", stop=lambda: True)
        start = time.monotonic()

        with pytest.raises(Stopped):
            source.commit()

    assert time.monotonic() - start < 5


def test_a_damaged_repository_is_an_error_and_not_less_files(place: Place, opened: Open) -> None:
    place.commit({"k8s/a.yaml": "a", "k8s/b.yaml": "b"})
    blob = place.git("rev-parse", "HEAD:k8s/b.yaml").strip()
    (place.repository / f".git/objects/{blob[:2]}/{blob[2:]}").unlink()
    source = opened()
    files = source.files(source.commit()).files
    assert File("k8s/b.yaml", blob) in files

    with pytest.raises(SourceError, match="cannot read an object"):
        list(source.contents(files))
