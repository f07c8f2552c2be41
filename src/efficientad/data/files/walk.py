"""The files of a folder of images; those that nobody reads are named, and not passed over in silence."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from efficientad.data.files.listing import IMAGE_SUFFIXES
from efficientad.errors import DataError
from efficientad.pipeline.printable import make_printable

_READ = ", ".join(sorted(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES))
_UNWATCHED = (
    "a link to a folder, which is read, but DVC does not see what changes in it; copy the folder, or make the whole "
    "product's folder the link"
)
_SHOWN = 5  # findings in a text
# What systems and people put beside images.
_UNSEEN = ("thumbs.db", "desktop.ini", "readme.md", "readme.txt", "license.txt")


@dataclass(frozen=True)
class Finding:
    """A file, by its name below the folder, posix style, and what there is to say about it."""

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{make_printable(self.file)}: {make_printable(self.reason)}"


@dataclass(frozen=True)
class Tree:
    """What lies below a folder, as sorted names, posix style; nothing hidden.

    files: everything that can be read. broken: links to nothing, and what is neither file nor folder.
    links, followed: links to folders that were not followed, and that were.
    """

    files: tuple[str, ...]
    broken: tuple[str, ...]
    links: tuple[str, ...]
    followed: tuple[str, ...]


def list_tree(folder: Path, followed: int) -> Tree:
    """List everything visible below a folder; links to folders are followed down to `followed` levels below it."""
    found: dict[str, list[str]] = {"files": [], "broken": [], "links": [], "followed": []}
    _walk(folder, "", followed, found)
    return Tree(**{kind: tuple(sorted(names)) for kind, names in found.items()})


def explain_left_out(
    tree: Tree, used: Collection[str], explain: Callable[[str], str | None] = lambda name: None
) -> list[Finding]:
    """Say of every file of a tree that is not in `used` why nobody reads it; `explain` may know better.

    Links to folders that were followed are named as well: DVC does not look into them.
    """
    unused = [name for name in tree.files if name not in used and name.rsplit("/", 1)[-1].lower() not in _UNSEEN]
    findings = [Finding(name, explain(name) or _explain(name)) for name in unused]
    findings += [Finding(name, "a link that leads to no file; mend or remove it") for name in tree.broken]
    findings += [
        Finding(name, "a link to a folder, which is not followed here; copy the folder") for name in tree.links
    ]
    findings += [Finding(name, _UNWATCHED) for name in tree.followed]
    return sorted(findings, key=lambda finding: finding.file)


def count(findings: Sequence[Finding]) -> str:
    """Return the number of files in words.

    >>> count([Finding("a.gif", "")]), count([])
    ('1 file', '0 files')
    """
    return f"{len(findings)} file" + ("" if len(findings) == 1 else "s")


def shorten(findings: Sequence[Finding], with_names: bool = True) -> str:
    """Return a line for each of the first findings, and one with the number of the others."""
    lines = [f"  {one if with_names else make_printable(one.reason)}" for one in findings[:_SHOWN]]
    return "\n".join(lines + ([f"  and {len(findings) - _SHOWN} more"] if len(findings) > _SHOWN else []))


def write_out(finding: Finding) -> dict[str, str]:
    """Return a finding for JSON in UTF-8."""
    return {"file": make_printable(finding.file), "reason": make_printable(finding.reason)}


def leads_back(link: Path) -> bool:
    """Say whether a link leads to a folder that it lies in: what follows it comes by again and again."""
    return link.parent.resolve().is_relative_to(link.resolve())


def _walk(folder: Path, prefix: str, followed: int, found: dict[str, list[str]]) -> None:
    for entry in _scan(folder):
        name = f"{prefix}{entry.name}"
        if not entry.is_dir():
            found["files" if entry.is_file() else "broken"].append(name)
        elif entry.is_symlink() and (followed < 1 or leads_back(entry)):
            found["links"].append(name)
        else:
            if entry.is_symlink():
                found["followed"].append(name)
            _walk(entry, f"{name}/", followed - 1, found)


def _scan(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"expected a folder that can be read at {folder}, got {error}; check it") from error


def _explain(name: str) -> str:
    if Path(name).suffix.lower() in IMAGE_SUFFIXES:
        return "an image in a folder that is not read; move it"
    return f"of a format that is not read; images are {_READ}"
