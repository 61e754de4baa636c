"""Which leaves of a document are sealed.

One of six rules says so: by the suffix of a key, by a regular expression on keys, or by one on comments, each of
them for or against sealing. A rule on keys looks at every key from the root down; a rule on comments looks at the
comments just above a leaf and just above everything that holds it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from sealpy import regex
from sealpy.document import Leaf, Path
from sealpy.errors import InvalidMetadata, RuleError

MODES = (
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
)
"""The six rules, by the name they have in files."""

_NEVER_SEALED = frozenset(("null", "map", "list"))


class Selection(NamedTuple):
    """One of the six rules; ``mode`` is one of ``MODES``."""

    mode: str
    pattern: str

    def to_metadata(self) -> dict[str, str]:
        """Return what the ``sops`` block holds for it."""
        return {self.mode: self.pattern}

    def check(self) -> None:
        """Refuse a rule that ``select`` would take for one that matches nothing; due before anything is sealed.

        Raises:
            RuleError: the pattern is not a regular expression, or not text.
        """
        hint = None
        try:
            self.pattern.encode()
            if self.mode.endswith("_regex"):
                regex.compile(self.pattern)
        except UnicodeEncodeError:
            fault = "not UTF-8"
        except RuleError as error:
            fault, hint = error.message, error.hint
        else:
            return
        raise RuleError(f"{self.mode} is {fault}", hint=hint)


DEFAULT = Selection("unencrypted_suffix", "_unencrypted")
"""What holds where no rule is named: everything is sealed but what says otherwise in its name."""

KUBERNETES = Selection("encrypted_regex", "^(data|stringData|binaryData)$")
"""What leaves a Secret or ConfigMap a valid manifest."""


def from_metadata(block: Mapping[str, object]) -> Selection:
    """Read the rule of a ``sops`` block; without one, ``DEFAULT`` holds.

    Formats that know only strings wrote some of these blocks, so a number or a boolean counts as its text.

    Raises:
        InvalidMetadata: more than one rule, or one that is a map or list.
    """
    found = [Selection(mode, text) for mode in MODES if (text := _text(block.get(mode), mode))]
    if len(found) > 1:
        raise InvalidMetadata(f"the sops metadata have both {found[0].mode} and {found[1].mode}")
    return found[0] if found else DEFAULT


def from_settings(named: Mapping[str, str], rule: Selection | None = None) -> Selection | None:
    """Join settings, by mode, with the rule of the configuration: a setting replaces the rule of its own mode only.

    Raises:
        RuleError: more than one mode remains.
    """
    settings = ({rule.mode: rule.pattern} if rule else {}) | {mode: text for mode, text in named.items() if text}
    if len(settings) > 1:
        first, second = [mode for mode in MODES if mode in settings][:2]
        raise RuleError(f"{first} and {second} exclude each other", hint="keep one of the six rules")
    return next((Selection(mode, text) for mode, text in settings.items()), None)


def select(selection: Selection, leaves: Iterable[Leaf]) -> list[bool]:
    """Tell for each leaf whether the rule has it sealed; leaves come in the order of the document.

    Leaves that are never sealed (null, empty map, empty list) are answered like any other. Of a sealed document the
    comments are taken as they stand there, sealed or not, as sops does. A pattern that is no regular expression
    matches nothing, as in sops, so that its files can be read; see ``Selection.check``.

    Two maps or lists that follow each other under one key are taken for one when comments decide.
    """
    found = not selection.mode.startswith("un")
    if selection.mode.endswith("_suffix"):
        suffix = selection.pattern
        return _by_key(lambda key: key.endswith(suffix), leaves, found)
    try:
        search: Callable[..., bool] = regex.compile(selection.pattern).search
    except RuleError:
        return [not found for _ in leaves]
    if selection.mode.endswith("_comment_regex"):
        # Comments may be secrets: nothing of theirs is remembered beyond this call.
        return _by_comment(lambda text: search(text, remember=False), leaves, found)
    return _by_key(search, leaves, found)


def seals_nothing(leaves: Sequence[Leaf], selected: Sequence[bool]) -> bool:
    """Tell whether there are values that could be sealed, and none is; comments don't count."""
    values = [
        chosen
        for leaf, chosen in zip(leaves, selected, strict=True)
        if leaf.content and leaf.kind != "comment" and leaf.kind not in _NEVER_SEALED
    ]
    return bool(values) and not any(values)


def _by_key(hits: Callable[[str], bool], leaves: Iterable[Leaf], found: bool) -> list[bool]:
    """Answer ``found`` where a key on the leaf's path hits, its own or that of anything that holds it."""
    containers: dict[Path, bool] = {}
    answers = []
    for leaf in leaves:
        path = leaf.path
        container = path if leaf.kind == "comment" else path[:-1]
        hit = containers.get(container)
        if hit is None:
            hit = any(type(key) is str and hits(key) for key in container)
            containers[container] = hit
        if not hit and len(path) > len(container):
            key = path[-1]
            hit = type(key) is str and hits(key)
        answers.append(hit is found)
    return answers


def _by_comment(hits: Callable[[str], bool], leaves: Iterable[Leaf], found: bool) -> list[bool]:
    """Answer ``found`` where an active comment hits.

    A comment is active for the rest of its map or list, up to and including the next entry that is no comment, and
    for all that this entry holds. The comment that hits is not sealed itself: to ``encrypted_comment_regex`` it is
    not active yet, to ``unencrypted_comment_regex`` it is.
    """
    answers = []
    document = -1
    opened: Path = ()
    active: list[bool] = [False]  # of each open map or list, from the root down: does a comment of it hit?
    for leaf in leaves:
        comment = leaf.kind == "comment"
        container = leaf.path if comment else leaf.path[:-1]
        if leaf.document != document:
            document, opened, active = leaf.document, (), [False]
        if container != opened:
            shared = _shared(container, opened)
            if shared < len(opened):
                # The entry that held the last leaf is over, and with it the comments above it.
                del active[shared + 1 :]
                active[shared] = False
            active.extend(False for _ in container[shared:])
            opened = container
        hit = any(active)
        if comment:
            own = hits(leaf.content)
            hit = hit or (own and not found)
            active[-1] = active[-1] or own
        else:
            active[-1] = False
        answers.append(hit is found)
    return answers


def _shared(one: Path, other: Path) -> int:
    """Return how many keys two paths have in common, from the root down."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _text(value: object, mode: str) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return str(value).removesuffix(".0")
    raise InvalidMetadata(f"sops.{mode} is not text")
