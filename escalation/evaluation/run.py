"""Run a backtest: forecasts from past origins by several models, scored against what came."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from escalation.conventions.arguments import check_whole
from escalation.conventions.arrays import FloatArray
from escalation.conventions.progress import Progress, Tick, reporter
from escalation.conventions.randomness import Seed, as_generator, draw_root
from escalation.counts.histories import spread_over
from escalation.counts.periods import MAX_PERIODS
from escalation.counts.schema import check_counts, count_matrix, is_histories, panel_array, unit_columns
from escalation.counts.series import CountsLike, HoldsCounts, unpack_counts
from escalation.errors import InputError
from escalation.evaluation.assembly import assemble
from escalation.evaluation.origins import Origins, place_origins
from escalation.evaluation.result import Backtest
from escalation.evaluation.scoring import RECENT, WHOLE
from escalation.evaluation.store import Store
from escalation.evaluation.tasks import Part, Task, list_parts, run_chain
from escalation.forecasts.flashpoint_definitions import Flashpoint, get_flashpoint
from escalation.models.contract.base import CountModel, PanelModel
from escalation.models.contract.calls import identity_of
from escalation.models.contract.estimate import MAX_CELLS, MAX_STEPS
from escalation.models.contract.shrinking import FEWEST, check_shrinkable

Counts: TypeAlias = pd.Series | pd.DataFrame
Models: TypeAlias = Mapping[str, CountModel | PanelModel] | Sequence[CountModel | PanelModel]

BLOCK = 25
"""Units of a task of a model of single series."""
TRUTHS = 20
"""Histories that stand for what came, where that is not known exactly."""


def backtest(
    models: Models,
    counts: CountsLike,
    *,
    origins: Origins,
    horizon: int,
    leads: Sequence[int] | None = None,
    every: int = 1,
    window: int | None = None,
    refit: bool | int = True,
    shrink: Sequence[str] = (),
    as_of: Callable[[pd.Period], Counts] | None = None,
    exposure: pd.Series | pd.DataFrame | None = None,
    exog: pd.DataFrame | None = None,
    thresholds: Sequence[int] = (),
    flashpoints: Sequence[str | Flashpoint] = (),
    draws: int = 1000,
    store: str | Path | None = None,
    executor: Executor | None = None,
    progress: Progress = True,
    rng: Seed = None,
) -> Backtest:
    """Forecast from past origins and score against what came.

    At each origin every model is fitted to what was known then and nothing else, and its paths are scored (Tashman
    2000, doi:10.1016/S0169-2070(00)00065-0, calls this rolling-origin evaluation).

    Parameters
    ----------
    models : mapping or sequence
        Models by a name of one's own, or models with different names.  Models of single series are fitted to each
        unit by itself, panel models to all units at once.
    counts : Series, DataFrame of histories, CountSeries or Reconstruction
        Counts of one series on a ``PeriodIndex``, histories of it, a panel of counts (a DataFrame, one column a
        unit) or histories of one; what came is taken from here.  Of histories 20, evenly
        spread, each stand for what came, so that its uncertainty is in the scores.
    origins : int or sequence of periods
        How many, ``every`` so many periods, the last so late that all steps have come to pass; or the last periods
        that are known, as periods or text.
    horizon : int
        Periods ahead.
    leads : sequence of int, optional
        Steps to score, counted from 1; all when left out.
    every : int
        Periods between two origins, where ``origins`` is a number.
    window : int, optional
        Fit to the last so many periods only (a rolling window); to all before the origin when left out.
    refit : bool or int
        Estimate parameters at every origin (True), at the first only (False), or at every so many-th; in between the
        last fit is updated (:meth:`CountFit.update`): its parameters stay, its state is that of what was known at the
        origin, and ``window`` is that of the estimation.  Origins that share parameters are one part of the work.
        It shows whether parameters hold, and saves a tenth of the time or so: most of it goes into draws.
    shrink : sequence of str
        Names, among those of ``models``, of models of single series whose parameters are shrunk towards the panel's at
        each origin; see :func:`escalation.models.fit_many`.  The same model may be there twice, under two names, by
        itself and shrunk.
    as_of : callable, optional
        Given the origin's period, the counts, panel or histories as they were known then, up to the origin or, where
        the latest periods were not known yet, to an earlier period: then the forecast goes on from there, and steps are
        still counted from the origin.  Without it the later counts up to the origin are used, as though they had not
        been revised.  Its units are those of ``counts``.
    exposure, exog : optional
        As in ``fit``, for all periods of ``counts``; of the exposure what the series brings, or all 1, when left out.
        Periods covered in part are not scored, because forecasts are of
        whole ones.  Regressors of coming periods are taken as known.
    thresholds : sequence of int
        Counts whose probability of being reached in a period is kept, for Brier scores and reliability.
    flashpoints : sequence of str or Flashpoint
        Definitions, or names of some in public use, whose probability of having come to pass by each step is kept,
        for Brier scores and reliability.  What they compare with is the past up to the origin, with ``window`` the
        window.
    draws : int
        Paths of each forecast.
    store : str or Path, optional
        Directory for finished parts.  When the same backtest is run again, what is finished is not done again.
    executor : concurrent.futures.Executor, optional
        Runs the parts; all in this process when left out.  The numbers do not depend on it.
    progress : bool or callable
        Whether to show how far it is: a bar on stderr if that is a terminal, or a line in a notebook.  A function is
        given the number of finished parts and of all parts.
    rng : int, Generator or None
        Seed or generator.

    Returns
    -------
    Backtest

    Raises
    ------
    InputError
        If an option is out of range, two models have one name, a definition is not about what a count series counts, or
        what ``as_of`` gives goes beyond the origin.
    FileError
        If the store cannot be used.

    Examples
    --------
    >>> from escalation.models.baselines.climatology import Climatology
    >>> weeks = pd.period_range("2022-01-03", periods=60, freq="W-SUN")
    >>> counts = pd.Series(np.random.default_rng(1).poisson(5, 60), index=weeks)
    >>> models = {"year": Climatology(52), "month": Climatology(4)}
    >>> result = backtest(models, counts, origins=8, horizon=4, draws=200, rng=1)
    >>> result.table().index.tolist(), len(result.scores)
    (['year', 'month'], 64)
    """
    definitions = _definitions(flashpoints)
    for definition in definitions if isinstance(counts, HoldsCounts) else ():
        definition.check_unit(unpack_counts(counts).unit)
    counts, brought, _ = unpack_counts(counts)
    exposure = brought if exposure is None else exposure
    table = check_counts(counts)
    units, truth = _truth(table)
    index = pd.PeriodIndex(table.index)
    if exposure is not None:
        truth[:, _partly(exposure.reindex(index), units)] = np.nan
    chosen = _named(models)
    together = _check_shrink(shrink, chosen, len(units))
    if as_of is not None and not callable(as_of):
        raise InputError(f"as_of is {as_of!r}; give a function of a period, such as escalation.tallies.Vintages(...)")
    horizon = check_whole(horizon, "horizon", MAX_STEPS)
    scored = _check_leads(leads, horizon)
    each = _check_refit(refit, len(table))
    check_whole(draws, "draws", MAX_CELLS)
    if window is not None:
        check_whole(window, "window", MAX_PERIODS)
    if not isinstance(thresholds, Sequence | np.ndarray):
        raise InputError(f"thresholds is {thresholds!r}; give a list of counts, such as (5, 10)")
    limits = tuple(check_whole(value, "thresholds", 2**53) for value in thresholds)
    places = place_origins(origins, index, max(scored), every)
    generator = as_generator(rng)
    root = draw_root(generator)
    setting = {
        "seed": str(root) if rng is not None else "",
        "counts": _digest(table),
        "models": repr({label: identity_of(model) for label, model in chosen.items()}),
        "origins": repr(places.tolist()),
        "horizon": repr((horizon, scored)),
        "window": repr(window),
        "thresholds": repr(limits),
        "flashpoints": repr(definitions),
        "draws": repr(draws),
        "refit": repr(each) if not together else f"{each} shrunk: {sorted(together)}",
        "known": f"{as_of is not None} {RECENT} {'' if exposure is None else _digest(exposure)} "
        f"{'' if exog is None else _digest(exog)}",
    }
    if store is not None and rng is None:
        raise InputError("store needs a seed, or a run that is taken up again would mix two; give rng a number")
    shelf = None if store is None else Store(store, setting)

    def tasks_at(place: int, since: pd.Period | None) -> Iterator[Task]:
        known = _known(table, place, window if since is None else None, as_of).loc[since:]
        span = slice(known.index[0], known.index[-1])
        shares = None if exposure is None else exposure.loc[span]
        gap = int(index[place].ordinal - known.index[-1].ordinal)
        regressors = None
        if exog is not None:
            regressors = (exog.loc[span], exog.iloc[place + 1 - gap : place + 1 + horizon])
        begin = max(known.index[0].ordinal - index[0].ordinal, 0)
        past = truth[:, begin : place + 1]
        came = np.full((len(truth), horizon, len(units)), np.nan)
        ahead = truth[:, place + 1 : place + 1 + horizon]
        came[:, : ahead.shape[1]] = ahead
        for label, model in chosen.items():
            size = len(units) if isinstance(model, PanelModel) or label in together else BLOCK
            for block, first in enumerate(range(0, len(units), size)):
                names = units[first : first + size]
                yield Task(
                    label=label,
                    model=model,
                    origin=str(index[place]),
                    block=block,
                    units=names,
                    known=known if size == len(units) else _some(known, names),
                    exposure=_some(shares, names) if isinstance(shares, pd.DataFrame) else shares,
                    exog=regressors,
                    gap=gap,
                    past=past[:, :, first : first + size],
                    truth=came[:, :, first : first + size],
                    leads=scored,
                    draws=draws,
                    thresholds=limits,
                    flashpoints=definitions,
                    root=root,
                    shrink=label in together,
                )

    def chains() -> Iterator[tuple[Task, ...]]:
        for first in range(0, len(places), each):
            begun = list(tasks_at(int(places[first]), None))
            since = begun[0].known.index[0]
            later = [tasks_at(int(place), since) for place in places[first + 1 : first + each]]
            yield from zip(begun, *later, strict=True)

    blocks = [
        1 if isinstance(one, PanelModel) or label in together else -(-len(units) // BLOCK)
        for label, one in chosen.items()
    ]
    with reporter(progress, "forecasting from past origins") as tick:
        parts = _run(chains(), len(places) * sum(blocks), shelf, executor, tick)
    return assemble(parts, list(chosen), index, scored)


def _named(models: Models) -> dict[str, CountModel | PanelModel]:
    """Models by name."""
    if isinstance(models, CountModel | PanelModel | str):
        raise InputError(f"models is a {type(models).__name__}; give a list or a mapping of models")
    if isinstance(models, Mapping):
        named = {str(label): model for label, model in models.items()}
    else:
        for model in models:
            if not isinstance(model, CountModel | PanelModel):
                raise InputError(f"models holds {model!r}; give models, such as escalation.LocalLevel()")
        named = {model.name: model for model in models}
        if len(named) < len(models):
            raise InputError("two models have one name; give a mapping with a name of your own for each")
    if not named:
        raise InputError("models is empty; give at least one")
    for label, model in named.items():
        if not isinstance(model, CountModel | PanelModel):
            raise InputError(
                f"model {label!r} is a {type(model).__name__}; give a model such as escalation.LocalLevel()"
            )
    return named


def _check_shrink(shrink: Sequence[str], chosen: Mapping[str, CountModel | PanelModel], units: int) -> frozenset[str]:
    """Names of the models that are shrunk towards the panel's parameters."""
    if isinstance(shrink, str) or not all(isinstance(label, str) for label in shrink):
        raise InputError(f"shrink is {shrink!r}; give a list of names of models, such as ['local_level']")
    for label in shrink:
        if label not in chosen:
            raise InputError(f"shrink names {label!r}; the models are {', '.join(chosen)}")
        model = chosen[label]
        if isinstance(model, PanelModel):
            raise InputError(f"shrink names {label!r}, which is a model of all units at once; leave it out")
        check_shrinkable(model)
    if shrink and units < FEWEST:
        raise InputError("shrink needs a panel, and counts is one series; give several, or leave shrink out")
    return frozenset(shrink)


def _check_leads(leads: Sequence[int] | None, horizon: int) -> tuple[int, ...]:
    if leads is not None and not isinstance(leads, Sequence | np.ndarray):
        raise InputError(f"leads is {leads!r}; give a list of steps, such as (1, 4)")
    scored = tuple(range(1, horizon + 1)) if leads is None else tuple(sorted(set(leads)))
    if not scored or scored[0] < 1 or scored[-1] > horizon:
        raise InputError(f"leads is {leads!r}; give some of the steps 1 to {horizon}")
    return scored


def _check_refit(refit: bool | int, most: int) -> int:
    """How many origins share parameters."""
    if isinstance(refit, bool):
        return 1 if refit else most
    if not isinstance(refit, int | np.integer) or refit < 1:
        raise InputError(f"refit is {refit!r}; use True, False or a number of origins")
    return int(refit)


def _definitions(flashpoints: Sequence[str | Flashpoint]) -> tuple[Flashpoint, ...]:
    if isinstance(flashpoints, str | Flashpoint):
        raise InputError(f"flashpoints is {flashpoints!r}; give a list of definitions")
    found = tuple(get_flashpoint(one) if isinstance(one, str) else one for one in flashpoints)
    for one in found:
        if not isinstance(one, Flashpoint) or not one.name:
            raise InputError(f"flashpoints holds {one!r}; give definitions with a name, or names of some in public use")
    if len({one.name for one in found}) < len(found):
        raise InputError("two definitions have one name; give each a name of its own")
    return found


def _truth(table: Counts) -> tuple[tuple[str, ...], FloatArray]:
    """Names of the units and what came, shape (histories, periods, units)."""
    if isinstance(table, pd.Series):
        return (str(table.name) if table.name not in (None, "") else "counts",), count_matrix(table)[None]
    units, array = (("counts",), count_matrix(table).T[:, :, None]) if is_histories(table) else panel_array(table)
    return units, array[spread_over(len(array), TRUTHS)]


def _partly(exposure: pd.Series | pd.DataFrame, units: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which periods of which units (n, units) were covered in part."""
    if isinstance(exposure, pd.DataFrame):
        names = unit_columns(exposure)
        missing = [unit for unit in units if unit not in names]
        if missing:
            raise InputError(f"exposure has no column for {missing[0]!r}; give one for each unit, or a Series for all")
        exposure = exposure.iloc[:, [names.index(unit) for unit in units]]
    shares = pd.DataFrame(exposure).fillna(0.0).to_numpy(dtype=np.float64)
    return np.broadcast_to(shares < WHOLE, (len(shares), len(units)))


def _digest(table: Counts) -> str:
    """Hash of a table's values and labels."""
    return hashlib.sha256(table.to_csv().encode()).hexdigest()


def _some(table: Counts, names: tuple[str, ...]) -> Counts:
    """The columns of these units; one series and its histories are left as they are."""
    if isinstance(table, pd.Series) or is_histories(table):
        return table
    return table.loc[:, [name in names for name in unit_columns(table)]]


def _known(table: Counts, place: int, window: int | None, as_of: Callable[[pd.Period], Counts] | None) -> Counts:
    """What was known at an origin: the last periods up to it."""
    origin = pd.PeriodIndex(table.index)[place]
    known = table.iloc[: place + 1]
    if as_of is not None:
        known = check_counts(as_of(origin), "what as_of gives")
        if known.index[-1] > origin:
            raise InputError(f"what as_of gives at {origin} goes on to {known.index[-1]}; it must end with the origin")
    return known if window is None else known.iloc[-window:]


def _run(
    chains: Iterable[tuple[Task, ...]],
    total: int,
    shelf: Store | None,
    executor: Executor | None,
    tick: Tick,
) -> dict[str, Part]:
    """Parts by the key of their task, from the store or newly made."""
    done: dict[str, Part] = {}

    def keep(part: Part, *, new: bool) -> None:
        if new and shelf is not None:
            shelf.save(part)
        done[part.key] = part
        tick(len(done), total)

    waiting = set()
    for chain in chains:
        held = [None if shelf is None else shelf.load(task.key) for task in chain]
        stand = [part for part in held if part is not None]
        if len(stand) == len(chain):
            for part in stand:
                keep(part, new=False)
        elif executor is None:
            for part in run_chain(chain):
                keep(part, new=True)
        else:
            waiting.add(executor.submit(list_parts, chain))
    for future in as_completed(waiting):
        for part in future.result():
            keep(part, new=True)
    return done
