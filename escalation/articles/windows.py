"""Which expression of time dates which number: by clause and not by distance, and by the course of the article."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from escalation.articles.decisions import Decision
from escalation.articles.left_out import is_trapped
from escalation.articles.phrases import Parsed, Phrase
from escalation.articles.story import SHORT, Story, Window, compared, leads_speech, spoken
from escalation.articles.times import calendar
from escalation.articles.times.calendar import DAY, Days
from escalation.articles.times.expressions import Expression, back
from escalation.articles.word_lists import word_set

_BREAK = re.compile(
    r"[;:]|\s-\s|,\s(?:while|but|although|though|whereas|and\s(?:the|a|an|in|on)\b)|\b(?:after|when|before|because|which|who|where|while|since|that|prior|until)\b"
)
_RECORD = re.compile(r"\b(?:\w{3,}est|most|fewest|for the first time|record|the first)\b\s?(?:[\w-]+\s){0,4}$")
_LINKED = re.compile(r"\b(?:from|than|against|compared (?:with|to)|versus)\s(?:\w+\s)?(?:[\d,]+(?: and|,)? )*$")
_TOTAL = re.compile(
    r"\b(?:bring|brings|bringing|raise|raises|raising|taking|pushing|lifting|brought|raised)\b.*\b(?:total|toll|number|tally|count|figure)\b"
)
FIGHTING = word_set("war hostilities conflict fighting campaign unrest crisis escalation violence offensive")
_SOFT = re.compile(r",|\band\b|\bor\b")
CUMULATIVE = re.compile(
    r"\b(?:in all|so far|to date|in total|altogether|overall|"
    r"cumulative(?:ly)?|a total of|total(?:s|led|ed)?|up to now|"
    r"(?:has|have)(?:\s(?:now|also|already|been|so far))*\s\w+(?:ed|en|wn|de|ck|ne|id|ut|un|ld|nt|st|pt)?)\b"
)


def window_of(
    parsed: Parsed,
    position: int,
    decisions: Sequence[Decision],
    windows: Sequence[Window | None],
    story: Story,
) -> Window:
    """The window of one counted number.

    Parameters
    ----------
    parsed : Parsed
        The sentence.
    position : int
        Which of its numbers.
    decisions : sequence of Decision
        What its numbers count.
    windows : sequence of Window or None
        Of the numbers before it in the sentence.
    story : Story
        What the sentences before have said.
    """
    phrase = parsed.phrases[position]
    back_then = _when(parsed, phrase)
    if back_then is not None:
        return Window(back_then, 0.85, "the time that a clause with when goes on about", stated=True)
    usable = [one for one in parsed.times if _dates(parsed, one, phrase, story)]
    chosen, confidence, rule = _choose(parsed, position, decisions, usable)
    if chosen is not None:
        same = [window for window in windows if window is not None and window.source is chosen]
        if same and phrase.number.kind != "ordinal" and chosen.kind != "since":
            return Window(same[-1].days, confidence, rule, stated=True, source=chosen)
        days = _resolve(parsed, chosen, position, usable, windows, story)
        if days is not None:
            days = _bounded(parsed, position, chosen, days, usable, story)
            if story.known is None and chosen.kind == "since":
                return Window(
                    (days[0], None), 0.4, f"{rule}, up to a day of publication that is not known", stated=True
                )
            return Window(days, confidence, rule, stated=True, source=chosen)
        if story.known is None:
            return Window((None, None), 0.2, f"{rule}, relative to a day of publication that is not known")
    return _from_story(parsed, position, decisions, windows, story)


def _when(parsed: Parsed, phrase: Phrase) -> Days | None:
    """Days of the time that a clause with "when" goes on about: the deadliest since October, when 32 died."""
    text, begin = parsed.sentence.text, parsed.tokens[phrase.first].begin
    for one in parsed.times:
        days = one.point or one.days
        if one.end < begin < one.end + 60 and days and re.match(r",\swhen\b[^,;]*$", text[one.end : begin]):
            return days
    return None


def _dates(parsed: Parsed, one: Expression, phrase: Phrase, story: Story) -> bool:
    """Say whether an expression can date a number: no date of speaking, no rank's "lowest since"."""
    if one.begin < parsed.mask or one.kind in ("skip", "reference", "stretch"):
        return False
    if (
        one.kind in ("since", "since_noun", "since_then")
        and phrase.number.kind != "ordinal"
        and _RECORD.search(parsed.sentence.text[: one.begin])
    ):
        return False
    return not spoken(parsed, one) and not (story.event and leads_speech(parsed, one, phrase))


def _choose(
    parsed: Parsed, position: int, decisions: Sequence[Decision], usable: Sequence[Expression]
) -> tuple[Expression | None, float, str]:
    """The expression of the sentence that dates a number, how surely, and by which rule."""
    text, phrase = parsed.sentence.text, parsed.phrases[position]
    begin, end = parsed.tokens[phrase.first].begin, parsed.tokens[phrase.last - 1].end
    counted = [at for at, one in enumerate(decisions) if one.unit]
    listed = [at for at, one in enumerate(decisions) if one.unit or not is_trapped(one)]
    after = [parsed.tokens[parsed.phrases[at].first].begin for at in listed if at > position]
    before = [parsed.tokens[parsed.phrases[at].last - 1].end for at in counted if at < position]
    following, previous = min(after, default=len(text)), max(before, default=parsed.mask)
    right = [one for one in usable if end <= one.begin < following]
    left = [one for one in usable if previous <= one.begin and one.end <= begin]
    near = [one for one in right if not _BREAK.search(text[end : one.begin]) and not _of_comparison(text, one)]
    close = [one for one in left if not re.search(r"[;:]|\s-\s", text[one.end : begin])]
    if (
        before
        and compared(parsed, parsed.phrases[max(at for at in counted if at < position)])
        and not compared(parsed, phrase)
    ):
        close = []
    longer = [one for one in close if one.kind in ("since", "period")]
    if close and close[-1].kind == "asof" and longer and not near:
        return longer[-1], 0.85, "time before it in the clause"
    if near and close and _turns(text, end, near[0], following, len(text)):
        return close[-1], 0.85, "time before it in the clause"
    if near:
        return _first_of(near, phrase), 0.93, "time after it in the clause"
    if close:
        return close[-1], 0.88, "time before it in the clause"
    if right and not re.search(r"[;:]|\b(?:before|prior|until)\b", text[end : right[0].begin]):
        return right[0], 0.7, "time in a clause that depends on it"
    trailing = [one for one in usable if one.begin >= end]
    if (
        trailing
        and position + 1 in counted
        and _coordinated(parsed, position, trailing[0])
        and _LINKED.search(text[:begin])
    ):
        return trailing[0], 0.82, "time at the end of a list"
    leading = [one for one in usable if one.end <= begin and one.begin <= parsed.mask + 3]
    if leading and ";" not in text[leading[0].end : begin]:
        return leading[0], 0.82, "time at the head of the sentence"
    if trailing and position + 1 in counted and _coordinated(parsed, position, trailing[0]):
        return trailing[0], 0.82, "time at the end of a list"
    dates = [one for one in trailing if one.kind in ("day", "period", "ago", "rolling")]
    if (
        len(dates) == 1
        and not before
        and ";" not in text[end : dates[0].begin]
        and not _LINKED.search(text[end : dates[0].begin])
        and not re.search(r"\b(?:before|prior|until)\b", text[end : dates[0].begin])
    ):
        return dates[0], 0.65, "the only time in the sentence"
    return None, 0.0, ""


def _of_comparison(text: str, one: Expression) -> bool:
    """Say whether a time is that of what is compared: more than in 2022."""
    return (
        re.match(r"than\b", text[one.begin : one.end]) is not None
        or re.search(r"\bthan\s(?:in\s)?(?:the\s)?(?:whole\s(?:of\s)?|all\s(?:of\s)?)?$", text[: one.begin]) is not None
    )


def _turns(text: str, end: int, one: Expression, following: int, whole: int) -> bool:
    """Say whether a time after a number opens the next item: 12 in October, in November 15."""
    if re.search(r"\band,? ?$", text[end : one.begin]):
        return True
    return (
        _SOFT.search(text[end : one.begin]) is not None
        and following < whole
        and following - one.end < 30
        and not _SOFT.search(text[one.end : following])
    )


def _first_of(near: Sequence[Expression], phrase: Phrase) -> Expression:
    """The first expression after a number; a date rather than a length beside it, but for ranks."""
    one = near[0]
    if one.kind == "within" and phrase.number.kind != "ordinal":
        dated = [other for other in near[1:] if other.kind in ("day", "period") and other.begin - one.end < 4]
        return dated[0] if dated else one
    return one


def _coordinated(parsed: Parsed, position: int, one: Expression) -> bool:
    """Say whether a number and the next one are parts of one list that a time ends."""
    first, second = parsed.phrases[position], parsed.phrases[position + 1]
    link = parsed.between(first.last, second.first)
    within = parsed.sentence.text[parsed.tokens[second.last - 1].end : one.begin]
    return (
        re.search(r"\b(?:and|or|,)", link) is not None
        and ";" not in link
        and not _BREAK.search(within)
        and len(link) < 80
    )


def _resolve(
    parsed: Parsed,
    one: Expression,
    position: int,
    usable: Sequence[Expression],
    windows: Sequence[Window | None],
    story: Story,
) -> Days | None:
    """Days of an expression, where need be from what the article has said before."""
    spans = [window.days for window in windows if window is not None and window.days[0] and window.days[1]]
    base: Days | None = spans[0] if spans else story.last  # type: ignore[assignment]
    recent: Days | None = spans[-1] if spans else story.last  # type: ignore[assignment]
    known = story.known
    if one.kind in ("same",):
        return story.period or recent
    if one.kind == "same_last":
        return recent or story.event
    if one.kind == "since_then":
        there = recent if recent and not spans else story.event or recent
        return (there[0], known) if there and known else None
    if one.kind == "since_noun":
        return _since_thing(one, story) or ((None, known) if known else None)  # type: ignore[return-value]
    if one.kind == "until_then":
        there = story.last or story.event or recent
        end = there[0] if there else known
        start = one.days[0] if one.days else (story.period or (None, None))[0]
        return (start, end) if start and end and start <= end else None
    if one.kind in ("shift", "shift_to"):
        if not spans and base and story.period and (base[1] - base[0]).days < SHORT:
            base = story.period
        return _shifted(one, base or story.period, known)
    if one.kind == "previous" and one.unit in ("day", "night"):
        there = _main_day(parsed, usable, one) or story.event or ((known, known) if known else None)
        return (there[0] - DAY, there[0] - DAY) if there else None
    if one.kind == "previous":
        return _previous(one, base or story.period)
    if one.kind == "before":
        end = base[0] if base else known
        return (back(end, one.number, one.unit), end - DAY if base else end) if end else None
    if one.kind == "event":
        there = _main_day(parsed, usable, one) or recent or story.event or ((known, known) if known else None)
        return (back(there[0], one.number, one.unit),) * 2 if there else None
    if one.kind in ("within", "without"):
        return _within(parsed, one, position, usable, story)
    if one.kind == "opening":
        start = story.period[0] if story.period else None
        return (start, calendar.shift(start, one.number, one.unit)) if start else None
    if one.kind == "quarter":
        return _named_quarter(parsed, one, base, known)
    if one.kind == "first_day":
        return (story.event[0], story.event[0]) if story.event else None
    if one.kind == "asof":
        start = story.period[0] if story.period else None
        if one.days and not (start and start <= one.days[1]):
            return None, one.days[1]  # type: ignore[return-value]
        return (start, one.days[1]) if one.days and start else None
    if one.kind == "ends_before" and one.days:
        start = story.period[0] if story.period and story.period[0] < one.days[0] else one.days[0]
        return start, one.days[1]
    return one.days


def _since_thing(one: Expression, story: Story) -> Days | None:
    """Days since a thing that the article has dated, or since the fighting began that it is about."""
    if any(word in FIGHTING for word in one.unit.split(" ")) and story.period and story.known:
        return story.period[0], story.known
    for word in reversed(one.unit.split(" ")):
        there = story.things.get(word)
        if there and story.known:
            return there[-1], story.known
    return None


def _shifted(one: Expression, base: Days | None, known: dt.date | None) -> Days | None:
    """The same window some years, months or weeks earlier."""
    if base is None or base[0] is None:
        if known is None:
            return None
        year = int(one.number) if one.kind == "shift_to" else known.year - 1
        return calendar.year_days(year) if one.unit == "year" else None
    if one.kind == "shift_to":
        months = 12 * (int(one.number) - base[1].year)
        return _whole_months(calendar.shift_months(base[0], months), calendar.shift_months(base[1], months), base)
    start, end = calendar.shift(base[0], -one.number, one.unit), calendar.shift(base[1], -one.number, one.unit)
    return _whole_months(start, end, base)


def _whole_months(start: dt.date, end: dt.date, base: Days) -> Days:
    """Keep the last day of a month the last day of a month."""
    if (base[1] + DAY).day == 1:
        end = calendar.month_days(end.year, end.month)[1]
    return start, end


def _previous(one: Expression, base: Days | None) -> Days | None:
    """The week before, the previous month: the unit that ends where the window before it begins."""
    if base is None:
        return None
    if one.unit == "period":
        length = base[1] - base[0]
        return base[0] - DAY - length, base[0] - DAY
    if one.unit in ("month", "year") and base[0].day == 1:
        end = base[0] - DAY
        return calendar.year_days(base[0].year - 1) if one.unit == "year" else calendar.month_days(end.year, end.month)
    return back(base[0], 1, one.unit), base[0]


def _main_day(parsed: Parsed, usable: Sequence[Expression], but: Expression) -> Days | None:
    """The day that another expression of the same clause or sentence states."""
    text = parsed.sentence.text
    days = [
        one.days
        for one in usable
        if one is not but
        and one.kind in ("day", "ago")
        and one.days
        and ";" not in text[min(one.end, but.end) : max(one.begin, but.begin)]
    ]
    return days[0] if days else None


def _within(parsed: Parsed, one: Expression, position: int, usable: Sequence[Expression], story: Story) -> Days | None:
    """In n days, up to the event that the sentence is about, or to publication."""
    stated = _main_day(parsed, usable, one)
    rank = parsed.phrases[position].number.kind == "ordinal"
    end = stated or (story.event if rank else None) or ((story.known, story.known) if story.known else story.event)
    if end is None:
        return None
    last = end[1] - DAY if one.kind == "without" and stated else end[1]
    start = back(last, one.number or parsed.phrases[position].number.count or 1, one.unit)
    return (start + DAY if one.unit not in ("hour",) else start), last


def _named_quarter(parsed: Parsed, one: Expression, base: Days | None, known: dt.date | None) -> Days | None:
    if "quarter" not in parsed.sentence.text or base is None:
        return None
    year = base[0].year if 3 * one.number <= base[1].month else base[0].year - 1
    return calendar.quarter_days(int(one.number), known or dt.date.max, year)


def _bounded(
    parsed: Parsed, position: int, one: Expression, days: Days, usable: Sequence[Expression], story: Story
) -> Days:
    """End a window of ranks with the event, and one that another expression ends with that."""
    start, end = days
    if start is None:
        return days
    first = parsed.phrases[position].first
    if one.kind in ("day", "period") and story.known and _began(parsed, one, first):
        return start, story.known
    if (
        one.kind == "since"
        and one.end - one.begin > 25
        and parsed.word(first - 1).endswith("ing")
        and parsed.word(first - 2) in (",", "and")
    ):
        return start, start
    if parsed.phrases[position].number.kind == "ordinal" and one.kind in ("since", "period", "rolling", "since_then"):
        there = _main_day(parsed, usable, one) or story.event
        if there and start <= there[1] <= end:
            end = there[1]
    for other in usable:
        if (
            other is not one
            and other.kind in ("asof", "ends_before")
            and one.kind in ("since", "since_then", "period")
            and other.days
            and start <= other.days[1] <= end
        ):
            end = other.days[1]
    return start, end


def _began(parsed: Parsed, one: Expression, first: int) -> bool:
    """Say whether a time is the beginning of what goes on: the offensive, which started in October, has killed 12."""
    text = parsed.sentence.text
    before, after = text[: one.begin], text[one.end : parsed.tokens[first].begin]
    return (
        re.search(r"\b(?:began|started|erupted|broke out)\s$", before) is not None
        and re.search(r"\b(?:has|have)\b", after) is not None
    )


def _from_story(
    parsed: Parsed,
    position: int,
    decisions: Sequence[Decision],
    windows: Sequence[Window | None],
    story: Story,
) -> Window:
    """The window of a number that no expression of its sentence dates."""
    text = parsed.sentence.text
    earlier = [window for window in windows if window is not None and window.days != (None, None)]
    phrase = parsed.phrases[position]
    near = parsed.between(max(0, phrase.first - 3), min(phrase.last + 6, len(parsed.tokens)))
    if re.search(r"\b(?:has|have|had) since\b(?! \w+(?:day|ber|ary|ch|il|st)\b)", near) and story.event and story.known:
        return Window((story.event[0], story.known), 0.7, "since the event")
    if "respectively" in text and len(story.sentence) > 1:
        place = sum(one.unit != "" for one in decisions[:position])
        if place < len(story.sentence) and story.sentence[place]:
            return Window(story.sentence[place], 0.75, "respectively")  # type: ignore[arg-type]
    if earlier and story.period and _TOTAL.search(_clause(parsed, phrase)):
        return Window(
            (story.period[0], story.known or story.period[1]), 0.6, "a total of the period that the text is about"
        )
    if earlier:
        own = [
            window
            for other, window in zip(parsed.phrases, windows, strict=False)
            if window in earlier and not compared(parsed, other)
        ]
        same = earlier[-1] if not own or compared(parsed, parsed.phrases[position]) else own[-1]
        return Window(same.days, min(same.confidence, 0.8), "the window of the number before it", same.stated)
    if decisions[position].ellipsis and story.last:
        return Window(story.last, 0.6, "the window of what it is compared with")
    these = _these(parsed, position, story)
    if these is not None:
        return Window(these, 0.65, "the window of what it is a part of")
    thing = _mentioned(parsed, position, story)
    if thing:
        return Window(thing, 0.7, "the day of what it is about")
    person = decisions[position].kind == "person" and story.event is not None
    if story.period and _cumulative(_clause(parsed, phrase), event=person) and phrase.number.count != 1:
        return Window(story.period, 0.55, "the period that the text is about")
    for days, rule in (
        (story.event, "the event that the text is about"),
        (story.period, "the period that the text is about"),
        (story.lead, "the period of the lead"),
    ):
        if days:
            return Window(days, 0.5, rule)
    if story.known is None:
        return Window((None, None), 0.2, "no date in the text")
    said = [one.days for one in parsed.times if spoken(parsed, one) and one.days and one.kind == "day"]
    end = said[0][1] if said and said[0] else story.known
    return Window((end - DAY, end), 0.45, "the day of publication and the one before")


def _cumulative(text: str, *, event: bool) -> bool:
    """Say whether a sentence sums up a period; of people after an event, "in all" sums up that event."""
    found = CUMULATIVE.search(text)
    return found is not None and not (event and found[0].lower() in ("in all", "overall", "altogether", "in total"))


def _clause(parsed: Parsed, phrase: Phrase) -> str:
    """The text around a number up to the next commas."""
    text = parsed.sentence.text
    begin, end = parsed.tokens[phrase.first].begin, parsed.tokens[phrase.last - 1].end
    first = max(text.rfind(", ", 0, begin), text.rfind("; ", 0, begin), parsed.mask - 1) + 1
    last = min((at for at in (text.find(", ", end), text.find("; ", end)) if at >= 0), default=len(text))
    return text[first:last]


def _these(parsed: Parsed, position: int, story: Story) -> tuple[dt.date | None, dt.date | None] | None:
    """The window of what was counted before, where the sentence says "these violations"."""
    for at in range(min(parsed.phrases[position].first, 14)):
        noun = parsed.noun_at(at + 1)
        plural = noun is not None and not parsed.singular(at + 1, noun[0])
        the = parsed.word(at) in ("these", "those") or (at == 0 and parsed.word(at) == "the" and plural)
        if the and noun is not None and noun[1].name in story.counted:
            return story.counted[noun[1].name]
    opening = parsed.tokens[0].text
    return story.last if opening in ("They", "These", "Those", "Among", "Of", "Half", "Most") else None


def _mentioned(parsed: Parsed, position: int, story: Story) -> Days | None:
    """The day of a thing that the sentence points back to: those strikes, the office."""
    first = parsed.phrases[position].first
    for at, token in enumerate(parsed.tokens):
        if token.lower in ("the", "those", "these", "that") and at < first + 12:
            for one in (at + 1, at + 2):
                there = story.things.get(parsed.word(one))
                if there:
                    return there
    return None
