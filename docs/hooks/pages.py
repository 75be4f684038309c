"""Makes pages of the site out of the repository's files as they are on a code host."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
# Files of the root, and what they are in the site. There is a security.md, and some file systems ignore case.
OF_THE_ROOT = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "reporting.md",
    "LICENSE": "licence.txt",
}
_LINK = re.compile(r"\]\((?!\w+:|#)([^)#]+)(#[^)]*)?\)")
_TIER = re.compile(r"^```bash \w+$", re.MULTILINE)  # names the tests that run the block


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the root."""
    for name, page in OF_THE_ROOT.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Return a page whose links lead to pages of the site."""
    folder = ROOT if page.file.src_uri in OF_THE_ROOT.values() else ROOT / "docs"
    return _TIER.sub("```bash", _LINK.sub(lambda link: f"]({_in_the_site(folder, link[1])}{link[2] or ''})", markdown))


def _in_the_site(folder: Path, link: str) -> str:
    path = (folder / link).resolve().relative_to(ROOT).as_posix()
    return OF_THE_ROOT.get(path, path.removeprefix("docs/"))
