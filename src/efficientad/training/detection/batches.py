"""What each training step sees, as a function of seed and step alone.

No generator is carried from step to step: an interrupted training needs no state of any sampler to go on
with the same batches, and two runs with one seed see the same images whatever ran before.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from efficientad.data.arrays.pieces import cut_piece
from efficientad.data.arrays.rows import read_row
from efficientad.data.defects.paint import paint_defect
from efficientad.model.cells import Tile
from efficientad.model.resizing import view_whole
from efficientad.model.sizes import VIEW_PX
from efficientad.training.detection.covered_cells import find_covered_cells
from efficientad.training.detection.hard_sampling import HardSampling
from efficientad.training.detection.tiles import choose_tile
from efficientad.training.engine.augment import JITTERS, convert_to_grey, jitter_colour
from efficientad.training.engine.features import FeatureFile
from efficientad.training.engine.order import order_samples
from efficientad.training.engine.tensors import convert_to_tensor
from efficientad.training.engine.workers import Share

_JITTER_RANGE = (0.8, 1.2)


class DetectionBatch(NamedTuple):
    """One step's images, float RGB (B, 3, H, W) in [0, 1], and what is drawn for them.

    Of an image larger than 256 px, `image` is a piece and `jittered` is made of the whole image at 256 px.
    """

    image: Tensor
    jittered: Tensor
    penalty: Tensor  # the pixels of `penalty_tile` alone
    penalty_cells: Tensor | None  # (B, h, w) of it, 1 where the penalty counts; None: everywhere
    features: Tensor | None  # the teacher's of `image` (B, 384, h, w), not normalised; None where they were not kept
    tile: Tile  # of the jittered image, on which the autoencoder's losses are taken
    penalty_tile: Tile
    dropout_seeds: tuple[int, ...]  # of each image
    samples: tuple[int, ...]  # which of the normal images
    is_piece: bool = False  # whether `image` is a piece of what `jittered` shows


@dataclass(frozen=True)
class TrainingImages:
    """What students and autoencoders are trained on, uint8 RGB and possibly memory-mapped.

    images:    (N, H, W, 3), of which the rows `normals` are the normal training images.
    penalties: (P, 512, 512, 3), the pretraining images.
    features:  the teacher's, not normalised, of the first `features.kept` of `normals`; None without any.
    """

    images: NDArray[np.uint8]
    normals: NDArray[np.intp]
    penalties: NDArray[np.uint8]
    features: FeatureFile | None = None


@dataclass(frozen=True)
class Draws:
    """How each step's images are drawn.

    `tiles` and `penalty_tiles` are parts a side (see `tiles.choose_tile`); `penalty_defects` the share of penalty
    images that are normal ones with a synthetic defect (see `defects.paint_defect`) in place of photographs.
    """

    batch_size: int
    grey_probability: float
    seed: int
    tiles: int = 1
    penalty_tiles: int = 1
    penalty_defects: float = 0.0


class DetectionSteps(Dataset[DetectionBatch]):
    """The batches of steps `first` .. `first + count` of training the detector."""

    def __init__(
        self,
        data: TrainingImages,
        draws: Draws,
        first: int,
        count: int,
        share: Share | None = None,
        hard_sampling: HardSampling | None = None,
    ) -> None:
        """Without `hard_sampling` every image comes in its turn; `share` is this process's part of each batch."""
        self.data, self.draws, self.first, self.count, self.hard_sampling = data, draws, first, count, hard_sampling
        self.own = (share or Share()).cut(draws.batch_size)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> DetectionBatch:
        if index >= self.count:
            raise IndexError(index)
        data, draws, step = self.data, self.draws, self.first + index
        rng = np.random.default_rng([draws.seed, step, 1])
        ordered = order_samples(draws.seed, step, draws.batch_size, len(data.normals))
        batch = self.hard_sampling.replace(ordered, draws.seed, step) if self.hard_sampling else ordered
        samples = batch[self.own]
        image, whole = self._load_images(samples, step)
        kinds = rng.integers(len(JITTERS), size=draws.batch_size)[self.own]
        factors = rng.uniform(*_JITTER_RANGE, size=draws.batch_size)[self.own]
        jittered = torch.cat(
            [
                jitter_colour(plain[None], JITTERS[kind], float(factor))
                for plain, kind, factor in zip(whole, kinds, factors, strict=True)
            ]
        )
        photographs = rng.integers(len(data.penalties), size=draws.batch_size)[self.own]
        grey = (rng.random(draws.batch_size) < draws.grey_probability)[self.own]
        middle = data.penalties.shape[1] // 2
        penalty_tile = choose_tile((middle, middle), draws.penalty_tiles, rng)
        penalty, penalty_cells = crop_penalties(data.penalties, photographs, grey, penalty_tile), None
        if draws.penalty_defects > 0:
            penalty, penalty_cells = self._paint_defects(penalty, step)
        return DetectionBatch(
            image,
            jittered,
            penalty,
            penalty_cells,
            self._read_features(samples),
            choose_tile((jittered.shape[-2], jittered.shape[-1]), draws.tiles, rng),
            penalty_tile,
            tuple(rng.integers(2**31, size=draws.batch_size)[self.own].tolist()),
            tuple(samples),
            image is not whole,
        )

    def _load_images(self, samples: list[int], step: int) -> tuple[Tensor, Tensor]:
        """Return what the student learns of these images, and what the autoencoder learns: the whole of them."""
        images = [read_row(self.data.images, self.data.normals[sample]) for sample in samples]
        if max(images[0].shape[:2]) <= VIEW_PX:
            loaded = convert_to_tensor(np.stack(images))
            return loaded, loaded
        places = range(self.draws.batch_size)[self.own]
        pieces = [
            cut_piece(image, (VIEW_PX, VIEW_PX), np.random.default_rng([self.draws.seed, step, 4, place]))
            for image, place in zip(images, places, strict=True)
        ]
        wholes = [view_whole(convert_to_tensor(image[None])) for image in images]
        return convert_to_tensor(np.stack(pieces)), torch.cat(wholes)

    def _paint_defects(self, photographs: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Put normal images with a synthetic defect in place of some photographs; return all, and which cells count."""
        places = range(self.draws.batch_size)[self.own]
        images, cells = [], []
        for photograph, place in zip(photographs, places, strict=True):
            rng = np.random.default_rng([self.draws.seed, step, 2, place])
            image = (photograph.permute(1, 2, 0) * 255).round().byte().numpy()
            covered = np.ones(image.shape[:2])
            if rng.random() < self.draws.penalty_defects:
                image, covered = paint_defect(self._cut_normal(image, rng), image, self._cut_normal(image, rng), rng)
            images.append(image)
            cells.append(torch.from_numpy(find_covered_cells(covered)).float())
        return convert_to_tensor(np.stack(images)), torch.stack(cells)

    def _cut_normal(self, like: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return a piece of a normal image in the size of `like`, mirrored at its borders where it is too small."""
        image = read_row(self.data.images, self.data.normals[rng.integers(len(self.data.normals))])
        lacking = [max(0, needed - side) for needed, side in zip(like.shape[:2], image.shape[:2], strict=True)]
        image = np.pad(image, [(0, lacking[0]), (0, lacking[1]), (0, 0)], mode="symmetric")
        return cut_piece(image, (like.shape[0], like.shape[1]), rng)

    def _read_features(self, samples: list[int]) -> Tensor | None:
        file = self.data.features
        if file is None or max(samples) >= file.kept:
            return None
        return torch.stack([file.read(sample) for sample in samples])


def crop_penalties(penalties: NDArray[np.uint8], rows: NDArray[np.intp], grey: NDArray[np.bool_], tile: Tile) -> Tensor:
    """Return a tile of the middle 256 px of 512 px pretraining images, (B, 3, h, w), in grey where `grey` says so."""
    side = penalties.shape[1]
    crop = slice(side // 4, side // 4 + side // 2)
    middles = [read_row(penalties, index)[crop, crop] for index in rows]
    penalty = convert_to_tensor(np.stack([tile.crop_array(middle) for middle in middles]))
    return torch.where(torch.from_numpy(grey).view(-1, 1, 1, 1), convert_to_grey(penalty), penalty)
