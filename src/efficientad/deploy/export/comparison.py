"""The exported models side by side on test images, as they would run on a station."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.prepared import Prepared
from efficientad.data.arrays.rows import Rows
from efficientad.deploy.engines.engine import Engine, Outputs
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.export.models import name_ir
from efficientad.deploy.export.parity import Parity, check_parity, compare_outputs, run_reference, run_station
from efficientad.deploy.format.files import list_files
from efficientad.evaluation.test_split import build_test_split, measure
from efficientad.pipeline.params import ExportParams

REFERENCE = "torch_fp32"
QUANTISED = name_ir(
    "int8"
)  # differs from the float models by design; judged when it is made, on a trial, by limits of its own
HALF = name_ir("fp16")


def compare_models(
    reference: Engine, exported: dict[str, Path], prepared: Prepared, chosen: NDArray[np.intp], fpr_limit: float
) -> dict[str, dict[str, Any]]:
    """Return each exported model's accuracy, differences to `reference` and size, and the accuracy of that one.

    Each judges by the threshold in its own file. See `measure` and `Parity` for the keys; all run on the `chosen` test
    images, once.
    """
    labels = np.array([prepared.rows[index].label for index in chosen])
    expected = run_reference(reference, prepared, chosen)
    models = {REFERENCE: measure_outputs(expected, prepared, chosen, fpr_limit, reference.header.threshold)}
    for name, path in exported.items():
        engine = load_engine(path)
        outputs = run_station(engine, prepared, chosen)
        parity = compare_outputs(expected, outputs, labels, reference.header.threshold, engine.header.threshold)
        accuracy = measure_outputs(outputs, prepared, chosen, fpr_limit, engine.header.threshold)
        models[name] = {**accuracy, **vars(parity), "megabytes": measure_size(path)}
    return models


def measure_outputs(
    outputs: Outputs, prepared: Prepared, chosen: NDArray[np.intp], fpr_limit: float, threshold: float
) -> dict[str, float]:
    """Return the accuracy of a model's outputs on the `chosen` test images; see `measure`."""
    return measure(build_test_split(prepared, Rows(outputs.maps), outputs.scores, chosen), fpr_limit, threshold)


def measure_size(path: Path) -> float:
    """Return the megabytes of a model's file, or of an IR's two."""
    return round(sum(file.stat().st_size for file in list_files(path)) / 1e6, 2)


def check_models(models: dict[str, dict[str, Any]], params: ExportParams) -> None:
    """Raise ParityError where a float model of `compare_models` is further from torch than allowed."""
    for name, values in models.items():
        if name not in (REFERENCE, QUANTISED):
            limit = params.max_map_difference_fp16 if name == HALF else params.max_map_difference_fp32
            parity = Parity(**{key: values[key] for key in Parity.__dataclass_fields__})
            check_parity(name, parity, limit, params.max_auroc_difference)
