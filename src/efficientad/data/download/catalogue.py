"""The data sets that `efficientad download` knows: where they lie, what their bytes must give, and under which licence.

Archives are unpacked so that the folder which the user names becomes `data.root` (or `pretraining.root`).
"""

from dataclasses import dataclass

from efficientad.data.download.checksums import Checksum


@dataclass(frozen=True)
class Dataset:
    """One archive; `file` is its name on a mirror and on disk.

    `checksum` is of the archive. `tree_id` is git's id of the unpacked files, for a publisher whose archives are packed
    anew. `packed` and `unpacked` are bytes, of which one and a half times as many are accepted. `folders` must be there
    when it is unpacked; `strip` leading parts of names are left out, and `below` is put before them.
    """

    name: str
    title: str
    address: str
    file: str
    checksum: Checksum | None
    packed: int
    unpacked: int
    licence: str
    citation: str
    page: str
    folders: tuple[str, ...]
    tree_id: str | None = None
    strip: int = 0
    below: str = ""


_MVTEC_LICENCE = "CC BY-NC-SA 4.0: no commercial use"

# Address: github open-edge-platform/anomalib, pull request 3673 of July 2026; the publisher replaced two earlier ones,
# which answer 404. Checksum: the same project, src/anomalib/data/datamodules/image/mvtecad.py.
MVTEC = Dataset(
    name="mvtec",
    title="MVTec AD, 15 categories",
    address="https://www.mydrive.ch/shares/150996/b52ecdcbf521176e9db9c731f2304b27/download/"
    "420938113-1629960298/mvtec_anomaly_detection.tar.xz",
    file="mvtec_anomaly_detection.tar.xz",
    checksum=Checksum("sha256", "cf4313b13603bec67abb49ca959488f7eedce2a9f7795ec54446c649ac98cd3d"),
    packed=5_264_982_680,
    unpacked=5_300_000_000,
    licence=_MVTEC_LICENCE,
    citation="Bergmann et al., MVTec AD, CVPR 2019",
    page="https://www.mvtec.com/company/research/datasets/mvtec-ad/downloads",
    folders=("bottle", "cable", "capsule", "carpet", "grid", "hazelnut", "leather", "metal_nut", "pill", "screw",
             "tile", "toothbrush", "transistor", "wood", "zipper"),
)  # fmt: skip

# Address and checksum: github open-edge-platform/anomalib, src/anomalib/data/datasets/image/mvtec_loco.py.
MVTEC_LOCO = Dataset(
    name="mvtec_loco",
    title="MVTec LOCO AD, 5 categories",
    address="https://www.mydrive.ch/shares/48237/1b9106ccdfbb09a0c414bd49fe44a14a/download/"
    "430647091-1646842701/mvtec_loco_anomaly_detection.tar.xz",
    file="mvtec_loco_anomaly_detection.tar.xz",
    checksum=Checksum("sha256", "9e7c84dba550fd2e59d8e9e231c929c45ba737b6b6a6d3814100f54d63aae687"),
    packed=6_126_996_224,
    unpacked=6_200_000_000,
    licence=_MVTEC_LICENCE,
    citation="Bergmann et al., Beyond Dents and Scratches, IJCV 130, 2022",
    page="https://www.mvtec.com/company/research/datasets/mvtec-loco/downloads",
    folders=("breakfast_box", "juice_bottle", "pushpins", "screw_bag", "splicing_connectors"),
)

# Address and licence: github amazon-science/spot-diff, README.md and LICENSE-DATASET. Checksum: anomalib,
# src/anomalib/data/datamodules/image/visa.py. The archive has no folder around its categories.
VISA = Dataset(
    name="visa",
    title="VisA, 12 categories",
    address="https://amazon-visual-anomaly.s3.us-west-2.amazonaws.com/VisA_20220922.tar",
    file="VisA_20220922.tar",
    checksum=Checksum("sha256", "2eb8690c803ab37de0324772964100169ec8ba1fa3f7e94291c9ca673f40f362"),
    packed=1_929_840_640,
    unpacked=1_920_559_633,
    licence="CC BY 4.0",
    citation="Zou et al., SPot-the-Difference, ECCV 2022",
    page="https://github.com/amazon-science/spot-diff",
    folders=("candle", "capsules", "cashew", "chewinggum", "fryum", "macaroni1", "macaroni2", "pcb1", "pcb2", "pcb3",
             "pcb4", "pipe_fryum", "split_csv"),
)  # fmt: skip

# The repository's last commit. GitHub packs archives anew and promises no checksum of them
# (github.blog, 2023-02-21, "Update on the future stability of source code archives and hashes"); the id of the commit's
# tree names the files themselves.
_TILE_COMMIT = "cc4eb530b57b9cb7225bf76023873043ffd50655"
MAGNETIC_TILE = Dataset(
    name="magnetic_tile",
    title="Magnetic tile surface defects, 1,344 images",
    address=f"https://github.com/abin24/Magnetic-tile-defect-datasets./archive/{_TILE_COMMIT}.tar.gz",
    file="magnetic_tile.tar.gz",
    checksum=None,
    tree_id="b033f2e7edf21bf4e03d9c125549dbe45f2cc2fd",
    packed=52_437_315,
    unpacked=53_109_982,
    licence="none stated; its authors welcome use and ask to be cited",
    citation="Huang, Qiu, Yuan, Surface defect saliency of magnetic tile, The Visual Computer 36, 2020",
    page="https://github.com/abin24/Magnetic-tile-defect-datasets.",
    folders=tuple(f"magnetic_tile/MT_{kind}/Imgs" for kind in ("Blowhole", "Break", "Crack", "Fray", "Free", "Uneven")),
    strip=1,
    below="magnetic_tile",
)

# Address: github fastai/imagenette, README.md. Checksum: torchvision, torchvision/datasets/imagenette.py.
IMAGENETTE = Dataset(
    name="imagenette",
    title="Imagenette, 13,394 photographs",
    address="https://s3.amazonaws.com/fast-ai-imageclas/imagenette2.tgz",
    file="imagenette2.tgz",
    checksum=Checksum("md5", "fe2fc210e6bb7c5664d602c3cd71e612"),
    packed=1_557_161_267,
    unpacked=1_600_000_000,
    licence="Apache-2.0 for the archive; the photographs are ImageNet's, for research",
    citation="Howard, Imagenette, github.com/fastai/imagenette",
    page="https://github.com/fastai/imagenette",
    folders=("imagenette2/train", "imagenette2/val"),
)

DATASETS = {dataset.name: dataset for dataset in (MVTEC, MVTEC_LOCO, VISA, MAGNETIC_TILE, IMAGENETTE)}
