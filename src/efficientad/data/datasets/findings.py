"""What prepare found amiss with a product's files: on the terminal, shortened, and in whole in a file."""

from dataclasses import dataclass, field
from pathlib import Path

from efficientad.data.arrays.prepared import write_manifest
from efficientad.data.files.walk import Finding, count, shorten, write_out
from efficientad.errors import DataError

FILES = "files.json"


@dataclass
class Findings:
    """What is gathered while a product's files are read; `folder`: of its report, None where nobody writes one.

    left_out: files that nobody reads, and links that DVC does not watch. warned: files that are read but look wrong.
    refused: files that cannot be used.
    """

    folder: Path | None = None
    left_out: list[Finding] = field(default_factory=list)
    warned: list[Finding] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)

    def describe(self) -> list[str]:
        """Return the warnings to print: one for files left out or links not watched, one for files that look wrong."""
        kinds = {"left out or not watched": self.left_out, "may be wrong": self.warned}
        return [f"{count(found)} {kind}{self._where}:\n{shorten(found)}" for kind, found in kinds.items() if found]

    def check(self) -> None:
        """Raise DataError with the reasons where files were refused."""
        if self.refused:
            raise DataError(
                f"expected images and masks that can be used, {count(self.refused)} cannot{self._where}:\n"
                f"{shorten(self.refused, with_names=False)}"
            )

    def write(self) -> None:
        """Write everything into the folder of the report."""
        assert self.folder is not None
        kinds = {"left_out": self.left_out, "warned": self.warned, "refused": self.refused}
        tree = {kind: [write_out(one) for one in findings] for kind, findings in kinds.items()}
        write_manifest(self.folder / FILES, tree)

    @property
    def _where(self) -> str:
        return f" (all: {self.folder / FILES})" if self.folder else ""
