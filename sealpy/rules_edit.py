"""Change who the rules of a ``.sops.yaml`` name, and what ``.sealpy.yaml`` calls them, and keep the texts.

Pure: text in, text out. Only the recipient that comes or goes is touched: comments, order, quotes and the form of a
list stay, be it a list or a text with commas. Where one list serves several rules, through an anchor or a merge key,
a change would reach further than asked for; the result is read again, and refused if any other rule differs.
"""

import re
from collections.abc import Sequence

from sealpy import project, registry, rules, settings
from sealpy.document import Document, Edit, Leaf, Path, splice
from sealpy.errors import PathNotFound, Refused, RuleError
from sealpy.formats import Format
from sealpy.rules import CreationRule, KeySpec, Rules
from sealpy.settings import Setting

_BACKEND = "age"
_ALIAS = "*"
_BEHIND_ALIAS = "it leads through an alias"
_BEHIND = re.compile(r"([ \t]*,)?([ \t]*#[^\r\n]*)?(?=\r?\n)")
"""What may follow the last item of a list in brackets that has a line of its own."""
_DASH = re.compile(r"([ \t]*-[ \t]+)")
_PROPERTY = re.compile(r"[&!]\S+[ \t]+$")
_TO_NEXT = re.compile(r"(?:\s+#[^\n]*|\s)*")


def with_recipient(text: str, path: str, chosen: Sequence[int], recipient: str) -> str:
    """Add an age recipient to some creation rules, given by their places; rules that have it stay as they are.

    Raises:
        RuleError: the text is no configuration.
        Refused: it would change another rule too, or a rule has several key groups to choose from.
    """
    return _changed(text, path, chosen, recipient, wanted=True)


def without_recipient(text: str, path: str, chosen: Sequence[int], recipient: str) -> str:
    """Take an age recipient out of some creation rules: see ``with_recipient``.

    Raises:
        RuleError
        Refused: also when a rule, or a key group of it, would be left without any key.
    """
    return _changed(text, path, chosen, recipient, wanted=False)


def names(rule: CreationRule, recipient: str) -> bool:
    """Tell whether a rule names a recipient, in any of its groups."""
    return any(_is(key, recipient) for group in rule.groups for key in group)


def with_clear_fields_free(text: str, path: str, index: int) -> str:
    """Have the MAC of a creation rule's files cover encrypted values only, so that who has no key can change others.

    Raises:
        RuleError: the text is no configuration.
        Refused: it would change another rule too.
    """
    before = rules.parse(text, path)
    if _rule(before, index).mac_only_encrypted:
        return text
    fmt = _yaml()
    place = (*_place_of_rule(text, before, index), "mac_only_encrypted")
    edits = fmt.insert(fmt.scan(text), place, value=True)
    if _unfold(text, edits):
        raise _shared(before, index)
    changed = splice(text, edits)
    after = _parsed(changed, before, [index])
    for number, (old, new) in enumerate(zip(before.creation_rules or (), after.creation_rules or (), strict=True)):
        if new._replace(line=0) != old._replace(line=0, mac_only_encrypted=number == index or old.mac_only_encrypted):
            raise _shared(before, index)
    return changed


def with_name(text: str, path: str, name: str, recipient: str) -> str:
    """Give a recipient its name in the text of a ``.sealpy.yaml``; an empty text becomes a new file.

    Raises:
        RuleError: the text is no project file, or the name is none.
        Refused: the names come through an alias.
    """
    before = project.parse(text, path)
    if before.recipients.get(name) == recipient:
        return text
    if settings.parse(text, path) is None:
        changed = f"{text}version: 1\nrecipients:\n    {name}: {recipient}\n"
    else:
        fmt = _yaml()
        changed = splice(text, fmt.insert(fmt.scan(text), ("recipients", name), recipient))
    after = project.parse(changed, path)
    if after.recipients != {**before.recipients, name: recipient}:
        raise Refused(f"{path}: its names stand where they cannot be added to", hint=f"add {name}: {recipient} to them")
    return changed


def _changed(text: str, path: str, chosen: Sequence[int], recipient: str, *, wanted: bool) -> str:
    before = rules.parse(text, path)
    one = _insert if wanted else _remove
    current = text
    # What is reached through an alias may have changed when the rule with its anchor did.
    postponed: list[int] = []
    for index in chosen:
        # A rule may share its list with one that was changed just now.
        parsed = _parsed(current, before, chosen)
        if names(_rule(parsed, index), recipient) is wanted:
            continue
        try:
            current = one(current, parsed, index, recipient)
        except PathNotFound:
            postponed.append(index)
    after = _parsed(current, before, chosen)
    for index in postponed:
        if names(_rule(after, index), recipient) is not wanted:
            raise _shared(before, index)
    _check(before, after, chosen, recipient, wanted=wanted)
    return current


def _parsed(text: str, before: Rules, chosen: Sequence[int]) -> Rules:
    """Read a changed text; what cannot be read lost the anchor of an alias.

    Raises:
        Refused
    """
    try:
        return rules.parse(text, before.path)
    except RuleError:
        pass
    raise _shared(before, chosen[0])


def _insert(text: str, parsed: Rules, index: int, recipient: str) -> str:
    rule = _rule(parsed, index)
    if len(rule.groups) > 1:
        raise Refused(
            f"{parsed.path}:{rule.line}: this rule has {len(rule.groups)} key groups, and which one a person belongs "
            "to is for you to say",
            hint='add the recipient to a group with an editor, then run "sealpy sync"',
        )
    fmt = _yaml()
    document = fmt.scan(text)
    base = _place_of_list(text, parsed, index, 0)
    leaves = _listed(document, base)
    if not leaves or (len(leaves) == 1 and leaves[0].path == base and leaves[0].kind in ("null", "list")):
        if any(key.backend == _BACKEND for group in rule.groups for key in group):
            raise _shared(parsed, index)
        # Of a group this is a list; of a rule a text will do, which asks for no indentation.
        edits = fmt.insert(document, base, [recipient] if "key_groups" in base else recipient)
        if _unfold(text, edits):
            raise PathNotFound(_BEHIND_ALIAS)
        return splice(text, edits)
    if leaves[0].path == base:
        _refuse_alias(text, leaves[0])
        return splice(text, [_appended(text, leaves[0], recipient)])
    last = leaves[-1]
    return splice(text, (_behind if _in_brackets(text, last) else _below_it)(text, last, recipient))


def _remove(text: str, parsed: Rules, index: int, recipient: str) -> str:
    """Take a recipient out of every key group of a rule."""
    rule = _rule(parsed, index)
    for number, group in enumerate(rule.groups):
        rest = [key for key in group if not _is(key, recipient)]
        if not rest:
            left = "a key, and its files open for nobody" if len(rule.groups) == 1 else f"a key in group {number + 1}"
            raise Refused(
                f"{parsed.path}:{rule.line}: this rule would be left without {left}",
                hint="let somebody else in first",
            )
        if len(rest) < len(group):
            base = _place_of_list(text, parsed, index, number)
            text = _without(text, base, recipient, other=any(key.backend == _BACKEND for key in rest))
    return text


def _without(text: str, base: Path, recipient: str, *, other: bool) -> str:
    """Take a recipient out of one list; the list goes as a whole if there is no ``other`` one in it."""
    fmt = _yaml()
    document = fmt.scan(text)
    leaves = _listed(document, base)
    if not other and leaves:
        _refuse_alias(text, leaves[0])
        return splice(text, fmt.remove(document, base))
    for leaf in reversed(leaves):
        parts = [part.strip() for part in leaf.content.split(",")]
        if recipient not in parts:
            continue
        if leaf.path == base or any(part and part != recipient for part in parts):
            _refuse_alias(text, leaf)
            text = splice(text, _cut_out(text, leaf, recipient))
        else:
            text = splice(text, [_item(text, leaf)])
    return text


def _listed(document: Document, base: Path) -> list[Leaf]:
    depth = len(base)
    leaves = document.leaves
    return [leaf for leaf in leaves if leaf.document == 0 and leaf.kind != "comment" and leaf.path[:depth] == base]


def _place_of_rule(text: str, parsed: Rules, index: int) -> tuple[str, int]:
    return "creation_rules", _nth([not item.null for item in _items(text, parsed)], index)


def _items(text: str, parsed: Rules) -> list[Setting]:
    root = settings.parse(text, parsed.path)
    listed = root.field("creation_rules") if root is not None else None
    return listed.items("creation_rules") if listed is not None else []


def _place_of_list(text: str, parsed: Rules, index: int, number: int) -> Path:
    """Return the path of the age recipients of a rule, or of its n-th key group."""
    _, place = _place_of_rule(text, parsed, index)
    groups = _items(text, parsed)[place].field("key_groups")
    full = [not group.null for group in ([] if groups is None else groups.items("key_groups"))]
    if any(full):
        return ("creation_rules", place, "key_groups", _nth(full, number), _BACKEND)
    return ("creation_rules", place, _BACKEND)


def _check(before: Rules, after: Rules, chosen: Sequence[int], recipient: str, *, wanted: bool) -> None:
    """Compare what the texts say: the chosen rules have the change, and nothing else has any.

    Raises:
        Refused
    """
    first = _rule(before, chosen[0]) if chosen else CreationRule(1)
    for index, (old, new) in enumerate(zip(before.creation_rules or (), after.creation_rules or (), strict=True)):
        if index in chosen:
            kept = [{key for key in group if not _is(key, recipient)} for group in new.groups]
            wanted_rest = [{key for key in group if not _is(key, recipient)} for group in old.groups]
            good = names(new, recipient) is wanted and (kept or [set()]) == (wanted_rest or [set()])
            if not good or _rest(old) != _rest(new):
                raise _shared(before, index)
        elif _rest(old) != _rest(new) or old.groups != new.groups:
            raise Refused(
                f"{before.path}:{first.line}: this rule and the one at line {old.line} take their recipients from "
                "one list, so both would change",
                hint="give each a list of its own with an editor, or name the environments of both, as in dev,qa",
            )
    if [rule._replace(line=0, recreation_rule=None) for rule in before.destination_rules] != [
        rule._replace(line=0, recreation_rule=None) for rule in after.destination_rules
    ] or _recreated(before) != _recreated(after):
        raise _shared(before, chosen[0])


def _recreated(parsed: Rules) -> list[object]:
    found = [rule.recreation_rule for rule in parsed.destination_rules]
    return [None if rule is None else (_rest(rule), rule.groups) for rule in found]


def _rest(rule: CreationRule) -> object:
    """Return what a rule says besides its keys, wherever it stands."""
    return rule._replace(line=0, groups=(), fault=None), rule.fault is None


def _shared(parsed: Rules, index: int) -> Refused:
    return Refused(
        f"{parsed.path}:{_rule(parsed, index).line}: this rule takes its recipients from elsewhere, through an alias "
        "(*) or a merge key (<<)",
        hint='change the list where its anchor (&) stands with an editor, then run "sealpy sync"',
    )


def _rule(parsed: Rules, index: int) -> CreationRule:
    return (parsed.creation_rules or ())[index]


def _is(key: KeySpec, recipient: str) -> bool:
    return key.backend == _BACKEND and key.text == recipient


def _refuse_alias(text: str, leaf: Leaf) -> None:
    if text[leaf.start] == _ALIAS:
        raise PathNotFound(_BEHIND_ALIAS)


def _unfold(text: str, edits: Sequence[Edit]) -> bool:
    """Tell whether edits write out an alias; whoever has one list for several rules wants to keep it."""
    return any(edit.start < edit.end and text[edit.start] == _ALIAS for edit in edits)


def _nth(full: Sequence[bool], number: int) -> int:
    """Return the place of the n-th item that is there: null items don't count."""
    return [place for place, there in enumerate(full) if there][number]


def _in_brackets(text: str, leaf: Leaf) -> bool:
    """Tell whether a list item stands in brackets: what comes next is a comma or the closing one."""
    found = _TO_NEXT.match(text, leaf.end)
    return found is not None and text[found.end() : found.end() + 1] in (",", "]")


def _behind(text: str, last: Leaf, recipient: str) -> list[Edit]:
    """Add an item behind the last one in brackets; on a line of its own, below that one's comment, if that has one."""
    line = text.rfind("\n", 0, last.start) + 1
    lead = text[line : last.start]
    found = _BEHIND.match(text, last.end)
    if lead.strip() or found is None:
        return [Edit(last.end, last.end, f", {recipient}")]
    newline = "\r\n" if text.startswith("\r\n", found.end()) else "\n"
    comma = "," if found[1] else ""
    edits = [] if comma else [Edit(last.end, last.end, ",")]
    return [*edits, Edit(found.end(), found.end(), f"{newline}{lead}{recipient}{comma}")]


def _below_it(text: str, last: Leaf, recipient: str) -> list[Edit]:
    """Add an item below the last one behind a dash, and below the comment on its line."""
    line = text.rfind("\n", 0, last.start) + 1
    found = _DASH.match(text, line)
    if found is None:
        raise PathNotFound("the item has no line of its own")
    end = _line_end(text, last.end)
    entry = f"{found[1]}{recipient}"
    if not text.startswith("\n", end - 1):
        return [Edit(end, end, f"\n{entry}")]
    return [Edit(end, end, entry + ("\r\n" if text.startswith("\r", end - 2) else "\n"))]


def _item(text: str, leaf: Leaf) -> Edit:
    """Cut an item out of a list: with its line, if it has one of its own, else with a comma beside it."""
    line = text.rfind("\n", 0, leaf.start) + 1
    brackets = _in_brackets(text, leaf)
    start = leaf.start
    if found := _PROPERTY.search(text[line:start]):
        start = line + found.start()
    if not brackets:
        if _DASH.match(text, line) is None:
            raise PathNotFound("the item has no line of its own")
        return Edit(line, _line_end(text, leaf.end), "")
    if not text[line:start].strip() and _BEHIND.match(text, leaf.end):
        return Edit(line, _line_end(text, leaf.end), "")
    if before := re.search(r"\s*,\s*$", text[line:start]):
        return Edit(line + before.start(), leaf.end, "")
    behind = re.compile(r"\s*,\s*").match(text, leaf.end)
    return Edit(start, behind.end() if behind else leaf.end, "")


def _line_end(text: str, index: int) -> int:
    if text.startswith("\n", index - 1):
        return index
    newline = text.find("\n", index)
    return len(text) if newline < 0 else newline + 1


def _appended(text: str, leaf: Leaf, recipient: str) -> Edit:
    """Add to a text with commas: on a line of its own if the last part has one, else with the blanks that others have.

    A block scalar keeps its line breaks, a text in quotes its quotes.
    """
    written = text[leaf.start : leaf.end]
    parts = [part.strip() for part in leaf.content.split(",") if part.strip()]
    if not parts:
        return Edit(leaf.start, leaf.end, recipient)
    where = leaf.start + written.rindex(parts[-1]) + len(parts[-1])
    line = text.rfind("\n", leaf.start, where) + 1
    if line > leaf.start and not text[line : where - len(parts[-1])].strip():
        newline = "\r\n" if text.startswith("\r", line - 2) else "\n"
        glue = f",{newline}{text[line : where - len(parts[-1])]}"
    else:
        glue = ", " if ", " in written else ","
    return Edit(where, where, glue + recipient)


def _cut_out(text: str, leaf: Leaf, recipient: str) -> list[Edit]:
    """Cut a recipient, with a comma beside it, out of a text with commas."""
    written = text[leaf.start : leaf.end]
    edits: list[Edit] = []
    pattern = rf"(?<![^\s,'\"]){re.escape(recipient)}(?![^\s,'\"])"
    for found in re.finditer(pattern, written):
        start, end = found.span()
        behind = re.compile(r"\s*,\s*").match(written, end)
        before = re.search(r"\s*,\s*$", written[:start])
        if before is not None and (not edits or edits[-1].end <= leaf.start + before.start()):
            start = before.start()
        elif behind is not None:
            end = behind.end()
        edits.append(Edit(leaf.start + start, leaf.start + end, ""))
    return edits


def _yaml() -> Format:
    return registry.format_named("yaml")
