"""The YAML format: the ``sops`` block at the end of every document, and the pieces that make a ``Format``."""

import re
from collections.abc import Mapping, Sequence

from sealpy.document import Document, Edit, Kind, Leaf, Path, line_and_column
from sealpy.errors import ParseError, UnsealableValue
from sealpy.formats import yaml_scan, yaml_spell
from sealpy.formats.yaml_scan import RESERVED, Root

_INDENT = 4
_HEADER = re.compile("[|>][-+1-9]*")
_COMMENT = re.compile(r"#[^\r\n]*")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class _Yaml:
    """YAML as go-yaml v3 reads it."""

    name = "yaml"

    def decode(self, data: bytes) -> str:
        encoding = "utf-16" if data.startswith(_UTF16) else "utf-8"
        position = None
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            position = error.start
        line = data.count(b"\n", 0, position) + 1
        raise ParseError("not UTF-8, so not YAML", hint="is it a binary file? try --input-type binary", line=line)

    def encode(self, text: str) -> bytes:
        return text.encode("utf-8")

    def scan(self, text: str) -> Document:
        return yaml_scan.scan(text)

    def check_sealable(self, document: Document) -> None:
        for leaf in document.leaves:
            if leaf.path and leaf.path[-1] == "<<" and leaf.kind not in ("map", "null", "comment"):
                line, column = line_and_column(document.text, leaf.start)
                raise UnsealableValue(
                    "a key << holds a single value, and sops cannot read that back once sealed",
                    hint="name the key differently", line=line, column=column,
                )  # fmt: skip

    def spell(self, document: Document, leaf: Leaf, kind: Kind, content: str) -> str:
        return yaml_spell.spell(document, leaf, kind, content)

    def spell_sealed(self, document: Document, leaf: Leaf, sealed: str) -> str:
        return yaml_spell.spell_sealed(document, leaf, sealed)

    def unfold(self, document: Document, wanted: Sequence[bool]) -> Sequence[Edit]:
        edits = _stripped_end(document, wanted)
        if any(leaf.style[:1] == yaml_scan.ALIAS for leaf in document.leaves):
            edits += _structural("unfold", document, wanted)
        return edits

    def attach(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        text = document.text
        newline = _newline(text)
        inline = f'"{RESERVED}": {yaml_spell.inline(metadata, flow=True)}'
        blocks: dict[int, str] = {}
        edits = []
        ends: dict[int, int] = {}
        for leaf in document.leaves:
            if leaf.kind != "comment":
                ends[leaf.document] = max(ends.get(leaf.document, 0), leaf.end)
        for number, root in enumerate(document.layout):
            if not isinstance(root, Root):
                continue
            if root.flow:
                edits.append(_attach_in_braces(text, root, inline, ends.get(number, root.start)))
                continue
            # A stream may have very many documents, which all get the same.
            block = blocks.get(root.column)
            if block is None:
                lines = yaml_spell.block_lines({RESERVED: metadata}, root.column, _INDENT)
                block = blocks[root.column] = newline.join(lines)
            edits.append(_attach(text, root, block, newline))
        return edits

    def detach(self, document: Document) -> Sequence[Edit]:
        text = document.text
        edits = []
        for block in document.blocks:
            start, end = block.start, block.end
            if block.style == yaml_scan.FLOW:
                start, end = _with_comma(text, start, end)
            elif end == len(text) and not text.endswith("\n"):
                # Attaching to a text without a last line break leaves the sealed text without one, too.
                start = max(start - (2 if text.startswith("\r\n", start - 2) else 1), 0)
            edits.append(Edit(start, end, ""))
        return edits

    def update(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        changed = _changed_scalars(document.metadata or {}, metadata)
        if changed is None:
            return self._rewrite(document, metadata)
        edits = []
        for block in document.blocks:
            for leaf in block.leaves:
                if len(leaf.path) == 1 and leaf.path[0] in changed:
                    text = yaml_spell.spell(document, leaf, "str", str(changed[leaf.path[0]]))
                    edits.append(Edit(leaf.start, leaf.end, text))
        return edits

    def insert(self, document: Document, path: Path, value: object) -> Sequence[Edit]:
        return _structural("insert", document, path, value)

    def remove(self, document: Document, path: Path) -> Sequence[Edit]:
        return _structural("remove", document, path)

    def _rewrite(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        text = document.text
        newline = _newline(text)
        edits = []
        for block in document.blocks:
            if block.style == yaml_scan.FLOW:
                edits.append(Edit(block.start, block.end, f'"{RESERVED}": {yaml_spell.inline(metadata, flow=True)}'))
                continue
            column = len(text[block.start : block.end]) - len(text[block.start : block.end].lstrip(" "))
            step = _step(text, block.start, block.end)
            lines = yaml_spell.block_lines({RESERVED: metadata}, column, step)
            last = newline if text.startswith("\n", block.end - 1) else ""
            edits.append(Edit(block.start, block.end, newline.join(lines) + last))
        return edits


def _stripped_end(document: Document, wanted: Sequence[bool]) -> list[Edit]:
    """A block scalar in clear at the very end, without a line break, would get one before the metadata: strip it."""
    text = document.text
    for leaf, want in zip(reversed(document.leaves), reversed(wanted), strict=True):
        if leaf.kind != "comment":
            header = _HEADER.match(text, leaf.start)
            if header is None or want or leaf.end < len(text) or text.endswith("\n"):
                break
            return [Edit(*header.span(), re.sub("[-+]", "", header[0]) + "-")]
    return []


def _structural(name: str, document: Document, *what: object) -> Sequence[Edit]:
    from sealpy.formats import yaml_edit  # few files have aliases, and few are changed

    try:
        edits: Sequence[Edit] = getattr(yaml_edit, name)(document, *what)
    except RecursionError:
        pass
    else:
        return edits
    raise ParseError("nested too deeply")


def _attach_in_braces(text: str, root: Root, entry: str, last: int) -> Edit:
    """``last`` is where the last value ends; behind it there may be brackets, a comma and comments."""
    if root.empty:
        return Edit(root.close, root.close, entry)
    rest = _COMMENT.sub("", text[last : root.close])
    comma = "" if rest.rstrip().endswith(",") else ", "
    where = _behind_text(text, root.close) if "#" not in text[last : root.close] else root.close
    return Edit(where, where, comma + entry)


def _attach(text: str, root: Root, block: str, newline: str) -> Edit:
    end = root.end
    if end == 0 or text[end - 1] in "\r\n" or text[:end] == yaml_scan.BOM:
        return Edit(end, end, block + newline)
    if root.empty and text.endswith("---", 0, _behind_text(text, end)):
        return Edit(end, end, newline + block + (newline if end < len(text) else ""))
    return Edit(end, end, newline + block)


def _changed_scalars(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str | int, object] | None:
    """Return the strings at the top that differ, or None if anything else does."""
    if old.keys() != new.keys():
        return None
    changed: dict[str | int, object] = {}
    for name, value in new.items():
        if old[name] != value:
            if not isinstance(value, str) or not isinstance(old[name], str) or "\n" in value:
                return None
            changed[name] = value
    return changed


def _newline(text: str) -> str:
    """The line break to write: what the first line ends with."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def _step(text: str, start: int, end: int) -> int:
    """The indentation that a block uses: that of its second line."""
    lines = text[start:end].split("\n", 2)
    if len(lines) < 2:
        return _INDENT
    step = (len(lines[1]) - len(lines[1].lstrip(" "))) - (len(lines[0]) - len(lines[0].lstrip(" ")))
    return step if step >= 2 else _INDENT


def _with_comma(text: str, start: int, end: int) -> tuple[int, int]:
    """Extend the span of an entry in braces by the comma that belongs to it."""
    before = _behind_text(text, start)
    if text[before - 1] == ",":
        return before - 1, end
    after = end
    while text[after].isspace():
        after += 1
    return start, after + 1 if text[after] == "," else end


def _behind_text(text: str, end: int) -> int:
    """Return where the white space begins that ends there. A slice would copy all that is before it."""
    while end and text[end - 1].isspace():
        end -= 1
    return end


FORMAT = _Yaml()
