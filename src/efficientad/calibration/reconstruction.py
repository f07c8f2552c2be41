"""What an autoencoder has learnt, told from held-out normal images: a dead one shows in no loss."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from efficientad.model.device import choose_device
from efficientad.model.inference import iterate_batches
from efficientad.model.resizing import view_whole
from efficientad.model.sizes import VIEW_PX
from efficientad.model.student_teacher import StudentTeacher

_MOST_IMAGES = 32


class Reconstruction(NamedTuple):
    """What the autoencoder knows of normal images, in units of the teacher's deviation of each channel."""

    error: float  # mean squared difference to the teacher's features; 1 is that of saying nothing
    variation: float  # standard deviation over the images, averaged over all cells; 0 says the same of every image


def measure_autoencoder(
    networks: StudentTeacher, images: NDArray[np.uint8], indices: NDArray[np.intp]
) -> Reconstruction:
    """Compare what autoencoder and teacher say of up to 32 of the chosen images, spread evenly.

    Of large images both are asked about the view. A dead autoencoder, whose values have left the range in which its
    ReLUs answer, shows in no loss; its variation is 0.
    """
    networks = networks.to(choose_device()).eval()
    few = indices[np.linspace(0, len(indices) - 1, min(len(indices), _MOST_IMAGES)).astype(int)]
    said, errors = [], []
    with torch.inference_mode():
        for batch in iterate_batches(images, few):
            image = networks.normaliser(batch)
            image = view_whole(image) if max(image.shape[-2:]) > VIEW_PX else image
            teacher = networks.normalise_features(networks.teacher(image))
            reconstruction = networks.autoencoder(image, (teacher.shape[-2], teacher.shape[-1]))
            errors += (teacher - reconstruction).square().mean(dim=(1, 2, 3)).tolist()
            said.append(reconstruction.cpu())
    return Reconstruction(float(np.mean(errors)), float(torch.cat(said).std(dim=0, correction=0).mean()))
