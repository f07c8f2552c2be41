"""params.yaml in every state of disorder: read as written, or refused in one line before any work."""

import shutil

import pytest
from damage import draw, encode
from import_closure import ROOT
from runs import SilentAcceptanceError, run_stage_script

from efficientad.pipeline.params_file import load_params

TEXT = (ROOT / "params.yaml").read_text("utf-8")
SEED, FRACTION, ROOT_LINE = "split_seed: 0 ", "train_fraction: 0.8 ", "root: data/raw "
REGION, GROUP, WASHER = "region: null", "group: null", "washer: {train: {cpu: {steps: 200}}}"


def change(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, f"{new} ", 1)


def nest(start: str, end: str, depth: int) -> str:
    return f"{TEXT}\nx: {start * depth}1{end * depth}\n"


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(9)
)
REFUSED = {
    "empty": ("", "expected sections"),
    "null": ("null", "expected sections"),
    "list": ("[1]", "expected sections"),
    "text": ("params", "expected sections"),
    "number": ("1", "expected sections"),
    "comment": ("# nothing", "expected sections"),
    "tab": ("\ta: 1", "expected YAML"),
    "open_bracket": ("a: [", "expected YAML"),
    "two_documents": (TEXT + "\n---\na: 1\n", "single document"),
    "html": ("<!doctype html><p>404: not found</p>", "expected"),
    "json_cut": ('{"data": {', "expected YAML"),
    "control_character": (TEXT + "\x07", "expected YAML"),
    "nul": (TEXT + "\0", "expected YAML"),
    "conflict": (TEXT.replace("seeds:", "<<<<<<< HEAD\nseeds:", 1), "expected YAML"),
    "key_twice_at_the_top": (TEXT + "\nseeds: [1]\n", "the key seeds twice"),
    "key_twice_in_a_section": (change("  root: data/raw", "  split_seed: 3\n  root: x"), "the key split_seed twice"),
    "key_twice_in_quotes": (TEXT + '\n"seeds": [1]\n', "the key seeds twice"),
    "category_twice": (TEXT + "\n  washer: {}\n", "the key washer twice"),
    "deep_lists": (nest("[", "]", 5000), "more than 20 levels"),
    "deep_mappings": (nest("{a: ", "}", 5000), "more than 20 levels"),
    "deep_in_a_category": (change(WASHER, "washer: " + "{a: " * 300 + "1" + "}" * 300), "more than 20 levels"),
    "laughs": (LAUGHS + TEXT, "more than 100,000 values"),
    "alias_of_itself": (change(REGION, "region: &x [*x]"), "an alias inside of what it repeats"),
    "alias_of_its_section": (change("synthetic:", "synthetic: &s\n  self: *s"), "an alias inside"),
    "alias_of_nothing": (change(REGION, "region: *nothing"), "undefined alias"),
    "digits_400": (change(FRACTION, "train_fraction: " + "9" * 400), "in decimals, at most 19"),
    "digits_400_of_a_seed": (change(SEED, "split_seed: " + "9" * 400), "in decimals, at most 19"),
    "digits_5000": (change(SEED, "split_seed: " + "9" * 5000), "in decimals, at most 19"),
    "digits_400_negative": (change(SEED, "split_seed: -" + "9" * 400), "in decimals, at most 19"),
    "digits_400_of_a_float": (change(FRACTION, "train_fraction: " + "9" * 400 + ".0"), "expected a finite number"),
    "hexadecimal": (change(SEED, "split_seed: 0x" + "f" * 5000), "in decimals"),
    "octal_of_one_version_alone": (change("seeds: [0]", "seeds: [010]"), "without leading zeros"),
    "octal": (change(SEED, "split_seed: 0o17"), "expected a whole number"),
    "binary": (change(SEED, "split_seed: 0b11"), "in decimals"),
    "sexagesimal": (change(SEED, "split_seed: 1:30:00"), "in decimals"),
    "underscores": (change(SEED, "split_seed: 1_000"), "in decimals"),
    "hexadecimal_of_nothing": (change(SEED, "split_seed: 0x_"), "in decimals"),
    "not_a_number": (change(FRACTION, "train_fraction: .nan"), "expected a finite number|expected 0.05"),
    "infinity": (change(FRACTION, "train_fraction: .inf"), "expected a finite number|expected 0.05"),
    "negative_infinity": (change(FRACTION, "train_fraction: -.inf"), "expected a finite number|expected 0.05"),
    "exponent_without_a_dot": (change(FRACTION, "train_fraction: 8e-1"), "write 1.0e-4"),
    "fraction_above": (change(FRACTION, "train_fraction: 1.5"), "expected 0.05 <= value <= 0.95, got 1.5"),
    "fraction_negative": (change(FRACTION, "train_fraction: -0.5"), "expected 0.05 <= value"),
    "fraction_percent": (change(FRACTION, "train_fraction: 80%"), "expected a number, got '80%'"),
    "fraction_null": (change(FRACTION, "train_fraction: null"), "expected a number, got None"),
    "fraction_list": (change(FRACTION, "train_fraction: [0.8]"), r"expected a number, got \[0.8\]"),
    "seed_negative": (change(SEED, "split_seed: -1"), "expected 0 <= value"),
    "seed_above": (change(SEED, "split_seed: 2147483648"), "expected 0 <= value"),
    "seed_fraction": (change(SEED, "split_seed: 0.5"), "expected a whole number"),
    "seed_truth": (change(SEED, "split_seed: true"), "expected a whole number, got True"),
    "seed_text": (change(SEED, "split_seed: '0'"), "expected a whole number, got '0'"),
    "seed_mapping": (change(SEED, "split_seed: {a: 1}"), "expected a whole number"),
    "tag_of_python": (change(ROOT_LINE, 'root: !!python/object/apply:os.system ["touch pwned"]'), "expected YAML"),
    "tag_of_a_whole_number": (change(SEED, 'split_seed: !!int ""'), "expected YAML"),
    "tag_of_a_float": (change(SEED, "split_seed: !!float abc"), "expected YAML"),
    "tag_of_truth": (change(SEED, "split_seed: !!bool abc"), "expected YAML"),
    "tag_of_a_date": (change(SEED, "split_seed: !!timestamp abc"), "expected YAML"),
    "tag_of_bytes": (change(ROOT_LINE, 'root: !!binary "////"'), "expected text"),
    "tag_of_a_set": (change(SEED, "split_seed: !!set {a}"), "expected a whole number"),
    "date": (change(ROOT_LINE, "root: 2024-01-01"), "data.root: expected text"),
    "date_that_is_none": (change(ROOT_LINE, "root: 2024-13-41"), "month must be in 1..12"),
    "time_that_is_none": (change(ROOT_LINE, "root: 2024-01-01 99:99:99"), "hour must be in 0..23"),
    "character_that_is_none": (change(ROOT_LINE, 'root: "\\UFFFFFFFF"'), "expected YAML"),
    "path_with_a_nul": (change(ROOT_LINE, 'root: "a\\0b"'), "data.root: expected a path of printable"),
    "path_of_two_lines": (change(ROOT_LINE, 'root: "a\\nb"'), "data.root: expected a path of printable"),
    "path_with_half_a_character": (change(ROOT_LINE, 'root: "\\ud800"'), "data.root: expected a path of printable"),
    "path_empty": (change(ROOT_LINE, 'root: ""'), "data.root: expected a path"),
    "path_number": (change(ROOT_LINE, "root: 3"), "data.root: expected text, got 3"),
    "region_above": (change(REGION, "region: ../../x.png"), "data.region: expected a file in the category's"),
    "region_absolute": (change(REGION, "region: /x.png"), "data.region: expected a file in the category's"),
    "region_empty": (change(REGION, 'region: ""'), "data.region: expected a path"),
    "key_of_a_number": (TEXT + "\n1: 2\n", "1: unknown key"),
    "key_of_a_list": (TEXT + "\n? [1]\n: 2\n", "a key that is not plain text"),
    "key_of_a_mapping": (TEXT + "\n? {a: 1}\n: 2\n", "a key that is not plain text"),
    "category_of_a_number": (TEXT + "\n  5: {}\n", "expected names as keys, got 5"),
    "category_of_null": (TEXT + "\n  ~: {}\n", "expected names as keys, got None"),
    "category_no": (TEXT + "\n  no: {}\n", "expected names as keys, got False"),
    "categories_of_truth": (change("categories: [washer]", "categories: [no]"), "expected text, got False"),
    "categories_empty": (change("categories: [washer]", "categories: []"), "at least one value"),
    "categories_alike": (change("categories: [washer]", "categories: [washer, Washer]"), "more than capitals"),
    "categories_many": (change("categories: [washer]", f"categories: {[f'c{n}' for n in range(9999)]}"), "an entry"),
    "categories_shell": (change("categories: [washer]", "categories: ['x; touch pwned #']"), "letters a-z"),
    "categories_above": (change("categories: [washer]", "categories: [../x]"), "letters a-z"),
    "sizes_nested": (change("sizes: [L]", "sizes: [[L]]"), "expected one of S, M, L"),
    "sizes_mapping": (change("sizes: [L]", "sizes: [{L: L}]"), "expected one of S, M, L"),
    "sizes_small": (change("sizes: [L]", "sizes: [l]"), "expected one of S, M, L, got 'l'"),
    "image_size_of_three": (change("image_size: 512", "image_size: [512, 512, 512]"), "expected a side or"),
    "image_size_of_none": (change("image_size: 512", "image_size: []"), "expected a side or"),
    "image_size_of_text": (change("image_size: 512", "image_size: 512px"), "expected a whole number"),
    "image_size_nested": (change("image_size: 512", "image_size: [[512, 512]]"), "expected a whole number"),
    "section_of_text": (change("synthetic:", "elpvs:"), "elpvs: unknown key"),
    "section_null": (TEXT.replace("elpv:   ", "elpv: null\nx:", 1), "unknown key|expected"),
    "long_value": (change(ROOT_LINE, f"root: [{'x' * 10_000}]"), r"data.root: expected text, got .*10\d+ characters"),
    "four_megabytes": (TEXT + "#" * 4_000_000, "at most 4,000,000 bytes"),
}  # fmt: skip
ACCEPTED = {
    "byte_order_mark": "\ufeff" + TEXT,
    "windows_lines": TEXT.replace("\n", "\r\n"),
    "anchor_and_alias": change("  fabric: {train: {cpu: {steps: 200}}}", "  fabric: &f {train: {cpu: {steps: 200}}}")
    + "\n  other: *f\n",
    "merge": change("seeds: [0]", "<<: {seeds: [1]}\nseeds: [0]"),
    "quotes": TEXT.replace("provider: synthetic", 'provider: "synthetic"', 1),
}


def refuse(project, payload: bytes, says: str) -> None:
    (project / "params.yaml").write_bytes(payload)
    outcome = run_stage_script("check_params")
    outcome.check_refused("ParamsError: ", says)
    assert len(outcome.error.splitlines()) == 1
    assert len(outcome.error) < 700


@pytest.mark.parametrize(("text", "says"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_one_line_before_dvc_runs(project, text, says):
    shutil.copytree(ROOT / "recipes", project / "recipes")
    refuse(project, text.encode("utf-8", "surrogatepass"), says)
    assert not (project / "pwned").exists()


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_what_only_looks_unusual_gives_the_same_params(project, text):
    shutil.copytree(ROOT / "recipes", project / "recipes")
    (project / "params.yaml").write_text(text, "utf-8", newline="")
    run_stage_script("check_params").check_accepted()
    if load_params() != load_params(ROOT / "params.yaml"):
        raise SilentAcceptanceError("other params than those of the file")


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (TEXT.encode("utf-16"), "expected YAML in UTF-8"),
        (TEXT.encode("utf-32"), "expected YAML in UTF-8"),
        (b"a: \xe9\n", "expected YAML in UTF-8"),
        (bytes(1000), "expected YAML"),
        (encode(draw(1), "PNG"), "expected YAML in UTF-8"),
        (TEXT.encode()[: len(TEXT) // 2], "missing|expected YAML"),
    ],
)
def test_bytes_that_are_no_text_are_refused(project, payload, says):
    refuse(project, payload, says)


def test_a_folder_a_broken_link_and_nothing_in_its_place_are_refused(project):
    (project / "params.yaml").unlink()
    run_stage_script("check_params").check_refused("ParamsError: expected a params file")
    (project / "params.yaml").mkdir()
    run_stage_script("check_params").check_refused("ParamsError: expected a params file")
    (project / "params.yaml").rmdir()
    (project / "params.yaml").symlink_to("params.yaml")
    run_stage_script("check_params").check_refused("ParamsError: expected a params file")
