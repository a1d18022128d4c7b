"""The pages of the documentation as data: their code blocks in order, their headings and their links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LANGUAGES = {
    "python": "is run; `# → ` says what it prints; one that begins with `# name.py` is that file too",
    "console": "is run; what follows a command is what it prints, `…` standing for anything",
    "sh": "is checked: commands and options of `pyworkflow` and `run` exist",
    "ini": "is read",
    "mermaid": "is a picture",
    "text": "is for people",
}

_FENCE = re.compile(r"^(\s*)(`{3,})(.*)$")
_LINK = re.compile(r"(?<!\\)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)|<img[^>]*\ssrc=\"([^\"]+)\"")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `line` is where its code begins."""

    page: Path
    line: int
    language: str
    code: str

    @property
    def file(self) -> str | None:
        """The name of the file that a Python block is, None where it is none."""
        found = re.match(r"# (\w+\.py)\n", self.code)
        return found[1] if found and self.language == "python" else None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    opened: tuple[str, str, int, list[str]] | None = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened = (fence[2], fence[3].strip(), number + 1, [])
        elif opened is not None and line.strip() == opened[0]:
            found.append(Block(page, opened[2], opened[1], "".join(f"{each}\n" for each in opened[3])))
            opened = None
        elif opened is not None:
            opened[3].append(line)
    assert opened is None, f"{page.name}:{opened and opened[2]}: the block is not closed"
    return found


def prose(page: Path) -> str:
    """A page without its fenced blocks and its code spans."""
    text = re.sub(r"^\s*```.*?^\s*```\s*?$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(`+)(?:(?!\1).)+?\1", "`…`", text, flags=re.DOTALL)


def links(page: Path) -> list[str]:
    """Where a page points to."""
    return [first or second for first, second in _LINK.findall(prose(page))]


def anchors(page: Path) -> set[str]:
    """What can be pointed to in a page, as GitHub names its headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
        copies = sum(each == slug or re.fullmatch(rf"{re.escape(slug)}-\d+", each) is not None for each in found)
        found.add(f"{slug}-{copies}" if copies else slug)
    return found
