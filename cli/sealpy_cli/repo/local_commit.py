"""A commit of some files of the worktree, and of nothing else that is there or staged."""

import os
import shlex
from collections.abc import Sequence

from sealpy.errors import Refused, SourceError
from sealpy_cli import terminal
from sealpy_cli.repo import git_words
from sealpy_cli.repo.git import fault
from sealpy_cli.repo.git_writer import GitWriter


def prepare(top: str, names: Sequence[str]) -> None:
    """Find out before anything is written what ``commit`` would stumble over.

    Raises:
        Refused: files have changes that are not committed, which would go into the same commit.
        SourceError: git knows no author, or fails.
    """
    git = GitWriter(top)
    changed = _changed(git, names)
    if changed:
        raise Refused(
            f"{', '.join(changed)} has changes that are not committed, and they would be in the same commit",
            hint="commit them before, or leave --commit out",
        )
    for name in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        ran = git.attempt("var", name)
        if ran.code:
            raise SourceError(
                f"it is not known who commits: {fault(ran.err).complaint}",
                hint="git config user.name NAME, and git config user.email ADDRESS",
            )


def commit(top: str, names: Sequence[str], message: str) -> None:
    """Commit some files of the worktree, and nothing else.

    Raises:
        Refused: git ignores what was written, or a hook does not let the commit through; it says what stands where.
        GitError
    """
    git = GitWriter(top)
    changed = _changed(git, names)
    if not changed:
        ignored = _ignored(git, names)
        if ignored:
            raise Refused(
                f"{', '.join(ignored)} is written, but not committed: git ignores it",
                hint="mend .gitignore, then git add and git commit",
            )
        terminal.say("nothing changed, so there is nothing to commit")
        return
    ran = git.attempt("add", "--", *changed)
    if ran.code:
        raise Refused(
            f"{', '.join(changed)} is written, but not committed: {git_words.said(ran)}",
            hint=f'"git add -- {shlex.join(changed)}", then "git commit"',
        )
    words = ("commit", "--quiet", "--only", "-F", "-", "--", *changed)
    ran = git.attempt(*words, stdin=message.encode("utf-8", "surrogateescape"))
    if ran.code:
        shown = shlex.join(changed)
        raise Refused(
            f"{', '.join(changed)} is written and staged, but not committed: "
            + (git_words.said(ran) or "git commit failed without a word, as it does when a pre-commit hook refuses"),
            hint=f'"git commit -- {shown}" tries again; "git restore --source=HEAD --staged --worktree -- {shown}" '
            "takes it back",
        )
    terminal.say(f"committed {git.text('rev-parse', '--short', 'HEAD')}")


def is_ignored(file: str) -> bool:
    """Tell whether git passes a file over that it does not know; False outside of a repository."""
    try:
        return bool(_ignored(GitWriter(os.path.dirname(file) or "."), [os.path.basename(file)]))
    except SourceError:
        return False


def _ignored(git: GitWriter, names: Sequence[str]) -> list[str]:
    listed = git.run("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", *names)
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]


def _changed(git: GitWriter, names: Sequence[str]) -> list[str]:
    """Return those of some files that are not as in HEAD, new ones included."""
    words = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *names)
    return [os.fsdecode(record[3:]) for record in git.run(*words).split(b"\0") if record]
