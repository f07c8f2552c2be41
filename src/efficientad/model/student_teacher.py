"""Teacher, student and autoencoder: EfficientAD's own part of a detector (arXiv 2303.14535, section 3)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.model.autoencoder import Autoencoder
from efficientad.model.cells import count_cells, split_cells
from efficientad.model.maps import compute_distance_map, resize_cells, upscale_map
from efficientad.model.normaliser import ImageNormaliser
from efficientad.model.pdn import STUDENT_CHANNELS, TEACHER_CHANNELS, build_pdn, count_layers, split_student
from efficientad.model.resizing import view_whole
from efficientad.model.sizes import VIEW_PX, PDNSize


class StudentTeacher(nn.Module):
    """The networks of the paper, and what brings their features to one scale.

    Fresh ones are random, with neutral channel statistics; `distill` fills the teacher, `train` the rest.
    """

    teacher_mean: Tensor
    teacher_std: Tensor

    def __init__(self, size: PDNSize, shared_convolutions: int = 0) -> None:
        """Build the networks; `shared_convolutions` of the student's first ones are the teacher's."""
        super().__init__()
        self.size = size
        self.shared_convolutions = shared_convolutions
        self.normaliser = ImageNormaliser()
        self.teacher = build_pdn(size, TEACHER_CHANNELS).requires_grad_(False)
        student = build_pdn(size, STUDENT_CHANNELS)
        self.shared_layers = count_layers(student, shared_convolutions)
        self.student = nn.Sequential(*list(student)[self.shared_layers :])
        self.autoencoder = Autoencoder()
        self.register_buffer("teacher_mean", torch.zeros(1, TEACHER_CHANNELS, 1, 1))
        self.register_buffer("teacher_std", torch.ones(1, TEACHER_CHANNELS, 1, 1))

    def normalise_features(self, features: Tensor) -> Tensor:
        """Bring the teacher's features (B, 384, h, w) to zero mean and unit variance per channel."""
        normalised: Tensor = (features - self.teacher_mean) / self.teacher_std
        return normalised

    def compute_raw_maps(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distance maps (B, 1, h, w) of student and autoencoder, of an RGB image (B, 3, H, W) in [0, 1].

        Both have a cell every 4 px, the autoencoder's of an image above 256 px those of 256 px. An image above 256 px
        is compared with the student tile by tile, at its own size, and with the autoencoder as a whole.
        """
        normalised = self.normaliser(image)
        height, width = (int(side) for side in image.shape[-2:])  # plain numbers when traced, too
        return (self._compare_in_tiles if max(height, width) > VIEW_PX else self._compare_at_once)(normalised)

    def _compare_at_once(self, normalised: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.teacher[: self.shared_layers](normalised)
        teacher = self.normalise_features(self.teacher[self.shared_layers :](hidden))  # (B, 384, 56, 56) at 256 x 256
        predicted_teacher, predicted_autoencoder = split_student(self.student(hidden))
        autoencoder = self.autoencoder(normalised, (teacher.shape[-2], teacher.shape[-1]))
        autoencoder_map = compute_distance_map(autoencoder, predicted_autoencoder)
        return compute_distance_map(teacher, predicted_teacher), autoencoder_map

    def _compare_in_tiles(self, normalised: Tensor) -> tuple[Tensor, Tensor]:
        rows = split_cells(*(int(side) for side in normalised.shape[-2:]))
        parts = [[self._compare_with_student(tile.crop_image(normalised)) for tile in row] for row in rows]
        student_map = torch.cat([torch.cat(row, dim=-1) for row in parts], dim=-2)
        return student_map, self._compare_with_autoencoder(view_whole(normalised))

    def _compare_with_student(self, normalised: Tensor) -> Tensor:
        hidden = self.teacher[: self.shared_layers](normalised)
        teacher = self.normalise_features(self.teacher[self.shared_layers :](hidden))
        return compute_distance_map(teacher, self._predict(hidden, slice(0, TEACHER_CHANNELS)))

    def _compare_with_autoencoder(self, view: Tensor) -> Tensor:
        predicted = self._predict(self.teacher[: self.shared_layers](view), slice(TEACHER_CHANNELS, None))
        cells = count_cells(VIEW_PX)
        return compute_distance_map(self.autoencoder(view, (cells, cells)), predicted)

    def _predict(self, hidden: Tensor, channels: slice) -> Tensor:
        """Return these channels of the student's features alone."""
        head = self.student[-1]
        assert isinstance(head, nn.Conv2d)
        assert head.bias is not None
        return F.conv2d(self.student[:-1](hidden), head.weight[channels], head.bias[channels])

    @staticmethod
    def add_on_pixels(student: Tensor, autoencoder: Tensor, image_size: tuple[int, int]) -> Tensor:
        """Return the sum (B, 1, H, W) of both maps, normalised, on the image's pixels; 0 where no cell is centred."""
        if autoencoder.shape != student.shape:
            autoencoder = resize_cells(autoencoder, (int(student.shape[-2]), int(student.shape[-1])))
        return upscale_map(student + autoencoder, image_size)
