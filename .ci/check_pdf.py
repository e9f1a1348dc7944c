"""Check that a report is a whole PDF of four pages, a brief: python3 .ci/check_pdf.py report.pdf."""

import re
import sys
from pathlib import Path

PAGES = 4


def main(path: str) -> int:
    content = Path(path).read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    whole = content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    print(f"{path}: {len(content):,} bytes, {pages} pages" + ("" if whole else ", not a whole PDF"))
    return 0 if whole and pages == PAGES else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
