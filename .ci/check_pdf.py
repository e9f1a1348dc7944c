"""Check that a report is a PDF of at least six pages: python3 .ci/check_pdf.py report.pdf."""

import re
import sys
from pathlib import Path

FEWEST_PAGES = 6


def main(path: str) -> int:
    content = Path(path).read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    whole = content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    print(f"{path}: {len(content):,} bytes, {pages} pages" + ("" if whole else ", not a whole PDF"))
    return 0 if whole and pages >= FEWEST_PAGES else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
