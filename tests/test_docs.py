"""Every link and every path on a page leads somewhere, README stays short."""

import re

import pytest
import yaml
from import_closure import ROOT
from markdown_pages import find_file, list_pages, list_quoted, read_page

PAGES = list_pages()
LINKS = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^):]+)\)", read_page(page))]
FOLDERS = "src|tests|stages|benchmarks|docs|cpp|tools|data|model|teacher|training|calibration|evaluation|deploy"
PATHS = [
    (page, quoted)
    for page in PAGES
    for quoted in list_quoted(read_page(page))
    if re.fullmatch(rf"({FOLDERS}|pipeline)/[\w/.-]*", quoted)
]
WRITTEN_BY_A_RUN = ("data/raw/", "data/prepared", "data/pretraining", "cpp/build")


def find_anchor(heading: str) -> str:
    """Return the anchor that a forge gives a heading.

    >>> find_anchor("The paper's training, and detector")
    'the-papers-training-and-detector'
    """
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_every_link_leads_to_a_file_and_its_heading(page, link):
    name, _, anchor = link.partition("#")
    target = (ROOT / page).parent / name if name else ROOT / page
    assert target.exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
        assert anchor in [find_anchor(heading) for heading in headings]


@pytest.mark.parametrize(("page", "path"), PATHS)
def test_every_path_leads_to_a_file(page, path):
    assert path.startswith(WRITTEN_BY_A_RUN) or find_file(path, page)


def test_there_are_links_and_paths():
    assert len(LINKS) > 40
    assert len(PATHS) > 20


@pytest.mark.parametrize("path", ["src/efficientad/params.py", "docs/none.md", "training/defects.py"])
def test_a_path_to_nothing_is_noticed(path):
    assert not find_file(path, "README.md")


def test_readme_can_be_read_in_five_minutes():
    assert len(read_page("README.md").split()) <= 900


def test_readme_says_on_its_first_screen_how_the_default_differs_from_the_paper():
    lines = read_page("README.md").splitlines()
    headings = [line for line in lines if line.startswith("## ")]
    assert headings[0] == "## The default is not the paper's method"
    rows = [number for number, line in enumerate(lines, start=1) if line.startswith("| score |")]  # the last row
    assert rows and rows[0] <= 40


def test_pages_name_no_folder_of_a_machine():
    for page in PAGES:
        assert not re.search(r"(^|[\s`(])/(work|tmp|root|home)/", read_page(page)), page


def list_cells(page: str, section: str) -> list[str]:
    """Return the names in the first column of the table below a heading."""
    text = read_page(page).split(section)[1]
    return re.findall(r"^\| `([\w./]+)` \|", text.split("\n\n## ")[0], re.MULTILINE)


def test_architecture_has_every_folder_of_the_package_and_every_stage():
    package = ROOT / "src/efficientad"
    folders = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert {*list_cells("ARCHITECTURE.md", "# Architecture")} == folders | {"cli.py", "errors.py"}
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
    assert list_cells("ARCHITECTURE.md", "## Stages") == [*stages]
