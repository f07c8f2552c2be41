"""Where the threshold in a model's file comes from."""

from collections.abc import Mapping
from dataclasses import dataclass

_TIME, _IMAGES = "threshold_set", "threshold_images"  # keys of the metadata


@dataclass(frozen=True)
class Origin:
    """When a station set a threshold, and from how many images; empty and 0 where the pipeline did."""

    time: str = ""  # ISO 8601, UTC
    images: int = 0

    @classmethod
    def parse(cls, metadata: Mapping[str, str]) -> "Origin":
        """Read `describe` back; what is no number of images counts as none."""
        images = metadata.get(_IMAGES, "")
        return cls(metadata.get(_TIME, ""), int(images) if images.isdecimal() and len(images) < 10 else 0)

    def describe(self) -> dict[str, str]:
        """Return it as metadata."""
        return {_TIME: self.time, _IMAGES: str(self.images)}

    def __str__(self) -> str:
        """Return it in words."""
        return f"set {self.time} from {self.images} good images" if self.time else "set by the pipeline"
