r"""dotenv: one ``KEY=VALUE`` a line, ``#`` comments, metadata as ``sops_…`` lines.

There is less to it than people think, because there is less in sops: no quotes, no ``export``, no trimming, no
comments at the end of a line. The value is everything after the first ``=``, a carriage return included; the two
characters ``\n`` in it are a line feed. A line that is neither empty nor a comment needs a ``=``.
"""

from collections.abc import Mapping, Sequence

from sealpy.document import Block, Document, Edit, Kind, Leaf, Path, line_and_column
from sealpy.errors import AlreadyEncrypted, InvalidMetadata, ParseError, PathNotFound
from sealpy.formats import flatten

PREFIX = "sops_"


class Dotenv:
    """The dotenv format."""

    name = "dotenv"

    def decode(self, data: bytes) -> str:
        """Turn bytes into text; what is not UTF-8 is kept as it is."""
        return data.decode("utf-8", "surrogateescape")

    def encode(self, text: str) -> bytes:
        """Turn text back into bytes."""
        return text.encode("utf-8", "surrogateescape")

    def scan(self, text: str) -> Document:
        """Find values, comments and metadata lines.

        Raises:
            ParseError: a line without ``=``.
        """
        leaves: list[Leaf] = []
        blocks: list[Block] = []
        run: list[Leaf] = []
        run_start = start = 0
        size = len(text)
        while start < size:
            newline = text.find("\n", start)
            end = size if newline < 0 else newline
            sealed = text.startswith(PREFIX, start)
            if run and not sealed:
                blocks.append(Block(run_start, start, run))
                run = []
            if end > start:
                equals = text.find("=", start, end)
                if text[start] == "#":
                    leaves.append(Leaf((), start, end, "comment", text[start + 1 : end]))
                elif equals < 0:
                    from sealpy import conflict  # what can be read does without

                    line, column = line_and_column(text, start)
                    found = ParseError("a line without an equals sign", line=line, column=column)
                    raise conflict.explained(found, text)
                else:
                    name, content = text[start:equals], text[equals + 1 : end].replace("\\n", "\n")
                    if sealed:
                        if not run:
                            run_start = start
                        run.append(Leaf(flatten.path_of(name[len(PREFIX) :]), equals + 1, end, "str", content))
                    else:
                        leaves.append(Leaf((name,), equals + 1, end, "str", content))
            start = end + 1
        if run:
            # Without a newline at the end, the one before the block came with the block.
            blocks.append(Block(run_start - (run_start > 0 and text[-1] != "\n"), size, run))
        metadata, notes = _metadata(blocks)
        return Document(self.name, text, leaves, blocks, metadata, notes=notes)

    def check_sealable(self, document: Document) -> None:
        """Do nothing: what can be read can be sealed."""

    def unfold(self, document: Document, wanted: Sequence[bool]) -> Sequence[Edit]:
        """Return nothing: there are no aliases."""
        return ()

    def spell(self, document: Document, leaf: Leaf, kind: Kind, content: str) -> str:
        """Write a value or comment."""
        if leaf.kind == "comment":
            return "#" + content.replace("\n", "\n#")
        return _escape(flatten.leaf_text(kind, content))

    def spell_sealed(self, document: Document, leaf: Leaf, sealed: str) -> str:
        """Write a sealed value or comment."""
        return f"#{sealed}" if leaf.kind == "comment" else sealed

    def attach(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        """Append the metadata lines; a text that does not end with a newline still does not."""
        text = document.text
        lines = "\n".join(_lines(metadata))
        block = f"\n{lines}" if text and not text.endswith("\n") else f"{lines}\n"
        return [Edit(len(text), len(text), block)]

    def detach(self, document: Document) -> Sequence[Edit]:
        """Cut the metadata lines out, wherever they stand."""
        return [Edit(block.start, block.end, "") for block in document.blocks]

    def update(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        """Change the values that differ; other names than before make new lines, where the last ones stood."""
        standing = {flatten.flat_name(leaf.path): leaf for block in document.blocks for leaf in block.leaves}
        wanted = flatten.flatten(metadata)
        if len(wanted) == len(standing) and all(name in standing for name, _ in wanted):
            return [
                Edit(standing[name].start, standing[name].end, _escape(content))
                for name, content in wanted
                if standing[name].content != content
            ]
        last = document.blocks[-1]
        before = "\n" if document.text[last.start] == "\n" else ""
        after = "\n" if document.text[last.end - 1] == "\n" else ""
        lines = "\n".join(_lines(metadata))
        return [*self.detach(document)[:-1], Edit(last.start, last.end, f"{before}{lines}{after}")]

    def insert(self, document: Document, path: Path, value: object) -> Sequence[Edit]:
        """Set a key: in its place, or on a new line below the others.

        Raises:
            ParseError: a key or a value that dotenv cannot hold.
            AlreadyEncrypted: a name that is reserved for the metadata.
            PathNotFound: an empty path, or an index.
        """
        name = _name(path)
        if len(path) > 1:
            raise ParseError("dotenv has no maps and lists")
        written = _escape(flatten.value_text(value))
        for leaf in document.leaves:
            if leaf.path == path and leaf.kind != "comment":
                return [Edit(leaf.start, leaf.end, written)]
        if "=" in name or "\n" in name or name.startswith("#"):
            raise ParseError("dotenv cannot hold this key")
        if name.startswith(PREFIX):
            raise AlreadyEncrypted(f"names that begin with {PREFIX} are reserved for the metadata")
        text = document.text
        end = len(text)
        if document.blocks and document.blocks[-1].end == end:
            end = document.blocks[-1].start
        at_line_start = end == 0 or text[end - 1] == "\n"
        return [Edit(end, end, f"{name}={written}\n" if at_line_start else f"\n{name}={written}")]

    def remove(self, document: Document, path: Path) -> Sequence[Edit]:
        """Take the line of a key out; of several lines with it the first, as sops does.

        Raises:
            PathNotFound
        """
        text = document.text
        for leaf in document.leaves:
            if leaf.path == path and leaf.kind != "comment":
                start = text.rfind("\n", 0, leaf.start) + 1
                if leaf.end < len(text):
                    return [Edit(start, leaf.end + 1, "")]
                return [Edit(max(start - 1, 0), leaf.end, "")]
        raise PathNotFound("there is no such key")


FORMAT = Dotenv()


def _metadata(blocks: Sequence[Block]) -> tuple[dict[str, object] | None, tuple[str, ...]]:
    if not blocks:
        return None, ()
    try:
        return flatten.nest((leaf.path, leaf.content) for block in blocks for leaf in block.leaves), ()
    except InvalidMetadata as error:
        # Not an error yet: to encrypt such a file is refused for the reserved names, as sops does.
        return {}, (error.message,)


def _lines(metadata: Mapping[str, object]) -> list[str]:
    return [f"{PREFIX}{name}={_escape(content)}" for name, content in flatten.flatten(metadata)]


def _escape(content: str) -> str:
    return content.replace("\n", "\\n")


def _name(path: Path) -> str:
    if not path or not isinstance(path[0], str):
        raise PathNotFound("a dotenv path begins with a key")
    return path[0]
