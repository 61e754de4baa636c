"""INI, as sops' library reads it, with the metadata in a section ``[sops]``.

Every value is a string. sops rewrites the file, aligns it, and drops some comments; here only values and comments are
replaced where they stand, and what sops would drop is sealed, too.
"""

from collections.abc import Mapping, Sequence

from sealpy.document import Block, Document, Edit, Kind, Leaf, Path, line_and_column
from sealpy.errors import InvalidMetadata, UnsealableValue
from sealpy.formats import flatten, ini_edit, ini_spell
from sealpy.formats.ini_scan import Key, Section, Span, parse

RESERVED = "sops"


class Ini:
    """The INI format."""

    name = "ini"

    def decode(self, data: bytes) -> str:
        """Turn bytes into text; what is not UTF-8 is kept as it is."""
        return data.decode("utf-8", "surrogateescape")

    def encode(self, text: str) -> bytes:
        """Turn text back into bytes."""
        return text.encode("utf-8", "surrogateescape")

    def scan(self, text: str) -> Document:
        """Find values and comments, and the ``[sops]`` section.

        Raises:
            ParseError
        """
        everything, trailing = parse(text)
        sections = [section for section in everything if section.name != RESERVED]
        reserved = [section for section in everything if section.name == RESERVED]
        # What stands before the metadata ends the section before.
        trailing = [*(line for section in reversed(reserved) for line in section.above), *trailing]
        leaves: list[Leaf] = []
        filled = {section.name for section in sections if section.keys}
        previous = None
        for section in sections:
            if previous == section.name:
                # Two sections of one name are two where comments decide what is sealed.
                leaves.append(Leaf((), section.start, section.start, "comment", ""))
            previous = section.name
            if section.head > section.start and section.name not in filled:
                leaves.append(Leaf((section.name,), section.head, section.head, "map", ""))
            _add_section(text, section, trailing if section is sections[-1] else [], leaves)
        blocks = [_block(text, section) for section in reserved]
        metadata, notes = _metadata(blocks)
        if any(section.stray for section in sections):
            notes = (*notes, "what stands beside a section's name without being a comment is left out")
        layout = (*sections, *trailing)
        return Document(self.name, text, leaves, blocks, metadata, notes=notes, layout=layout)

    def check_sealable(self, document: Document) -> None:
        """Refuse keys that number themselves: sops writes the number as a key, which then reads as a comment.

        Raises:
            UnsealableValue
        """
        for section in document.layout:
            if isinstance(section, Section):
                for key in section.keys:
                    if key.numbered:
                        line, column = line_and_column(document.text, key.start)
                        fault = "sops cannot read a key named - back once sealed"
                        raise UnsealableValue(fault, hint="give it a name", line=line, column=column)

    def unfold(self, document: Document, wanted: Sequence[bool]) -> Sequence[Edit]:
        """Return what makes the text sealable as ``wanted``; see ``ini_edit.prepare``."""
        return ini_edit.prepare(document, wanted)

    def spell(self, document: Document, leaf: Leaf, kind: Kind, content: str) -> str:
        """Write a value or comment."""
        if leaf.style.startswith(ini_spell.OVERRIDDEN):
            return ini_spell.value_text(content, leaf.style.removeprefix(ini_spell.OVERRIDDEN))
        if leaf.kind == "comment":
            return ini_spell.comment_clear(document.text, leaf, content)
        written = flatten.leaf_text(kind, content)
        before_comment = written.endswith("\\") and _is_followed_by_comment(document.text, leaf.end)
        return ini_spell.value_text(written, leaf.style, before_comment=before_comment)

    def spell_sealed(self, document: Document, leaf: Leaf, sealed: str) -> str:
        """Write a sealed value or comment."""
        style = leaf.style.removeprefix(ini_spell.OVERRIDDEN)
        if leaf.kind == "comment" and style == leaf.style:
            return ini_spell.comment_sealed(document.text, leaf, sealed)
        if "\n" in document.text[leaf.start : leaf.end] and _is_followed_by_comment(document.text, leaf.end):
            # On one line with it, quotes would make sops drop the comment. The line break brings them back.
            style = ""
        return ini_spell.value_text(sealed, style)

    def attach(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        """Append the section; a text that does not end with a line break still does not."""
        text = document.text
        end = len(text)
        newline = ini_spell.line_break(text, end)
        block = newline.join([f"[{RESERVED}]", *_lines(metadata)])
        if not text:
            return [Edit(0, 0, block + newline)]
        if text.endswith("\n"):
            return [Edit(end, end, newline + block + newline)]
        return [Edit(end, end, newline + newline + block)]

    def detach(self, document: Document) -> Sequence[Edit]:
        """Cut the section out, with the blank line before it."""
        return [Edit(block.start, block.end, "") for block in document.blocks]

    def update(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        """Change the values that differ; other names than before make a new section in the same place."""
        block = document.blocks[0]
        standing = {flatten.flat_name(leaf.path): leaf for leaf in block.leaves}
        wanted = flatten.flatten(metadata)
        if len(wanted) == len(standing) and all(name in standing for name, _ in wanted):
            return [
                Edit(standing[name].start, standing[name].end, _escaped(content, standing[name].style))
                for name, content in wanted
                if standing[name].content != content
            ]
        text = document.text
        header = text.index("[", block.start)
        newline = ini_spell.line_break(text, header)
        end = newline if text[block.end - 1] == "\n" else ""
        return [Edit(header, block.end, newline.join([f"[{RESERVED}]", *_lines(metadata)]) + end)]

    def insert(self, document: Document, path: Path, value: object) -> Sequence[Edit]:
        """Set a key of a section, or a whole section."""
        return ini_edit.insert(document, path, value)

    def remove(self, document: Document, path: Path) -> Sequence[Edit]:
        """Take a key out of its section, or a whole section."""
        return ini_edit.remove(document, path)


FORMAT = Ini()


def _add_section(text: str, section: Section, trailing: Sequence[Span], leaves: list[Leaf]) -> None:
    """Add a section's leaves in sops' order: its comment, then each key and its comment, then what sops drops."""
    path: Path = (section.name,)
    dropped: list[Leaf] = []
    _add_header_comment(text, section, leaves)
    last = {key.name: key for key in section.keys}
    for name, key in last.items():
        leaves.append(Leaf((*path, name), key.start, key.end, "str", key.value, key.style))
        _add_key_comments(text, path, key, leaves, dropped)
    for key in section.keys:
        if last[key.name] is not key:
            style = ini_spell.OVERRIDDEN + key.style
            dropped.append(Leaf((*path, key.name), key.start, key.end, "comment", key.value, style))
            _add_key_comments(text, path, key, dropped, dropped)
    leaves.extend(dropped)
    leaves.extend(_lines_leaf(text, path, group, ini_spell.UNHEARD) for group in ini_spell.grouped(text, trailing))


def _add_header_comment(text: str, section: Section, leaves: list[Leaf]) -> None:
    path: Path = (section.name,)
    groups = ini_spell.grouped(text, section.above)
    if section.beside is None:
        leaves.extend(_lines_leaf(text, path, group, ini_spell.BLOCK) for group in groups)
        return
    # The comment beside the header belongs to the lines above it; a sealed one cannot stand beside it.
    *before, last = groups or [[]]
    if last and ini_spell.is_sealed(text, last[0]) and not ini_spell.is_bare(text, section.beside):
        before, last = groups, []
    leaves.extend(_lines_leaf(text, path, group, ini_spell.BLOCK) for group in before)
    content = ini_spell.lines_content(text, [*last, section.beside])
    start = last[0].start if last else section.start
    leaves.append(Leaf(path, start, section.beside.end, "comment", content, ini_spell.HEADED))


def _add_key_comments(text: str, path: Path, key: Key, heard: list[Leaf], dropped: list[Leaf]) -> None:
    beside = key.beside
    groups = ini_spell.grouped(text, key.above)
    if beside is not None:
        line = text[beside.start : beside.end]
        if line[0] in "#;":
            leaf = Leaf(path, beside.start, beside.end, "comment", ini_spell.body(line), ini_spell.BESIDE)
        else:
            leaf = Leaf(path, beside.start, beside.end, "comment", line, ini_spell.REST)
        (heard if key.heard and not groups else dropped).append(leaf)
    for group in groups:
        merged = group is groups[-1] and beside is not None and key.heard
        sealed = ini_spell.is_sealed(text, group[0])
        if merged and beside is not None and not sealed:
            content = ini_spell.lines_content(text, [*group, beside])
            heard.append(Leaf(path, group[0].start, group[-1].end, "comment", content, ini_spell.MERGED))
            continue
        returns = beside is not None and (ini_spell.is_sealed(text, beside) or ini_spell.is_bare(text, beside))
        style = ini_spell.MERGED if merged and returns else ini_spell.BLOCK
        heard.append(_lines_leaf(text, path, group, style))


def _lines_leaf(text: str, path: Path, group: Sequence[Span], style: str) -> Leaf:
    content = ini_spell.lines_content(text, group)
    return Leaf(path, group[0].start, group[-1].end, "comment", content, style)


def _block(text: str, section: Section) -> Block:
    start = section.line
    end = section.keys[-1].stop if section.keys else section.head
    last = {key.name: key for key in section.keys}
    leaves = [
        Leaf(flatten.path_of(name), key.start, key.end, "str", key.value.replace("\\n", "\n"), key.style)
        for name, key in last.items()
    ]
    above = _without_line_break(text, start)
    if above < start and (above == 0 or text[above - 1] == "\n"):
        start = above
    if end == len(text) and not text.endswith("\n"):
        start = _without_line_break(text, start)
    return Block(start, end, leaves)


def _without_line_break(text: str, end: int) -> int:
    if text.endswith("\r\n", 0, end):
        return end - 2
    return end - 1 if text.endswith("\n", 0, end) else end


def _metadata(blocks: Sequence[Block]) -> tuple[dict[str, object] | None, tuple[str, ...]]:
    if not blocks:
        return None, ()
    # A fault is no error yet: to encrypt such a file is refused for the reserved name, as sops does.
    if len(blocks) > 1:
        return {}, (f"there are two sections named {RESERVED}",)
    try:
        return flatten.nest((leaf.path, leaf.content) for leaf in blocks[0].leaves), ()
    except InvalidMetadata as error:
        return {}, (error.message,)


def _lines(metadata: Mapping[str, object]) -> list[str]:
    pairs = [(ini_spell.key_text(name), _escaped(content, "")) for name, content in flatten.flatten(metadata)]
    width = max((len(name) for name, _ in pairs), default=0)
    return [f"{name.ljust(width)} = {content}" for name, content in pairs]


def _escaped(content: str, style: str) -> str:
    return ini_spell.value_text(content.replace("\n", "\\n"), style)


def _is_followed_by_comment(text: str, position: int) -> bool:
    end = text.find("\n", position)
    rest = text[position : end if end >= 0 else len(text)].lstrip()
    return rest.startswith(("#", ";"))
