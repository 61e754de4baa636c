"""Sealing what is staged: in the index, which the next commit is made of, whatever the worktree has by now.

A file of the worktree is sealed with it only where it is the staged one, byte for byte. Where it was edited further,
the edit stays, in clear, and is said.
"""

import os
from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple

from sealpy import files
from sealpy.errors import SourceError
from sealpy_cli import commit_check, many, terminal
from sealpy_cli.exit_codes import OK
from sealpy_cli.repo.committed import Committed
from sealpy_cli.repo.git import Git
from sealpy_cli.repo.git_writer import GitWriter
from sealpy_cli.repo.repository import Entry, Repository
from sealpy_cli.seal_clear import committed_version, seal
from sealpy_cli.session import Session

_OWN_INDEX = ("index", "index.lock")
"""What git calls the index that outlives a commit. For ``git commit FILE`` it makes another one."""


class _Staged(NamedTuple):
    entry: Entry
    data: bytes


def run(session: Session) -> int:
    """Seal every staged file that the check before a commit would refuse for being in clear."""
    with Git() as git:
        found = commit_check.find(git)
        waiting = _read(git, found) if found.in_clear else {}
    if not waiting:
        terminal.say("nothing is staged in clear that should be encrypted")
        return 0
    writer = GitWriter(found.top)
    items = [many.Item(name, name) for name in waiting]
    with closing(Committed()) as committed:
        code = many.each(
            items,
            lambda item: _seal(session, writer, committed, waiting[item.path]),
            "encrypted",
            clear=True,
        )
    if code == OK:
        terminal.hint(
            "what was staged in clear stays in .git/objects until git prunes it; a push does not take it along"
        )
    return code


def is_partial() -> bool:
    """Tell whether git runs us for a commit of named files, with an index that is thrown away afterwards.

    What is sealed there would be committed, and the index would still have it in clear, ready for the next commit.
    """
    index = os.environ.get("GIT_INDEX_FILE", "")
    return bool(index) and os.path.basename(index) not in _OWN_INDEX


def _read(git: Git, found: commit_check.Staged) -> Mapping[str, _Staged]:
    repository = Repository(git, found.top, staged=True)
    try:
        entries = [entry for entry in repository.entries(()) if entry.name in found.in_clear]
        return {
            entry.name: _Staged(entry, data) for entry, data in repository.contents(entries) if isinstance(data, bytes)
        }
    finally:
        repository.close()


def _seal(session: Session, writer: GitWriter, committed: Committed, staged: _Staged) -> None:
    entry, data = staged
    path = os.path.join(writer.top, entry.name)
    fmt = session.format_of(entry.name)
    plan = session.plan_by(entry.rule, fmt, data)
    earlier = committed_version(session, committed, path, fmt, data)
    sealed = seal(session, data, fmt, plan, earlier)
    writer.stage(entry.name, sealed)
    shown = terminal.plain(entry.name)
    if _in_worktree(path) == data:
        session.write(path, sealed, plaintext=False, expected=data)
        terminal.say(f"encrypted {shown}, which was staged in clear")
        return
    terminal.say(f"encrypted {shown} as it was staged")
    terminal.warn(f"{shown} in the worktree is another version, and stays as it is, in clear")


def _in_worktree(path: str) -> bytes | None:
    try:
        return None if os.path.islink(path) else files.read(path)
    except SourceError:
        return None
