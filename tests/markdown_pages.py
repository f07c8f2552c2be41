"""The blocks of code, the commands and the paths of a Markdown page."""

import re
from dataclasses import dataclass
from textwrap import dedent

from import_closure import ROOT

FENCED = re.compile(r"^( {0,3})```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?<=\n\n)((?:^    [^\n]*\n)+)", re.MULTILINE)
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*$")


@dataclass(frozen=True)
class Block:
    """A fenced block, or an indented one, whose language is ""."""

    page: str
    section: str
    language: str
    text: str

    def __str__(self) -> str:
        """Name the block in a test's name."""
        return f"{self.page}: {self.section}: {self.text.splitlines()[0]}"


def read_page(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def list_blocks(page: str, text: str) -> list[Block]:
    """Return the blocks of a page, each with the nearest heading above it."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    places = [(match.start(), match[2], match[3]) for match in FENCED.finditer(text)]
    prose = FENCED.sub(lambda match: re.sub(r"[^\n]", "x", match[0]), text)  # so that all stays at its place
    places += [(match.start(), "", match[1]) for match in INDENTED.finditer(prose)]
    blocks = []
    for start, language, content in sorted(places):
        headings = re.findall(r"^#+ (.*)$", prose[:start], re.MULTILINE)
        blocks.append(Block(page, headings[-1] if headings else "", language, dedent(content)))
    return blocks


def list_lines(block: Block) -> list[str]:
    """Return the command lines of a block, without comments and assignments of the environment before a command."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [line for line in (strip_line(line) for line in lines) if line]


def strip_line(line: str) -> str:
    words = line.split(" #")[0].split()
    while len(words) > 1 and ASSIGNMENT.match(words[0]):
        words.pop(0)
    return " ".join(words)


def list_quoted(text: str) -> list[str]:
    """Return what stands in single back quotes outside of fenced blocks."""
    return re.findall(r"`([^`\n]+)`", FENCED.sub("", text))


def list_pages() -> list[str]:
    """Return all pages of the project."""
    patterns = ("*.md", "docs/**/*.md", "cpp/*.md", "data/**/*.md", "models/*.md", "metrics/*.md", "src/**/*.md")
    return sorted({path.relative_to(ROOT).as_posix() for pattern in patterns for path in ROOT.glob(pattern)})


def find_file(name: str, page: str) -> bool:
    """Return whether a page's path leads to a file: from the root, the package or the page's own folder."""
    return any((folder / name).exists() for folder in (ROOT, ROOT / "src/efficientad", (ROOT / page).parent))
