"""How well the counts of articles are read, and how damaged texts fare.

Run: python benchmarks/read_text.py [--folder FOLDER] [--damaged 1000]

A folder has passages.jsonl (id, date, sentences) and gold.csv (passage_id, sent, count, qualifier, low, high, start,
end, unit, optional, alt); left out, the fifteen made-up passages of tests/data/articles. A count is found if its
sentence and its number agree with a row of the gold table; a day either way is accepted at the ends of windows.
"""

import argparse
import csv
import datetime as dt
import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import escalation

HERE = Path(__file__).resolve().parents[1] / "tests" / "data" / "articles"
WANTED = {"found": 0.88, "+ qualifier": 0.86, "+ unit": 0.82, "+ window": 0.70, "all": 0.60}
PRECISION, HIGH_SHARE, HIGH_RIGHT = 0.93, 0.40, 0.80
LONGEST = 2.0
"""Seconds of processor that a damaged text may take."""
MARKED_HIGH = 0.72
RATES = ("daily", "weekly", "monthly")
NEAR = (
    "strikes raids operations rounds bombings bombardments",
    "targets sites locations places bases camps checkpoints villages towns cities settlements schools clinics websites",
    "violations breaches incursions intrusions",
    "killed deaths dead",
    "injured wounded",
    "kidnapped hostages",
    "aircraft flights sorties planes",
    "shells mortars",
    "explosions blasts",
    "vessels ships",
    "munitions bombs",
    "released people",
    "incidents cases reports",
)
"""Each line is one unit, in several words."""
SAME = {word: line.split()[0] for line in NEAR for word in line.split()}


@dataclass(frozen=True)
class Scores:
    """Precision, recall and F1 of each part, and how the rows marked high fare."""

    parts: dict[str, tuple[float, float, float]]
    high_share: float
    high_right: float
    seconds: float


def options(row: dict[str, str], field: str) -> set[str]:
    """The accepted values of a field of the gold table."""
    parts = (part.strip().split("=") for part in row["alt"].split(";") if "=" in part)
    return {row[field], *(value for name, value in parts if name == field)}


def number_agrees(row: dict[str, str], read: dict[str, str]) -> bool:
    """Whether number, range or word agree."""
    if read["low"] and read["high"]:
        return (read["low"], read["high"]) == (row["low"], row["high"])
    if read["count"]:
        return read["count"] in options(row, "count")
    words = options(row, "qualifier")
    if read["qualifier"].endswith(RATES):
        return not row["count"] and not row["low"] and any(word.endswith(RATES) for word in words)
    return not row["count"] and not row["low"] and read["qualifier"] in words


def window_agrees(row: dict[str, str], read: dict[str, str]) -> bool:
    """Whether both ends agree to a day, or the text does not say."""
    for field in ("start", "end"):
        accepted = options(row, field)
        if "" in accepted or "-" in accepted:
            continue
        if not read[field]:
            return False
        day = dt.date.fromisoformat(read[field])
        if not any(abs((day - dt.date.fromisoformat(one)).days) <= 1 for one in accepted):
            return False
    return True


def unit_agrees(row: dict[str, str], read: dict[str, str]) -> bool:
    """Whether the units are the same or near words."""
    return SAME.get(read["unit"], read["unit"]) in {SAME.get(one, one) for one in options(row, "unit")}


PARTS = {
    "found": number_agrees,
    "+ qualifier": lambda row, read: read["qualifier"] in options(row, "qualifier"),
    "+ unit": unit_agrees,
    "+ window": window_agrees,
}


def pairs(gold: list[dict[str, str]], read: list[dict[str, str]], sentences: list[str]) -> list[tuple[int, int]]:
    """One row of the gold table for each count read, the best agreement first."""
    scored = []
    for at, one in enumerate(read):
        for to, row in enumerate(gold):
            if sentences[int(row["sent"]) - 1] in one["sentence"] and number_agrees(row, one):
                worth = sum(agrees(row, one) for agrees in PARTS.values()) + (0 if row["optional"] == "1" else 10)
                scored.append((-worth, at, to))
    taken_read, taken_gold, found = set(), set(), []
    for _, at, to in sorted(scored):
        if at not in taken_read and to not in taken_gold:
            taken_read.add(at)
            taken_gold.add(to)
            found.append((at, to))
    return found


def measure(folder: Path) -> Scores:
    """Read the passages of a folder and score what was read."""
    with (folder / "gold.csv").open(encoding="utf-8", newline="") as stream:
        gold = list(csv.DictReader(stream))
    with (folder / "passages.jsonl").open(encoding="utf-8") as stream:
        passages = [json.loads(line) for line in stream]
    right = dict.fromkeys([*PARTS, "all"], 0)
    predicted, high, high_right, seconds = 0, 0, 0, 0.0
    escalation.read_article("One attack.", published="2024-01-01")  # tables are loaded once
    for passage in passages:
        begun = time.perf_counter()
        tallies, _ = escalation.read_article(" ".join(passage["sentences"]), published=passage["date"])
        seconds += time.perf_counter() - begun
        read = as_text(tallies)
        rows = [row for row in gold if row["passage_id"] == passage["id"]]
        found = dict(pairs(rows, read, passage["sentences"]))
        for at, one in enumerate(read):
            row = rows[found[at]] if at in found else None
            if row is not None and row["optional"] == "1":
                continue
            agreed = {name: row is not None and agrees(row, one) for name, agrees in PARTS.items()}
            agreed["all"] = all(agreed.values())
            predicted += 1
            for name, good in agreed.items():
                right[name] += good
            if float(one["confidence"]) >= MARKED_HIGH:
                high, high_right = high + 1, high_right + agreed["all"]
    wanted = sum(row["optional"] != "1" for row in gold)
    parts = {name: rates(good, predicted, wanted) for name, good in right.items()}
    return Scores(parts, high / max(predicted, 1), high_right / max(high, 1), seconds / len(passages))


def as_text(tallies: pd.DataFrame) -> list[dict[str, str]]:
    """Rows with all cells as text."""
    return escalation.articles.keep_reviewed(tallies.iloc[:0], tallies).to_dict("records")


def rates(good: int, predicted: int, wanted: int) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    precision, recall = good / max(predicted, 1), good / max(wanted, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


WORDS = (
    "killed",
    "attack",
    "12",
    "since",
    "the",
    "Monday",
    ",",
    ".",
    ";",
    "(",
    ")",
    "-",
    "no",
    "one",
    "twice",
    "dozens",
    "24-hour",
    "of",
    "\u2013",
    "\u201c",
    "$",
    "3.5",
    "%",
    "up",
    "from",
    "to",
    "between",
    "and",
    "F-16",
    "\n",
    "\t",
    "|",
    "7/10/23",
    "\u00ad",
    "\u200b",
)
FOREIGN = (
    "El ejército dijo que tres soldados murieron y doce resultaron heridos en dos ataques el lunes. ",
    "Die Armee meldete am Montag 14 Angriffe, bei denen drei Soldaten getötet und 12 verletzt wurden. ",
    "Армия сообщила о 12 атаках в понедельник, трое военных погибли. ",
    "قال الجيش إن ثلاثة جنود قتلوا في هجومين يوم الاثنين. ",
    "陆军表示，周一的两次袭击造成三名士兵死亡，12人受伤。",
)


def damaged(seed: int, texts: list[str]) -> str:
    """A text with something wrong with it: encodings, tables, no ends of sentences, another language, great length."""
    rng = random.Random(seed)
    text = rng.choice(texts)
    kind = seed % 10
    if kind == 0:
        return text.encode("utf-8").decode(rng.choice(["latin-1", "cp1252", "cp437"]), errors="replace")
    if kind == 1:
        rows = "".join("\t".join(str(rng.randint(0, 999)) for _ in range(6)) + "\n" for _ in range(rng.randint(1, 80)))
        at = rng.randrange(len(text))
        return text[:at] + "\n" + rows + text[at:]
    if kind == 2:
        return text.replace(". ", " ").replace("\n", " ") * rng.randint(1, 60)
    if kind == 3:
        return rng.choice(FOREIGN) * rng.randint(1, 300)
    if kind == 4:
        return (text + "\n") * (1_000_000 // (len(text) + 1)) if seed % 50 == 4 else text * rng.randint(1, 30)
    if kind == 5:
        tags = [
            "<p>",
            "</div>",
            "<article>",
            "<td>",
            "<!--",
            "-->",
            "<script>",
            "</p>",
            "<li>",
            "&nbsp;",
            "&#8217;",
            "<a href='",
        ]
        return "<html><body>" + "".join(word + rng.choice([" ", " ", rng.choice(tags)]) for word in text.split(" "))
    if kind == 6:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3_000)))
    if kind == 7:
        return "".join(
            chr(rng.choice([rng.randint(0, 255), rng.randint(0, 0x2FFF), ord(rng.choice(text))])) for _ in text
        )
    if kind == 8:
        words = text.split(" ")
        rng.shuffle(words)
        return " ".join(words) + text.upper()
    at = sorted(rng.randrange(len(text)) for _ in range(4))
    return text[: at[0]] + text[at[1] : at[2]] + "9" * rng.randint(1, 400) + text[at[3] :]


def attempt(text: str, date: str | None) -> tuple[str, float]:
    """What became of a damaged text, and the seconds of processor it took."""
    begun = time.process_time()
    try:
        tallies, ledger = escalation.read_article(text, published=date)
        said = "read" if len(tallies) else "nothing found"
        if len(ledger) and ledger["why"].str.startswith("in another language").any():
            said = "another language"
    except escalation.EscalationError:
        said = "refused"
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    return said, time.process_time() - begun


def seeds_of(folder: Path) -> list[str]:
    """Texts to damage."""
    with (folder / "passages.jsonl").open(encoding="utf-8") as stream:
        return [" ".join(json.loads(line)["sentences"]) for line in stream]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=HERE)
    parser.add_argument("--damaged", type=int, default=0)
    given = parser.parse_args()
    scores = measure(given.folder)
    print(f"{'':12} precision  recall     F1  wanted")
    for name, (precision, recall, f1) in scores.parts.items():
        print(f"{name:12} {precision:9.3f} {recall:7.3f} {f1:6.3f} {WANTED[name]:7.2f}")
    print(f"marked high: {scores.high_share:.0%} of the rows, all right in {scores.high_right:.0%}")
    print(f"{1000 * scores.seconds:.0f} ms an article")
    if not given.damaged:
        return 0
    texts, outcomes, slowest = seeds_of(HERE), {}, 0.0
    for seed in range(given.damaged):
        said, seconds = attempt(damaged(seed, texts), None if seed % 3 == 0 else "2024-05-01")
        outcomes[said] = outcomes.get(said, 0) + 1
        slowest = max(slowest, seconds)
    print(f"{given.damaged} damaged texts: {outcomes}; slowest {slowest:.2f} s (limit {LONGEST} s)")
    return int(slowest > LONGEST or not set(outcomes) <= {"read", "nothing found", "another language", "refused"})


if __name__ == "__main__":
    sys.exit(main())
