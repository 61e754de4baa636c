"""Add keys and sections to an INI file, and take them out.

Comments belong to the key or section after them, and are sealed under its name. So a key goes with the comments above
it, and a new section never comes between comments and what they belong to.
"""

from collections.abc import Mapping, Sequence

from sealpy.document import Document, Edit, Path, line_and_column
from sealpy.errors import AlreadyEncrypted, ParseError, PathNotFound, UnsealableValue
from sealpy.formats import flatten
from sealpy.formats.ini_scan import Key, Section, Span
from sealpy.formats.ini_spell import begins_empty, grouped, is_bare, key_text, line_break, value_text

_RESERVED = "sops"


def insert(document: Document, path: Path, value: object) -> Sequence[Edit]:
    """Set a key of a section, or a whole section by a map of scalars.

    Raises:
        ParseError: what INI cannot hold: deeper maps, a section that is a scalar, some keys.
        PathNotFound: an empty path, or an index.
        AlreadyEncrypted: the section of the metadata.
    """
    name, key = _split(path)
    if key is None:
        if not isinstance(value, Mapping):
            raise ParseError("a section of an INI file is a map")
        return _insert_section(document, name, value)
    section = _section_with(document, name, key) or _section(document, name)
    if section is None:
        return _insert_section(document, name, {key: value})
    found = [known for known in section.keys if known.name == key]
    if found:
        return [Edit(found[-1].start, found[-1].end, value_text(flatten.value_text(value), found[-1].style))]
    return [_add_lines(document, section, {key: value})]


def remove(document: Document, path: Path) -> Sequence[Edit]:
    """Take out a key with the comments above it, or a section with everything in it.

    Raises:
        PathNotFound
    """
    name, key = _split(path)
    if key is None:
        section = _section(document, name)
        if section is None:
            raise PathNotFound("there is no such section")
        return _remove_section(document, section)
    section = _section_with(document, name, key)
    if section is None:
        raise PathNotFound("there is no such key")
    return [Edit(_begin(document.text, known), known.stop, "") for known in section.keys if known.name == key]


def prepare(document: Document, wanted: Sequence[bool]) -> Sequence[Edit]:
    """Return the edits that make a text sealable, ``wanted`` telling for each leaf whether it will be sealed.

    What stands beside a header and is no comment goes, since nothing could be sealed there. Where the comment beside
    a value would be sealed and the lines above it not, or the other way round, it moves to those lines: to sops they
    are one comment. Three double quotes that end the file are a value, but not if anything follows them.

    Raises:
        UnsealableValue: comment lines in clear of which the first is empty and the next is not.
    """
    text = document.text
    sealed = {}
    for leaf, chosen in zip(document.leaves, wanted, strict=True):
        if leaf.kind == "comment":
            sealed[leaf.start] = chosen
            if not chosen and begins_empty(text, leaf):
                line, column = line_and_column(text, leaf.start)
                fault = "sops crashes on a comment in clear whose first line is empty"
                raise UnsealableValue(fault, hint="begin it with a line that says something", line=line, column=column)
    edits = []
    for section in _sections(document):
        if section.stray is not None:
            edits.append(Edit(*section.stray, ""))
        for key in section.keys:
            if key.end == len(text) and key.value == '"""' and not key.style:
                edits.append(Edit(key.start, key.end, value_text(key.value)))
            if key.beside is None or not key.above or not key.heard or is_bare(text, key.beside):
                continue
            first = grouped(text, key.above)[-1][0]
            if sealed[first.start] != sealed[key.beside.start]:
                last = key.above[-1].end
                indent = text[text.rfind("\n", 0, first.start) + 1 : first.start]
                moved = line_break(text, last) + indent + text[key.beside.start : key.beside.end]
                edits += [Edit(last, last, moved), Edit(key.end, key.beside.end, "")]
    return edits


def _split(path: Path) -> tuple[str, str | None]:
    if not path or not all(isinstance(part, str) for part in path):
        raise PathNotFound("an INI path is a section and a key")
    if path[0] == _RESERVED:
        raise AlreadyEncrypted(f"the section {_RESERVED} is reserved for the metadata")
    if len(path) > 2:
        raise ParseError("an INI file has nothing below a key")
    return str(path[0]), str(path[1]) if len(path) == 2 else None


def _sections(document: Document) -> list[Section]:
    return [section for section in document.layout if isinstance(section, Section)]


def _section(document: Document, name: str) -> Section | None:
    """Return the first section of a name; the one without header only if it has keys or no other has its name."""
    found = [section for section in _sections(document) if section.name == name]
    return next((section for section in found if section.keys or section.head > section.start), None) or (
        found[0] if found else None
    )


def _section_with(document: Document, name: str, key: str) -> Section | None:
    for section in _sections(document):
        if section.name == name and any(known.name == key for known in section.keys):
            return section
    return None


def _insert_section(document: Document, name: str, keys: Mapping[str, object]) -> Sequence[Edit]:
    section = _section(document, name)
    if section is not None:
        edits = [Edit(_begin(document.text, known), known.stop, "") for known in section.keys]
        # The last edit at a place is written last, so the new keys stand where the old ones ended.
        return [*edits, _add_lines(document, section, keys)] if keys else edits
    if not name or "\n" in name:
        raise ParseError("an INI file cannot hold this section")
    text = document.text
    sections = _sections(document)
    trailing = any(isinstance(span, Span) for span in document.layout)
    if trailing and len(sections) > 1:
        # The comments at the end would become this section's; before the last section they stay what they are.
        at = _begin(text, sections[-1])
    elif trailing:
        raise UnsealableValue(
            "a section after the comments at the end of the file would take them", hint="add it with edit"
        )
    else:
        at = len(text)
        if document.blocks and document.blocks[-1].end == at:
            at = document.blocks[-1].start
    newline = line_break(text, at)
    lines = newline.join([f"[{name}]", *_lines(keys, " = ")])
    if trailing:
        return [Edit(at, at, lines + newline + newline)]
    if not text[:at].strip("\ufeff"):
        return [Edit(at, at, lines + newline)]
    if text.endswith("\n", 0, at):
        return [Edit(at, at, newline + lines + newline)]
    return [Edit(at, at, newline + newline + lines)]


def _remove_section(document: Document, section: Section) -> Sequence[Edit]:
    text = document.text
    start = _begin(text, section) if section.head > section.start else None
    if start is None:
        if not section.keys:
            raise PathNotFound("there is no such section")
        start = _begin(text, section.keys[0])
    end = section.keys[-1].stop if section.keys else section.head
    spans = [span for span in document.layout if isinstance(span, Span)]
    if spans and section is _sections(document)[-1]:
        after = text.find("\n", spans[-1].end)
        end = len(text) if after < 0 else after + 1
    return [Edit(start, end, "")]


def _begin(text: str, what: Key | Section) -> int:
    """Return where the line begins with which a key or section begins, its comments included."""
    return text.rfind("\n", 0, what.above[0].start) + 1 if what.above else what.line


def _add_lines(document: Document, section: Section, keys: Mapping[str, object]) -> Edit:
    """Return the edit that writes new keys after those of a section, set out like the last of them."""
    text = document.text
    at = section.head
    indent, delimiter = "", " = "
    if section.keys:
        last = section.keys[-1]
        at = last.stop
        line = text[last.line : last.start]
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        delimiter = _delimiter(line)
    newline = line_break(text, max(at - 1, 0))
    lines = newline.join(indent + line for line in _lines(keys, delimiter))
    if at == 0 or text[at - 1] in "\n\ufeff":
        return Edit(at, at, lines + newline)
    return Edit(at, at, newline + lines)


def _delimiter(line: str) -> str:
    """Return what stands between a key and its value, without the spaces that align it."""
    shown = line.rstrip(" \t")
    before = " " if shown[:-1].endswith((" ", "\t")) else ""
    return f"{before}{shown[-1:]}{' ' if line != shown else ''}" if shown[-1:] in ("=", ":") else " = "


def _lines(keys: Mapping[str, object], delimiter: str) -> list[str]:
    return [f"{key_text(key)}{delimiter}{value_text(flatten.value_text(value))}" for key, value in keys.items()]
