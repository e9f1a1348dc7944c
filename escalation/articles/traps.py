"""Numbers that count nothing that happened: money, ages, distances, shares, names, parts of dates, plans and threats."""

from __future__ import annotations

import re

from escalation.articles.phrases import MODALS, Parsed, Phrase
from escalation.articles.word_lists import word_set

CURRENCIES = (
    r"(?:US )?(?:dollars?|euros?|pounds?|naira|rupees?|baht|won|shillings?|yen|yuan|rubles?|roubles?|hryvnias?|pesos?|rials?|riyals?|"
    r"dinars?|francs?|shekels?|lira|rand|cents?|kroner|kronor|crowns?|zloty|taka|birr|cedis?|bitcoins?)\b"
)
MEASURES = (
    r"(?:mm|cm|m|km|kg|lbs?|ft|mph|kph|metres?|meters?|kilometres?|kilometers?|miles?|nautical|knots?|tonnes?|tons?|feet|foot|inch(?:es)?|"
    r"hectares?|acres?|litres?|liters?|barrels?|gallons?|degrees?|megawatts?|MW|GW|gigabytes?|GB|terabytes?|kilograms?|kilos?|"
    r"square|cubic|pages?|points?|votes?|seats?|yards?|calib(?:re|er)|decibels?|volts?)\b"
)
DURATIONS = r"(?:seconds?|minutes?|hours?|days?|nights?|weeks?|fortnights?|months?|quarters?|years?|decades?|century|centuries|weekends?|times? zones?)\b"
AFTER: tuple[tuple[str, str], ...] = (
    (r"\s?(?:%|per ?cent\b|percent\b|percentage)", "a percentage"),
    (rf"(?:\s(?:million|billion|trillion|bn|m))?\s{CURRENCIES}", "money"),
    (r"\s?(?:bn|bln|trn)\b", "money"),
    (r"[- ]?(?:year|month|week|day)s?[- ]olds?\b|\s?years old\b|\syears of age\b", "an age"),
    (rf"[- ]?{MEASURES}", "a measure"),
    (rf"(?:[- ]|\s(?:full|consecutive|straight|more|whole|long|other)\s){DURATIONS}", "a length of time"),
    (r"(?::\d\d|\s?(?:a\.m\.|p\.m\.|am\b|pm\b|o'clock))", "a time of day"),
    (r"\s(?:in|of every|in every)\s(?:\d{1,3}(?![\d,])(?! (?:January|Feb|March|April|May|June|July|Aug|Sept|Oct|Nov|Dec))|two|three|four|five|six|seven|eight|nine|ten|a hundred|every)\b(?!\s(?:days|weeks|months|hours|years|nights))", "a share"),
    (r"(?:-|\s)(?:fold|thirds?|quarters?|fifths?)\b", "a share"),
    (r"\stimes\s(?:as|the|more|higher|larger|greater|that|what|its|lower|bigger)\b", "a ratio"),
    (r"\s(?:as many as|as much as|as many)\b", "a ratio"),
    (r"\srounds? of (?:ammunition|talks|negotiations|votes|voting|elections?|sanctions|layoffs|funding|diplomacy|consultations)\b", "no attack"),
    (r"\s(?:rounds?|bullets?|cartridges?) (?:of ammunition|in)\b", "a stock"),
)  # fmt: skip
BEFORE: tuple[tuple[str, str], ...] = (
    (r"(?:[$€£¥₦₹₽₴]|\b(?:USD|EUR|GBP|NIS|Rs|N)\s?|[A-Z]{0,2}\$)\s?$", "money"),
    (r"\b(?:Article|Resolution|Section|Chapter|Act|Decree|Highway|Route|Flight|Unit|Brigade|Battalion|Room|Gate|Page|Phase|Level|"
     r"Stage|Type|Model|Mark|Group|Channel|Protocol|Order|Camp|Zone|Block|Sector|Line|Area|Site|Day|Week|Operation|Task Force|Boeing|Airbus|No\.?|Nos\.?|number|#|§)\s?$", "a name"),
    (r"\b(?:aged?|age of)(?:\s\w+)?\s$", "an age"),
    (r"(?:^|[^\w])(?:[A-Za-z]+|[A-Z]+\d*)[-/]$", "a name with a number"),
    (r"[\d+]\s?[-/(]\s?$|\+$", "a telephone number, score or code"),
    (r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|\d+) (?:in|of every|in every) (?:every )?$", "a share"),
    (r"\b\d\d?:$", "a time of day"),
    (r"\b(?:first|second|last|latest) of (?:the |its |about |some |up to )?$", "a stock or a plan"),
    (r"\b(?:population|capacity|crew|staff|strength|force|team|group|squad|panel|crowd|convoy|fleet|budget|membership|garrison) of (?:about |some |around |nearly |roughly |over |more than |up to |almost )?$", "a stock, a crew or a force"),
)  # fmt: skip
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_OF_A_NAME = re.compile(
    rf"(?:^|[^.])\b(?!(?:{_MONTHS}|In|On|By|At|From)\b)"
    r"[A-Z][\w'’-]+ (?:(?:[a-z]{2,3}|[A-Z]\.) ){0,2}"
    rf"(?!(?:{_MONTHS}|\w+day)\b)[A-Z][\w'’-]+, $"
)
"""Two names of a person, before an age between commas."""
AGES = range(1, 111)
STOPS = word_set("after when where because while which who whom that as although though but since amid despite if")
PLANS = word_set(
    "plan plans planned planning threaten threatens threatened threatening vow vows vowed pledge pledges "
    "pledged promise promises promised expect expects expected intend intends intended hope hopes hoped "
    "want wants wanted need needs needed prepare prepares preparing aim aims propose proposes proposed "
    "propose warn ready order ordered ask asked request requested seek seeks sought demand demands "
    "demanded due if unless capable able likely feared fears fear urge urged"
)
STOCKS = word_set(
    "have has had possess possesses possessed own owns owned receive received receives deliver delivered "
    "deliver supply supplied buy bought sell sold donate donated produce produced build built stockpile "
    "stockpiled store stored need needs purchase purchased acquire acquired found recovered confiscated "
    "patrol patrols commands employ hold holds number deploy deploys deployed stationed"
)


def format_trap(parsed: Parsed, phrase: Phrase) -> str:
    """Say what a number stands for that its form or neighbours show to be no count; blank where they do not."""
    number, text = phrase.number, parsed.sentence.text
    begin, end = parsed.tokens[number.first].begin, parsed.tokens[number.last - 1].end
    after, before = text[end : end + 40], text[max(parsed.mask, begin - 30) : begin]
    for pattern, reason in AFTER:
        if number.kind in ("cardinal", "word", "ordinal") and re.match(pattern, after):
            if reason == "a length of time" and number.kind == "ordinal":
                return "a rank"
            return reason
    for pattern, reason in BEFORE:
        if re.search(pattern, before) and not (reason == "a name" and before.lower().endswith("number ")):
            return reason
    if not number.whole:
        return "no whole number"
    if (
        re.match(r"[A-Za-z]|-[A-Z\d]|/\d|\.\d", after)
        and number.kind == "cardinal"
        and parsed.tokens[number.last - 1].text[0].isdigit()
    ):
        return "a name with a number"
    if _is_year(parsed, phrase):
        return "a year"
    if (
        number.kind == "cardinal"
        and after.startswith((",", "."))
        and _OF_A_NAME.search(before)
        and number.count in AGES
    ):
        return "an age"
    return ""


def _is_year(parsed: Parsed, phrase: Phrase) -> bool:
    figures = parsed.between(phrase.number.first, phrase.number.last)
    if re.fullmatch(r"(?:19|20)\d\d", figures) is None or phrase.hedged:
        return False
    after = parsed.tokens[phrase.number.last].text[:1] if phrase.number.last < len(parsed.tokens) else ""
    return (
        phrase.noun is None
        or after.isupper()
        or parsed.word(phrase.number.first - 1) in ("the", "in", "of", "its", "their")
    )


def supposed(parsed: Parsed, phrase: Phrase) -> str:
    """Say whether what is counted is a plan, a threat, an order or a supposition; blank where it happened or is claimed."""
    at, steps = phrase.first - 1, 0
    while at >= 0 and steps < 14:
        word = parsed.word(at)
        if (
            word in (";", ":", "(", ")")
            or (word in STOPS and word != "if")
            or (word == "," and steps > 0 and _new_clause(parsed, at))
        ):
            break
        if _is_modal(parsed, at):
            return "a plan, a threat or a supposition"
        if word in PLANS and word not in ("order", "warn", "need", "aim") and at not in parsed.timed:
            return "a plan, a threat or a supposition"
        at, steps = at - 1, steps + 1
    for after in range(phrase.last, min(phrase.last + 5, len(parsed.tokens))):
        word = parsed.word(after)
        if word in (",", ";", ":", "and", "but", ".") or word in STOPS:
            break
        if _is_modal(parsed, after) or (
            word in ("planned", "expected", "due", "needed", "feared")
            and parsed.word(after + 1) in ("to", "for", ".", ",", "")
        ):
            return "a plan, a threat or a supposition"
    return ""


def _is_modal(parsed: Parsed, at: int) -> bool:
    token = parsed.tokens[at]
    return (
        token.lower in MODALS and token.text != "May" and not (token.lower == "will" and parsed.word(at - 1) == "the")
    )


def _new_clause(parsed: Parsed, at: int) -> bool:
    """Say whether a comma ends a clause rather than parts two items of a list."""
    after = parsed.word(at + 1)
    return after in ("and", "but", "while") and parsed.verb(at + 2) is None


_CLAIM = (
    r"(?:(?!but\b|after\b)[\w'’-]+ ){0,3}?(?:reports?|claims?|allegations?|accusations?|suggestions?|estimates?|figures?|"
    r"accounts?|that)\b"
)
_DENIED = re.compile(
    rf"\b(?:(?:den(?:y|ies|ied|ying)|dismiss(?:es|ed|ing)?|refut(?:es|ed|ing)|reject(?:s|ed|ing)?) {_CLAIM}"
    r"|den(?:y|ies|ied|ying) (?:having |ever )?(?!wrongdoing|anything|everything|nothing)\w+ing\b"
    r"|reject(?:s|ed|ing)? as (?:false|untrue|baseless|fabricated)\b|no truth (?:in|to)\b)[^.;]*$",
    re.IGNORECASE,
)
_EARLIER_VERSION = re.compile(
    r"\b(?:an? |the )?(?:earlier|previous|first|original) versions? of (?:this|the) (?:article|story|report|text|piece)\b"
    r"|\bhad (?:earlier|previously|at first|initially|first) (?:spoken|said|reported|put|given|claimed|stated|announced)\b"
    r"[^.;]*$",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(r"\b(?:correct(?:ed|s|ing)|revis(?:ed|es|ing)|withdrew|withdrawn|retract\w*|lowered)\b")


_FROM = re.compile(
    r"(?:,? from|\b(?:earlier|previous|initial|first) (?:count|toll|figure|tally|estimate|number|report) of) "
    r"(?:about |some |around |at least |nearly )?$"
)


def taken_back(parsed: Parsed, phrase: Phrase) -> str:
    """Say whether a sentence denies or takes back what is counted in it; blank where it does not.

    A denial reaches to the end of its clause; what an earlier version of the article said is not said any more, nor is
    what somebody "had earlier" said in a sentence that corrects it.
    """
    text = parsed.sentence.text
    begin = parsed.tokens[phrase.number.first].begin
    before, after = text[:begin], text[begin:]
    denied = _DENIED.search(before)
    if denied is not None and not re.search(r"\b(?:but|while|after|when|saying|although|and said)\b", denied[0]):
        return "a claim that is denied"
    earlier = _EARLIER_VERSION.search(before)
    if earlier is not None and ("version" in earlier[0].lower() or _TAKEN_BACK.search(after)):
        return "a number that is taken back"
    if _FROM.search(before) and _TAKEN_BACK.search(before):
        return "a number that is taken back"
    return ""


def stocked(parsed: Parsed, phrase: Phrase) -> bool:
    """Say whether a verb of having, buying or finding governs the number."""
    for at in range(phrase.first - 1, max(-1, phrase.first - 5), -1):
        word = parsed.word(at)
        if word in STOCKS:
            return True
        if word in (",", ";", "and") or parsed.verb(at) is not None:
            return False
    return False
