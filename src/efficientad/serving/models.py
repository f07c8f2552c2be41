"""The models that are served, by name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.calibration.threshold.scores import SCORES, read_scores
from efficientad.deploy.engines.engine import EngineOptions
from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.format.files import locate_model
from efficientad.deploy.format.names import IR_SUFFIX
from efficientad.errors import ModelError

_NAME = re.compile(r"[\w.-]+", re.ASCII)  # what needs no escape in an address
_REPOSITORY, _FLOAT = "openvino", ("fp32", "fp16")  # of models/SIZE/CATEGORY/SEED/openvino/fp32/1/model.xml


@dataclass(frozen=True)
class ServedModel:
    """A detector under the name that requests call it by."""

    name: str
    engine: OpenVINOEngine
    good_scores: NDArray[np.float32] | None  # (N,) of held-out good images, increasing; None where no table lies beside


def load_models(arguments: Sequence[str], options: EngineOptions) -> dict[str, ServedModel]:
    """Load each argument, a path or NAME=PATH as `split_name` reads it, with OpenVINO; return them by name.

    Raises ModelError as `locate_model`, for another format than OpenVINO's, and for a name that is taken or does not
    fit into an address.
    """
    models: dict[str, ServedModel] = {}
    for argument in arguments:
        name, path = split_name(argument)
        model = _load_model(name, path, options)
        if not _NAME.fullmatch(model.name):
            raise ModelError(
                f"expected a name of letters, digits, . _ and -, got {model.name!r}; give one: NAME={path}"
            )
        if model.name in models:
            raise ModelError(f"expected a name for each model, got {model.name!r} twice; give one: NAME={path}")
        models[model.name] = model
    return models


def split_name(argument: str) -> tuple[str, Path]:
    """Split NAME=PATH; of a path alone the name is empty, which stands for the product in the model's file.

    >>> split_name("front=models/L/gear/0")
    ('front', PosixPath('models/L/gear/0'))
    >>> split_name("models/L/gear/0")[0]
    ''
    """
    name, equals, path = argument.partition("=")
    if not equals or "/" in name or Path(argument).exists():
        return "", Path(argument)
    return name, Path(path)


def find_scores(model: Path) -> Path | None:
    """Return the table of a model's scores: beside its file, or in the folder of the pipeline that a float IR lies in.

    The pipeline's table is of the float model. An INT8 model scores otherwise: its own table lies beside it.
    """
    folders = [model.parent]
    if len(model.parents) > 3 and model.parents[2].name == _REPOSITORY and model.parents[1].name in _FLOAT:
        folders.append(model.parents[3])
    return next((folder / SCORES for folder in folders if (folder / SCORES).is_file()), None)


def _load_model(name: str, path: Path, options: EngineOptions) -> ServedModel:
    file = locate_model(path).absolute()
    if file.suffix != IR_SUFFIX:
        raise ModelError(
            f"expected an OpenVINO model ({IR_SUFFIX}) to serve, got {path}; `dvc repro export` writes one"
        )
    engine = OpenVINOEngine(file, options)
    table = find_scores(file)
    good = None if table is None else np.sort(read_scores(table).good)
    return ServedModel(name or engine.header.category, engine, good)
