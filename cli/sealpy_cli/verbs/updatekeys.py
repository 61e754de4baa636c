"""``sealpy updatekeys``: a file's master keys become those of its creation rule.

Only the keys: what is sealed and what the MAC covers stay. The MAC is verified first, so that nothing tampered with is
handed on to new readers (sops does not look).
"""

import os
import sys
from collections.abc import Sequence

from sealpy import operations
from sealpy.errors import KeyAccessError, RuleError
from sealpy.operations import KeyName
from sealpy_cli import many, terminal
from sealpy_cli.exit_codes import FAILED, NO_FILE, Stop, while_sealing
from sealpy_cli.grammar import Call
from sealpy_cli.session import Session


def run(call: Call) -> int:
    """Update, or with ``--check`` compare, the keys of every file."""
    session = Session(call)
    if session.rules() is None:
        raise Stop(FAILED, "config file not found", hint="the keys come from the creation rules of a .sops.yaml")
    operands = call.arguments.operands
    if not operands:
        raise Stop(NO_FILE, "no file given")
    if call.as_sops:
        items = [many.Item(path, path) for path in operands]
    else:
        items = many.find(operands, recursive=call.arguments.switch("recursive"), folder_code=FAILED)
    check = call.arguments.switch("check")
    return many.each(items, lambda item: _update(session, item), "as the rule says" if check else "up to date")


def _update(session: Session, item: many.Item) -> None:
    if os.path.isdir(item.path):
        raise Stop(FAILED, f"{item.path}: is a folder")
    fmt = session.format_of(item.path)
    data = session.read(item.path, missing=FAILED)
    if item.found and b"sops" not in data:
        raise many.LeftAlone
    document = fmt.scan(fmt.decode(data))
    if item.found and document.metadata is None:
        raise many.LeftAlone
    _, metadata = operations.scan_sealed(data, fmt)
    rule = session.rule_for(item.path)
    if rule is None or not any(rule.groups):
        raise RuleError("the rule for this file names no keys")
    groups = [[(key.backend, key.text) for key in group] for group in rule.groups]
    present = operations.key_names(metadata)
    # As in sops the rule's threshold has no say, only the file's, which cannot be more than there are groups.
    threshold = min(metadata.threshold, len(groups))
    if _same_keys(present, groups) and metadata.threshold == threshold:
        if session.call.as_sops:
            sys.stderr.write(f"File {item.path} already up to date\n")
        return
    if session.arguments.switch("check"):
        _show(session, item, present, groups, (metadata.threshold, threshold))
        raise Stop(FAILED, f"{item.path}: its keys are not those of the rule", hint='"sealpy updatekeys" changes them')
    _show(session, item, present, groups, (metadata.threshold, threshold))
    if not session.arguments.switch("yes"):
        answer = terminal.confirm("is this okay?")
        if answer is None:
            raise Stop(FAILED, f"{item.path}: nobody answered", hint="--yes answers beforehand")
        if not answer:
            terminal.say(f"{terminal.plain(item.path)}: left unchanged")
            raise many.LeftAlone
    opened = operations.open_document(data, fmt, session.keyring)
    try:
        updated = operations.update_keys(opened, fmt, session.keyring, groups)
    except KeyAccessError as error:
        raise while_sealing(error) from None
    session.write(item.path, updated, plaintext=False, expected=data)
    if session.call.as_sops:
        sys.stderr.write(f"File {item.path} synced with new keys\n")


def _same_keys(one: Sequence[Sequence[KeyName]], other: Sequence[Sequence[KeyName]]) -> bool:
    return [set(group) for group in one] == [set(group) for group in other]


def _show(
    session: Session,
    item: many.Item,
    present: Sequence[Sequence[KeyName]],
    wanted: Sequence[Sequence[KeyName]],
    thresholds: tuple[int, int],
) -> None:
    """Show the keys that stay, come and go, group by group: to stdout in sops' form, to stderr in ours."""
    spelt = str if session.call.as_sops else session.shown
    before, after = thresholds
    lines = [f"shamir_threshold: {after}"] if before == after and after else []
    if before != after:
        lines += [f"{sign} shamir_threshold: {number}" for sign, number in (("+++", after), ("---", before)) if number]
    for number in range(max(len(present), len(wanted))):
        old = present[number] if number < len(present) else ()
        new = wanted[number] if number < len(wanted) else ()
        lines += [f"Group {number + 1}"] if session.call.as_sops or max(len(present), len(wanted)) > 1 else []
        lines += [f"    {spelt(text)}" for backend, text in new if (backend, text) in old]
        lines += [f"+++ {spelt(text)}" for backend, text in new if (backend, text) not in old]
        lines += [f"--- {spelt(text)}" for backend, text in old if (backend, text) not in new]
    if session.call.as_sops:
        sys.stdout.write("The following changes will be made to the file's groups:\n")
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        return
    terminal.say(f"{terminal.plain(item.path)}:")
    for line in lines:
        terminal.say(f"  {terminal.plain(line)}")
