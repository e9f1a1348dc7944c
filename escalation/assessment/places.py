"""Where the incidents of a series are now, against where they were before."""

from __future__ import annotations

from collections.abc import Iterator

from escalation.analysis.by_place import BEFORE, NAMED, NOW, PlaceComparison, compare_places
from escalation.assessment.answer import Answer, keys_of, not_given
from escalation.assessment.options import Options
from escalation.assessment.source import SourceSeries
from escalation.assessment.withheld import Withheld, try_part
from escalation.counts.periods import period_word
from escalation.counts.series import CountSeries


def find_places(series: CountSeries, options: Options) -> PlaceComparison | Withheld:
    """Compare the recent window with the baseline by area, from the incidents that the series was counted from."""
    if not isinstance(series, SourceSeries) or series.incidents is None or series.reconstruction is not None:
        return Withheld("places", "the series was not counted from a table of incidents")
    if series.unit == "fatalities":
        return Withheld("places", "the series sums fatalities, and places are compared by incidents")
    incidents = series.incidents
    return try_part(
        "places", lambda: compare_places(incidents, series, options.recent, options.baseline, level=options.level)
    )


def places_answers(series: CountSeries, found: PlaceComparison | Withheld) -> Iterator[Answer]:
    """The rates of the areas with most incidents now, those before, and their ratios where they were compared."""
    if isinstance(found, Withheld):
        yield from not_given(found, ("places", "Where incidents are, now against before", series.unit))
        return
    unit = f"{series.unit} per {period_word(found.freq)}"
    now, before = found.span(NOW), found.span(BEFORE)
    shown = found.areas.head(NAMED)
    for key, (area, row) in zip(keys_of(map(str, shown.index)), shown.iterrows(), strict=True):
        yield Answer(f"place_now_{key}", f"Rate in {area} in {now}", float(row["rate_now"]), unit=unit)
        yield Answer(f"place_before_{key}", f"Rate in {area} in {before}", float(row["rate_before"]), unit=unit)
        limits = (float(row["lower"]), float(row["upper"]))
        if row["ratio"] == row["ratio"]:  # not NaN
            yield Answer(f"place_ratio_{key}", f"Rate in {area} now over before", float(row["ratio"]), *limits, "times")
