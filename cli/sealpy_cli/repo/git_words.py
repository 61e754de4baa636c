"""What git, a hook or a remote said when a commit or a push came to nothing: worth another try, or the reason."""

import re

from sealpy.errors import Refused, SealpyError, SourceError
from sealpy_cli.repo.git_writer import Ran

_OVERTAKEN = ("(fetch first)", "(non-fast-forward)", "(stale info)")
"""How git itself rejects a push because the branch has moved."""

_BUSY = (
    "cannot lock",
    "unable to lock",
    "failed to lock",
    "failed to update ref",
    "old value",
    "already exists",
    "already been updated",
)
"""What a remote says when somebody else writes to the branch in the same moment."""

_NOISE = ("hint:", "error: failed to push some refs", "please make sure", "and the repository exists")
_LINES, _LENGTH = 5, 400
_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]+@")


def said(ran: Ran) -> str:
    """Return what there is to read, on one line: no advice, no credentials of an address, and not more than a few lines.

    It is what others wrote, to be made safe where it is shown, as every message of an error is.
    """
    # With a verdict of git's own, its output is that, and an address.
    lines = ((b"" if _summary(ran) else ran.out + b"\n") + ran.err).decode("utf-8", "replace").splitlines()
    kept = []
    for line in lines:
        text = line.removeprefix("remote:").strip()
        if text and not text.lower().startswith(_NOISE):
            kept.append(re.sub(r"^(?:fatal|error): ", "", text))
    kept = list(dict.fromkeys(kept))
    shown = "; ".join(kept[:_LINES]) + ("; …" if len(kept) > _LINES else "")
    shown = _CREDENTIALS.sub("", shown)
    return shown if len(shown) <= _LENGTH else f"{shown[:_LENGTH]}…"


def overtaken(ran: Ran) -> bool:
    """Tell whether a push failed because somebody else pushes to the branch, so that it is worth another try."""
    summary = _summary(ran)
    if summary.startswith("[rejected]"):
        return any(reason in summary for reason in _OVERTAKEN)
    return summary.startswith("[remote rejected]") and any(word in summary for word in (*_BUSY, "fetch first"))


def refusal(ran: Ran, remote: str) -> SealpyError:
    """Say why a push failed that is not worth another try."""
    summary, words = _summary(ran), said(ran)
    if summary.startswith("[remote rejected]"):
        reason = summary.partition("]")[2].strip(" ()")
        return Refused(
            f"{remote} declines the push: {reason}" + (f"; it said: {words}" if words else ""),
            hint="the branch may be protected: push to another one, and open a pull request",
        )
    if summary:
        return Refused(f"the push was rejected: {summary}", hint="nothing was pushed")
    if b"fatal:" not in ran.err and b"failed to push some refs" in ran.err:
        return Refused(
            "the pre-push hook stopped the push" + (f"; it said: {words}" if words else ", without a word"),
            hint="nothing was pushed; do what the hook asks for, and run this again",
        )
    return SourceError(
        f"{remote} cannot be pushed to: {words or 'no reason was given'}",
        hint=f'nothing was pushed; "git remote get-url --push {remote}" says where to, and it takes the right to write there',
    )


def unmoved(ran: Ran, branch: str, remote: str) -> Refused:
    """Say that a push comes too late again and again, for a branch on which nothing happens."""
    return Refused(
        f"{branch} does not take the push, and nobody else pushed: {_summary(ran)}",
        hint=f'nothing was pushed; "git remote -v" shows whether {remote} is read from another place than written to',
    )


def _summary(ran: Ran) -> str:
    verdict = next((line for line in ran.out.decode("utf-8", "replace").splitlines() if line.startswith("!\t")), "")
    return verdict.rpartition("\t")[2]
