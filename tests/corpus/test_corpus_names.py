"""Names of images, whatever they are made of: kept, or refused and written out."""

from functools import partial

import pytest
import yaml
from damage import draw, encode
from products import product
from runs import run_stage_script, write_tree

from efficientad.data.arrays.prepared import load_prepared
from efficientad.data.arrays.pretraining import load_pretraining
from efficientad.pipeline.layout import PRETRAINING

PNG = partial(encode, kind="PNG")
NAMES = ["a b", "a'b", 'a"b',
         "a\nb", "a\x1b[31mb", "a\tb", "öäü", "o\u0308", "日本", "🔩", "a;touch pwned", "$(x)", "`x`",
         "a#b", "a%sb", "{a}", "-o", "--", "a,b", "a\\b", "*", "?", "[a]", "~", "x" * 250, "ö" * 120, "a.png", ".a b",
         "<script>", "&amp;", "null", "0", "CON", "a\u202eb", "\u200b", "=1+1", "\r"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("place", ["good", "crack"])
def test_a_name_is_kept_whatever_it_is_made_of(project, name, place):
    root = project / "raw/part"
    write_tree(root, product() | {f"{place}/{name}.png": PNG(draw(60))})
    outcome = run_stage_script("prepare", "part")
    outcome.check_accepted()
    rows = load_prepared(project / "data/prepared/part").rows
    assert f"{place}/{name}.png" in {row.name for row in rows} or name.startswith(".")
    assert outcome.printed.replace("\n", "").isprintable()


def test_a_name_that_is_no_utf8_is_refused_and_shown(project):
    write_tree(project / "raw/part", product())
    (project / "raw/part/good/caf\udce9.png").write_bytes(PNG(draw(60)))
    run_stage_script("prepare", "part").check_refused("expected a file name in UTF-8", r"caf\\udce9.png")


ODD = "cr\x1b[31mack"


@pytest.mark.parametrize(
    ("name", "says"), [(f"{ODD}/0.png", r"cr\\x1b\[31mack/0.png"), ("crack/\x1b[2J.png", r"crack/\\x1b\[2J.png")]
)
def test_a_name_that_moves_the_cursor_is_written_out_where_its_image_is_refused(project, name, says):
    write_tree(project / "raw/part", product() | {name: PNG(draw(60))[:60]})
    run_stage_script("prepare", "part").check_refused(says)


def test_a_photograph_whose_name_is_no_utf8_is_left_out_and_named(project, params_text):
    tree = yaml.safe_load(params_text)
    tree["pretraining"]["count"] = 4
    (project / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    write_tree(project / "photographs", {f"{index}.png": PNG(draw(index)) for index in range(3)})
    (project / "photographs/caf\udce9.png").write_bytes(PNG(draw(9)))
    outcome = run_stage_script("pretraining")
    outcome.check_accepted()
    assert r"caf\udce9.png: expected a file name in UTF-8" in outcome.printed
    assert len(load_pretraining(PRETRAINING).images) == 3
