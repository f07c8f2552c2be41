"""A copy of this project with tiny params and two small products of a user's own, in git and DVC."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml
from import_closure import ROOT

from efficientad.data.images.encoding import write_png

COPIED = ("src", "stages", "dvc.yaml", "params.yaml", "recipes", ".dvcignore", ".gitignore")
PLOTS = (".dvc/config", ".dvc/page.html", ".dvc/plots")
CATEGORIES = ("disc", "plate")
SIZES = ("S", "L")
TINY = {
    "data": {"provider": "folder", "image_size": 64, "train_fraction": 0.7, "validation_fraction": 0.3,
             "raw_samples": 4},
    "pretraining": {"count": 6},
    "teacher": {"source": "distill"},
    "distill": {"steps": 2, "batch_size": 2, "held_out_fraction": 0.2, "precision": "fp32",
                "checkpoint_every": 1},
    "train": {"checkpoint_every": 3, "precision": "fp32"},
    "fit": {"banks": {"S": [], "M": [], "L": ["fine", "coarse"]},
            "bank_patches": {"detail": 30, "fine": 50, "coarse": 40}},
    "calibrate": {"false_alarm_rate": 0.2},
    "evaluate": {"cases_per_group": 1},
    "export": {"parity_images": 4, "int8_images": 4, "max_auroc_drop": 1.0,
               "max_au_pro_drop": 1.0, "max_int8_verdict_flips": 1.0, "max_int8_score_drift": 2.0},
}  # fmt: skip

TINY_RECIPE = {"steps": 12}


def draw_product(folder: Path, rng: np.random.Generator) -> None:
    """20 good and 3 scratched images, 90 x 70 px, with masks."""
    for index in range(23):
        image = (120 + 20 * rng.standard_normal((70, 90, 3))).clip(0, 255).astype(np.uint8)
        kind = "good" if index < 20 else "scratch"
        (folder / kind).mkdir(parents=True, exist_ok=True)
        if kind == "scratch":
            image[30:40, 20:60] = 255
            mask = np.zeros((70, 90), dtype=np.bool_)
            mask[30:40, 20:60] = True
            (folder / "masks" / kind).mkdir(parents=True, exist_ok=True)
            write_png(folder / "masks" / kind / f"{index:03}.png", mask)
        write_png(folder / kind / f"{index:03}.png", image)


class Project:
    """The copy at `root`, not yet run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in COPIED:
            source = ROOT / name
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
            (
                shutil.copytree(source, root / name, ignore=ignore)
                if source.is_dir()
                else shutil.copy(source, root / name)
            )
        (root / "data/raw/pretraining").mkdir(parents=True)
        (root / "data/raw/pretraining/README.md").write_text("embedded")
        for index, category in enumerate(CATEGORIES):
            draw_product(root / "data/raw" / category, np.random.default_rng(index))
        self.change_params(lambda tree: [tree[section].update(values) for section, values in TINY.items()])
        self.change_params(lambda tree: tree["train"]["cpu"].update(TINY_RECIPE))
        self.change_params(lambda tree: tree.update(sizes=[*SIZES], categories=[*CATEGORIES]))
        self.change_params(lambda tree: tree.update(category={category: {} for category in CATEGORIES}))
        self.run("git", "init", "-q")
        self.dvc("init", "-q")
        for name in PLOTS:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, root / name)
        self.run("git", "add", ".")
        self.run("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "start")

    def run(self, *command: str, **options) -> str:
        done = subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return os.environ | {"PATH": path, "PYTHONPATH": str(self.root / "src"), "DVC_NO_ANALYTICS": "1"}

    def dvc(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "dvc", *arguments)

    def change_params(self, change) -> None:
        path = self.root / "params.yaml"
        tree = yaml.safe_load(path.read_text("utf-8"))
        change(tree)
        path.write_text(yaml.safe_dump(tree), "utf-8")

    def list_changed(self) -> set[str]:
        return set(json.loads(self.dvc("status", "--json")))

    def read(self, path: str):
        return json.loads((self.root / path).read_text("utf-8"))
