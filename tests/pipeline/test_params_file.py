import shutil
from pathlib import Path

import pytest
import yaml

from efficientad.errors import ParamsError
from efficientad.pipeline.params import Params
from efficientad.pipeline.params_file import PAPER_RECIPE, check_for_dvc, load_params

PARAMS = Path(__file__).parents[2] / "params.yaml"
PAPER = PARAMS.parent / PAPER_RECIPE
PATHS = (("data", "root"), ("data", "group"), ("pretraining", "root"), ("teacher", "path"), ("distill", "checkpoint"))


BAD_NAMES = (
    "x; touch pwned #",
    "../x",
    "..",
    ".",
    "a.b",
    "a b",
    "a/b",
    "a\\b",
    "-x",
    "",
    "x\n",
    "$(x)",
    "Öse",
    "x" * 101,
)


def write(tmp_path, change):
    tree = yaml.safe_load(PARAMS.read_text("utf-8"))
    change(tree)
    (tmp_path / PAPER_RECIPE).parent.mkdir(exist_ok=True)
    shutil.copy(PAPER, tmp_path / PAPER_RECIPE)
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(tree), "utf-8")
    return path


def put(*keys, value):
    def change(tree):
        for key in keys[:-1]:
            tree = tree[key]
        tree[keys[-1]] = value

    return change


def swap_quantiles(tree):
    tree["fit"] |= {"low_quantile": 0.999, "high_quantile": 0.995, "high_quantile_of": "pixels"}


def test_the_shipped_params_are_valid():
    params = load_params(PARAMS)
    assert isinstance(params, Params)
    assert set(params.categories) <= set(yaml.safe_load(PARAMS.read_text("utf-8"))["category"])


@pytest.mark.parametrize(
    ("value", "frame"), [(64, (64, 64)), ([128, 200], (128, 200)), (512, (512, 512)), ([3000, 4000], (3000, 4000))]
)
def test_an_image_size_is_a_side_or_height_and_width(tmp_path, value, frame):
    assert load_params(write(tmp_path, put("data", "image_size", value=value))).data.frame == frame


def test_params_are_frozen():
    with pytest.raises(AttributeError):
        load_params(PARAMS).train.steps = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("train", "momentum", value=1), r"train\.momentum: unknown key; expected one of preset,"),
        (put("colour", value={}), r"^colour: unknown key"),
        (lambda tree: tree["train"]["cpu"].pop("steps"), r"train\.cpu\.steps: missing"),
        (lambda tree: tree.pop("export"), r"^export: missing"),
        (put("train", "cpu", "steps", value=0), r"train\.cpu\.steps: expected 1 <= value"),
        (put("train", "cpu", "steps", value=2.5), r"train\.cpu\.steps: expected a whole number, got 2\.5"),
        (put("train", "cpu", "steps", value=True), r"train\.cpu\.steps: expected a whole number, got True"),
        (put("train", "cpu", "learning_rate", value="1e-4"), r"write 1\.0e-4"),
        (put("train", "cpu", "learning_rate", value=float("nan")), r"train\.cpu\.learning_rate: expected"),
        (put("train", "precision", value="fp8"), r"train\.precision: expected one of auto, fp32, bf16, got"),
        (put("data", "provider", value="coco"), r"data\.provider: expected one of synthetic"),
        (put("data", "validation_fraction", value=0.9), r"data\.validation_fraction: expected 0\.01 <="),
        (put("data", "image_size", value=[256]), r"data\.image_size: expected a side or \[height, width\]"),
        (put("data", "image_size", value=[]), r"data\.image_size: expected a side or \[height, width\]"),
        (put("data", "image_size", value=[200, 512]), r"neither above 256, or both from 256 on and multiples of 4"),
        (put("data", "image_size", value=[512, 1022]), r"data\.image_size: expected .*, got \(512, 1022\)"),
        (put("data", "image_size", value=[512, 10**5]), r"data\.image_size\[1\]: expected 64 <= value"),
        (put("sizes", value=["XL"]), r"sizes\[0\]: expected one of S, M, L, got 'XL'"),
        (put("sizes", value="S"), r"sizes: expected a list, got 'S'"),
        (put("seeds", value=[]), r"seeds: expected at least one value"),
        (put("categories", value=["a", "a"]), r"categories: expected at least one value and none twice"),
        *((put("categories", value=["washer", name]), r"categories\[1\]: expected .* letters") for name in BAD_NAMES),
        *((put("category", name, value={}), r"^category: expected .* letters") for name in BAD_NAMES),
        (put("categories", value=[3]), r"categories\[0\]: expected text, got 3"),
        (put("seeds", value=["0; touch pwned"]), r"seeds\[0\]: expected a whole number"),
        (put("sizes", value=["L; touch pwned"]), r"sizes\[0\]: expected one of S, M, L"),
        (swap_quantiles, r"fit\.low_quantile: expected less than"),
        (put("fit", "high_quantile_of", value="rows"), r"high_quantile_of: expected one of images, pixels"),
        (put("fit", "banks", "S", value=["fine"] * 2), r"banks\.S: expected none twice, .*, got \['fine', 'fine'\]"),
        (put("fit", "banks", "L", value=[]), r"banks\.L: .* one for L at least, got \[\]"),
        (put("fit", "banks", "L", value=["deep"]), r"banks\.L\[0\]: expected one of detail, fine, coarse, got 'deep'"),
        (put("fit", "banks", value=["fine"]), r"fit\.banks: expected a section"),
        (put("fit", "bank_patches", value=50), r"fit\.bank_patches: expected a section"),
        (put("fit", "bank_patches", "detail", value=0), r"bank_patches\.detail: expected 1 <= value <= 100000, got 0"),
        (lambda tree: tree["fit"]["bank_patches"].pop("coarse"), r"fit\.bank_patches\.coarse: missing"),
        (put("fit", "bank_patches", "deep", value=5), r"bank_patches\.deep: unknown key; expected one of detail, fine"),
        (put("export", "precisions", value=["fp16"]), r"export\.precisions: expected fp32 among them"),
        (put("train", "cpu", "penalty_tiles", value=0), r"train\.cpu\.penalty_tiles: expected 1 <= value <= 8"),
        (put("train", "cpu", "hard_sampling_fraction", value=-1), r"train\.cpu\.hard_sampling_fraction: expected 0"),
        (put("train", "cpu", "penalty_defects", value=2), r"train\.cpu\.penalty_defects: expected 0"),
        (put("teacher", "source", value="file"), r"teacher\.path: expected a file of weights with"),
        (put("teacher", "source", value="published"), r"teacher\.path: .* what was downloaded with published"),
        (put("teacher", "path", value="a.safetensors"), r"teacher\.path: .* null with any other, got 'a"),
        (put("distill", value=None), r"distill: expected a section"),
        (put("category", value=[]), r"category: expected a mapping"),
        (put("category", "washer", value={"distill": {"steps": 1}}), r"category\.washer\.distill: expected"),
        (put("category", "washer", value={"train": {"step": 1}}), r"train\.step: unknown key"),
    ],
)
def test_each_mistake_is_one_clear_error(tmp_path, change, message):
    with pytest.raises(ParamsError, match=message):
        load_params(write(tmp_path, change))


def test_a_bank_keeps_the_patches_of_its_own_scale(tmp_path):
    patches = {"detail": 3, "fine": 5, "coarse": 7}
    found = load_params(write(tmp_path, put("fit", "bank_patches", value=patches))).fit.bank_patches
    assert {scale: found.select(scale) for scale in patches} == patches


def test_a_category_overrides_its_own_values_alone(tmp_path):
    path = write(tmp_path, put("category", value={"washer": {"train": {"cpu": {"steps": 7}}}, "fabric": {}}))
    washer, fabric, plain = (load_params(path, name).train for name in ("washer", "fabric", None))
    assert washer.cpu.steps == 7
    assert (washer.cpu.batch_size, washer.paper) == (plain.cpu.batch_size, plain.paper)
    assert fabric == plain
    assert plain.cpu.steps != 7


def test_the_preset_names_the_recipe(tmp_path):
    train = load_params(write(tmp_path, put("train", "preset", value="paper"))).train
    assert (train.recipe.steps, train.recipe.learning_rate, train.recipe.penalty_tiles) == (70000, 1e-4, 1)


def test_the_papers_recipe_is_read_from_its_own_file(tmp_path):
    path = write(tmp_path, put("train", "preset", value="paper"))
    recipe = yaml.safe_load(PAPER.read_text("utf-8"))
    (tmp_path / PAPER_RECIPE).write_text(yaml.safe_dump(recipe | {"steps": 7}), "utf-8")
    assert load_params(path).train.recipe.steps == 7


def test_a_category_overrides_the_papers_values_too(tmp_path):
    override = {"train": {"preset": "paper", "paper": {"steps": 7}}}
    path = write(tmp_path, put("category", "washer", value=override))
    washer, plain = (load_params(path, name).train for name in ("washer", None))
    assert (washer.recipe.steps, washer.recipe.learning_rate) == (7, 1e-4)
    assert plain.paper.steps == 70000


def test_the_preset_cpu_does_without_the_papers_file(tmp_path):
    path = write(tmp_path, lambda tree: None)
    (tmp_path / PAPER_RECIPE).unlink()
    assert load_params(path).train.recipe.steps
    category = put("category", "washer", value={"train": {"preset": "paper"}})
    for change in (put("train", "preset", value="paper"), category):
        path = write(tmp_path, change)
        (tmp_path / PAPER_RECIPE).unlink()
        with pytest.raises(ParamsError, match=r"train\.preset: expected the file recipes/paper\.yaml for paper"):
            load_params(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, r"recipes/paper\.yaml: steps: expected 1 <= value"),
        ({"step": 1}, r"recipes/paper\.yaml: step: unknown key; expected one of steps,"),
        (None, r"expected sections in .*paper\.yaml, got NoneType"),
    ],
)
def test_a_mistake_in_the_papers_file_names_it(tmp_path, change, message):
    path = write(tmp_path, lambda tree: None)
    recipe = yaml.safe_load(PAPER.read_text("utf-8"))
    (tmp_path / PAPER_RECIPE).write_text(yaml.safe_dump(change and recipe | change), "utf-8")
    with pytest.raises(ParamsError, match=message):
        load_params(path)


def test_the_papers_recipe_stands_in_one_place(tmp_path):
    path = write(tmp_path, put("train", "paper", value={"steps": 1}))
    with pytest.raises(ParamsError, match=r"train\.paper: expected the paper's recipe in recipes/paper\.yaml alone"):
        load_params(path)


@pytest.mark.parametrize("name", ["gear", "Gear_2-left", "7", "_x", "x" * 100])
def test_letters_digits_underscores_and_hyphens_name_a_category(tmp_path, name):
    path = write(tmp_path, lambda tree: tree.update(categories=[name], category={name: {}}))
    check_for_dvc(path)
    assert load_params(path, name).categories == (name,)


def test_a_listed_category_without_an_entry_is_named_before_dvc_runs(tmp_path):
    with pytest.raises(ParamsError, match=r"found none for bolt; add a line `bolt: \{\}` below `category:`"):
        check_for_dvc(write(tmp_path, put("categories", value=["washer", "bolt"])))


def test_the_home_folder_is_written_out_in_every_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("USERPROFILE", "/home/ann")
    path = write(tmp_path, lambda tree: None)
    for section, key in PATHS:
        change = put(section, key, value="~/there")
        source = put("teacher", "source", value="file") if section == "teacher" else lambda tree: None
        path = write(tmp_path, lambda tree: [change(tree), source(tree)])  # noqa: B023
        assert Path(getattr(getattr(load_params(path), section), key)) == Path("/home/ann/there")


@pytest.mark.parametrize("pattern", ["~", "~part(\\d)", "part~/"])
def test_a_pattern_that_only_looks_like_a_home_folder_stays(tmp_path, pattern):
    found = load_params(write(tmp_path, put("data", "group", value=pattern))).data.group
    assert found == (str(Path.home()) if pattern == "~" else pattern)


@pytest.mark.parametrize("section", ["data", "pretraining"])
def test_a_home_folder_that_dvc_would_not_find_is_refused_with_the_path_to_write(tmp_path, section):
    with pytest.raises(ParamsError, match=rf"{section}\.root: .*does not expand ~, got '~/x'; write {Path.home()}"):
        check_for_dvc(write(tmp_path, put(section, "root", value="~/x")))


def test_a_category_without_an_entry_has_no_overrides():
    assert load_params(PARAMS, "bottle") == load_params(PARAMS)


def test_whole_numbers_do_for_fractions(tmp_path):
    params = load_params(write(tmp_path, put("train", "cache_gb", value=0)))
    assert params.train.cache_gb == 0.0


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(ParamsError, match="found none"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [", "utf-8")
    with pytest.raises(ParamsError, match="expected YAML"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("- 1", "utf-8")
    with pytest.raises(ParamsError, match="expected sections"):
        load_params(tmp_path / "params.yaml")


def test_every_value_has_a_comment_but_seeds_that_repeat_one():
    lines = PARAMS.read_text("utf-8").split("\ncategory:")[0].splitlines() + PAPER.read_text("utf-8").splitlines()
    assert [line for line in lines if line.strip() and "#" not in line and line.strip() != "seed: 0"] == []
