"""Forecasts for the VIEWS Prediction Challenge at the level of country and month, scored against its benchmarks.

python benchmarks/views_challenge.py DIR --windows 2018 2019 2020 [--submission OUT]

DIR holds the challenge's files: history_v2_*.parquet (month_id, country_id, ged_sb), cm_actuals_YYYY.parquet,
cm_conflictology_YYYY.parquet and, to check the scores with, official_eval_*.parquet.  Window Y is January to December
Y, forecast from the months up to October Y-1.  Windows without such files, such as the years before 2018 that the
model's options were chosen on, are taken from the history.
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import default_rng
from numpy.typing import NDArray

from escalation.errors import ResampledDrawsWarning
from escalation.evaluation.comparison import resample_differences
from escalation.models.baselines.analogues import Analogues
from escalation.scores import brier, coverage, crps, ignorance, interval_score

FloatArray = NDArray[np.float64]

DRAWS, STEPS, GAP, RESAMPLES = 1000, 12, 2, 5000
OURS = "ours"
SCORES = ("CRPS", "IGN", "MIS", "log1p-CRPS", "Brier >=1", "Brier >=25")
"""Smaller is better in all of them."""


@dataclass(frozen=True)
class Window:
    """What a window is scored with.

    Attributes
    ----------
    year : int
        Its year.
    countries : (units,) int64 array
        Their challenge numbers.
    truth : (units, 12) float array
        What came.
    draws : dict
        Draws (units, 12, S) by forecaster.
    """

    year: int
    countries: NDArray[np.int64]
    truth: FloatArray
    draws: dict[str, FloatArray]


def first_month(year: int) -> int:
    """The challenge's number of January."""
    return (year - 1980) * 12 + 1


def wide(values: pd.Series, level: str) -> pd.DataFrame:
    """Spread one level of an index over columns."""
    return pd.DataFrame(values.unstack(level))  # noqa: PD010 each cell is there once


def read_counts(folder: Path) -> pd.DataFrame:
    """Fatalities by month (rows) and country, from the history and, after its end, from the windows' actuals."""
    files = sorted(folder.glob("history_v2_*.parquet"))
    if not files:
        raise SystemExit(f"{folder} holds no history_v2_*.parquet")
    parts = [pd.read_parquet(file).set_index(["month_id", "country_id"])["ged_sb"] for file in files]
    parts += [pd.read_parquet(file)["outcome"] for file in sorted(folder.glob("cm_actuals_*.parquet"))]
    tables = [wide(part, "country_id") for part in parts]
    counts = tables[0]
    for table in tables[1:]:
        counts = counts.combine_first(table)
    return counts.reindex(range(int(counts.index.min()), int(counts.index.max()) + 1)).sort_index(axis=1)


def forecast(counts: pd.DataFrame, year: int, model: Analogues, seed: int) -> tuple[pd.Index, FloatArray]:
    """Draws (units, 12, 1000) of the window from the months up to October of the year before."""
    known = counts.loc[: first_month(year) - GAP - 1].astype("Float64")
    known = known.loc[:, known.notna().any()]
    countries = known.columns
    known.index = pd.period_range("1980-01", periods=int(known.index[-1]), freq="M")[-len(known) :]
    known.columns = [str(country) for country in countries]
    paths = model.fit(known, unit="fatalities").forecast(GAP + STEPS, draws=DRAWS, rng=seed).paths
    return countries, paths[:, :, GAP:].transpose(0, 2, 1).astype(np.float64)


def read_window(folder: Path, counts: pd.DataFrame, year: int, model: Analogues, seed: int) -> Window:
    """Forecast a window, and gather what came and the benchmarks' draws."""
    start = first_month(year)
    months = range(start, start + STEPS)
    actuals = folder / f"cm_actuals_{year}.parquet"
    table = wide(pd.read_parquet(actuals)["outcome"], "month_id") if actuals.exists() else counts.reindex(months).T
    last = counts.loc[start - GAP - 1]
    table = table.dropna()
    table = table[last.reindex(table.index).notna() | actuals.exists()]
    countries, ours = forecast(counts, year, model, seed)
    place = countries.get_indexer(table.index)
    if (place < 0).any():
        names = ", ".join(str(name) for name in table.index[place < 0])
        print(f"{year}: no history of the countries {names}; forecast as zeros")
    ours = np.where(place[:, None, None] < 0, 0.0, ours[place])
    year_before = folder / f"cm_conflictology_{year}.parquet"
    if year_before.exists():
        drawn = wide(pd.read_parquet(year_before)["outcome"], "draw").loc[start].reindex(table.index)
    else:
        drawn = counts.loc[start - GAP - STEPS : start - GAP - 1].T.reindex(table.index)
    twelve = drawn.to_numpy(dtype=np.float64)
    keep = ~np.isnan(twelve).any(axis=1)
    table, ours, twelve = table[keep], ours[keep], twelve[keep]
    shape = (len(table), STEPS, DRAWS)
    rng = default_rng(year)
    final = last.reindex(table.index).fillna(0).to_numpy(dtype=np.float64)
    draws = {
        OURS: ours,
        "conflictology": np.repeat(twelve[:, None], STEPS, axis=1),
        "conflictology, 1,000 draws": np.take_along_axis(twelve[:, None], rng.integers(0, STEPS, shape), axis=2),
        "last value (Poisson)": rng.poisson(final[:, None, None], shape).astype(np.float64),
        "zero": np.zeros(shape),
    }
    return Window(year, table.index.to_numpy(dtype=np.int64), table[list(months)].to_numpy(dtype=np.float64), draws)


def score(draws: FloatArray, truth: FloatArray) -> dict[str, FloatArray]:
    """Scores (units, 12), those of the challenge first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResampledDrawsWarning)
        bits = ignorance(draws, truth, resample="fft")
    return {
        "CRPS": crps(draws, truth),
        "IGN": bits,
        "MIS": interval_score(draws, truth, level=0.9),
        "log1p-CRPS": crps(draws, truth, scale="log1p"),
        "Brier >=1": brier((draws >= 1).mean(axis=2), truth >= 1),
        "Brier >=25": brier((draws >= 25).mean(axis=2), truth >= 25),
        "coverage": np.where(truth > 0, coverage(draws, truth, level=0.9), np.nan),
    }


def check_official(folder: Path, window: Window, scores: dict[str, FloatArray]) -> None:
    """Say how far conflictology's scores are from the official ones, row by row."""
    for file in sorted(folder.glob("official_eval_*.parquet")):
        official = pd.read_parquet(file).query("model == 'conflictology' and window == @window.year")
        for name in ("CRPS", "IGN", "MIS") if len(official) else ():
            rows = wide(official.set_index(["country_id", "month_id"])[name.lower()], "month_id")
            given = rows.loc[window.countries].to_numpy()
            away = np.abs(given - scores[name]) / np.maximum(given, 1e-300)
            print(f"{window.year}: conflictology's {name} differs from the official rows by at most {away.max():.1e}")


def show(title: str, scores: list[dict[str, dict[str, FloatArray]]], countries: list[NDArray[np.int64]]) -> None:
    """Print means, ratios and paired intervals over some windows: one table of scores a window, by forecaster."""
    print(f"\n{title}")
    names, columns = list(scores[0]), [*SCORES, "coverage"]
    means = np.array([[np.mean([np.nanmean(one[name][key]) for one in scores]) for key in columns] for name in names])
    print(pd.DataFrame(means, names, [*SCORES, "90% coverage, active"]).to_string(float_format="%.4g"))
    every = np.unique(np.concatenate(countries))
    print(f"{OURS} against                 score        ratio   difference [95% interval]         verdict")
    for row_of, base in enumerate(names[1:], start=1):
        for column, key in enumerate(SCORES):
            difference = np.full((len(scores), len(every)), np.nan)
            for row, (one, units) in enumerate(zip(scores, countries, strict=True)):
                difference[row, np.searchsorted(every, units)] = (one[OURS][key] - one[base][key]).mean(axis=1)
            known = ~np.isnan(difference)
            filled = np.where(known, difference, 0.0)
            samples = resample_differences(filled, known.astype(float), 2, RESAMPLES, default_rng(1))
            lower, upper = np.quantile(samples, [0.025, 0.975])
            verdict = "better" if upper < 0 else "worse" if lower > 0 else "not distinguishable"
            ratio = means[0, column] / means[row_of, column] if means[row_of, column] > 0 else np.nan
            interval = f"{np.nanmean(difference):+10.4g} [{lower:+.4g}, {upper:+.4g}]"
            print(f"  {base:27s} {key:11s} {ratio:7.3f}  {interval:40s} {verdict}")


def show_countries(
    folder: Path, scores: list[dict[str, dict[str, FloatArray]]], countries: list[NDArray[np.int64]], most: int = 12
) -> None:
    """Print the countries that carry the mean scores, with the skill in each."""
    key = folder / "country_key.csv"
    names = pd.read_csv(key).set_index("id")["name"] if key.exists() else pd.Series(dtype=object)
    for measure in ("CRPS", "log1p-CRPS"):
        rows = [
            pd.DataFrame({side: one[side][measure].mean(axis=1) for side in (OURS, "conflictology")}, index=units)
            for one, units in zip(scores, countries, strict=True)
        ]
        table = pd.concat(rows).groupby(level=0).sum() / len(rows)
        ours, base = table[OURS].to_numpy(), table["conflictology"].to_numpy()
        print(f"\n{measure}: the {most} countries that carry most of conflictology's mean")
        print("country                         share  skill   ratio of all means without it")
        for place in np.argsort(-base)[:most]:
            without = (ours.sum() - ours[place]) / (base.sum() - base[place])
            name = str(names.get(table.index[place], table.index[place]))
            print(f"{name:30s} {base[place] / base.sum():6.1%} {1 - ours[place] / base[place]:+6.1%}   {without:.3f}")
        print(f"ahead in {(ours < base).sum()} countries, behind in {(ours > base).sum()}, of {len(base)}")


def write_submission(out: Path, window: Window) -> None:
    """Write one window's draws as the challenge wants them."""
    folder = out / "cm" / f"window=Y{window.year}"
    folder.mkdir(parents=True, exist_ok=True)
    draws = window.draws[OURS]
    start = first_month(window.year)
    index = pd.MultiIndex.from_product(
        [window.countries, range(start, start + STEPS), range(DRAWS)], names=["country_id", "month_id", "draw"]
    )
    table = pd.DataFrame({"outcome": draws.ravel().astype(np.int64)}, index=index).reset_index()
    table = table.sort_values(["month_id", "country_id", "draw"])[["month_id", "country_id", "draw", "outcome"]]
    table.to_parquet(folder / f"cm_analogues_Y{window.year}.parquet", index=False)
    details = out / "submission_details.yml"
    if not details.exists():
        details.write_text(
            "team: escalation\nshort_title: Analogues of past stretches and the own recent past\n"
            "even_shorter_identifier: analogues\ncontact: name@example.org\nauthors:\n  - name: to be filled in\n"
            "    affil: to be filled in\n"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--windows", type=int, nargs="+", default=[2018, 2019, 2020])
    parser.add_argument("--submission", type=Path, metavar="OUT")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.perf_counter()
    counts = read_counts(options.folder)
    scores, countries = [], []
    for year in options.windows:
        start = time.perf_counter()
        window = read_window(options.folder, counts, year, Analogues(), options.seed)
        scores.append({name: score(draws, window.truth) for name, draws in window.draws.items()})
        countries.append(window.countries)
        seconds = time.perf_counter() - start
        check_official(options.folder, window, scores[-1]["conflictology"])
        show(f"window {year}: {len(window.countries)} countries, {seconds:.1f} s", scores[-1:], countries[-1:])
        if options.submission is not None:
            write_submission(options.submission, window)
    if len(scores) > 1:
        show(f"mean of {len(scores)} windows", scores, countries)
    show_countries(options.folder, scores, countries)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
