"""The two networks that publish teachers, written from their layer lists, and our teachers in their layouts."""

import io
import zipfile

import torch
import torch.nn.functional as F
from torch import nn

from efficientad.model.weights import load_teacher
from efficientad.teacher.shipped import locate_shipped_teacher

CONVOLUTIONS = {"S": (0, 3, 6, 8), "M": (0, 3, 6, 8, 10, 12)}
SHAPES = {  # of anomalib's convolutions: channels in and out, kernel
    "S": [(3, 128, 4), (128, 256, 4), (256, 256, 3), (256, 384, 4)],
    "M": [(3, 256, 4), (256, 512, 4), (512, 512, 1), (512, 512, 3), (512, 384, 4), (384, 384, 1)],
}
FILE_NAMES = {"S": "small", "M": "medium"}
MEAN, STD = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]


class Numbered(nn.Module):
    """anomalib's network: convolutions by their numbers, normalisation at its start, pooling after the first two."""

    def __init__(self, size):
        super().__init__()
        for number, shape in enumerate(SHAPES[size], start=1):
            setattr(self, f"conv{number}", nn.Conv2d(*shape))
        self.last = len(SHAPES[size])

    def forward(self, image):
        hidden = (image - MEAN) / STD
        for number in range(1, self.last):
            hidden = F.relu(getattr(self, f"conv{number}")(hidden))
            hidden = F.avg_pool2d(hidden, 2, 2) if number <= 2 else hidden
        return getattr(self, f"conv{self.last}")(hidden)


def load_shipped(size):
    """Return the weights of a teacher of ours, float32, under the names of nelson1425/EfficientAD."""
    state = load_teacher(locate_shipped_teacher(size), size).state_dict()
    assert sorted({int(name.split(".")[0]) for name in state}) == [*CONVOLUTIONS[size]]
    return state


def number_names(state, size):
    """Return the same weights under anomalib's names."""
    numbers = {str(index): number for number, index in enumerate(CONVOLUTIONS[size], start=1)}
    return {f"conv{numbers[name.split('.')[0]]}.{name.split('.')[1]}": value for name, value in state.items()}


def dump(content) -> bytes:
    """Return what torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def pack_release(states) -> bytes:
    """Return an archive as anomalib releases it, of {size: weights under anomalib's names}."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for size, state in states.items():
            name = f"efficientad_pretrained_weights/pretrained_teacher_{FILE_NAMES[size]}.pth"
            archive.writestr(name, dump(state))
    return buffer.getvalue()
