"""The result of a nowcast: what was reported, what is estimated, and how late reports come."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from escalation.conventions.notebook import table_html
from escalation.counts.periods import period_word
from escalation.counts.schema import quantile_frame


@dataclass(frozen=True, eq=False)
class Nowcast:
    """Counts of the latest periods as they will be once late reports are in.

    Attributes
    ----------
    incomplete : pandas.DataFrame
        The periods that may still rise, oldest first: ``reported`` by now, and ``median``, ``lower`` and ``upper`` of
        what will have been reported ``max_delay`` periods after each.
    histories : pandas.DataFrame
        int64, periods x draws, columns named ``draw``: all periods since the first, jointly; those that are older than
        ``max_delay`` are as reported. What ``fit`` takes.
    delays : pandas.DataFrame
        By delay in periods, 0 to ``max_delay``: ``probability`` that a report comes with it and ``known_by``, that it
        has come by then, with the limits of their intervals (``…_lower``, ``…_upper``); as reports come now.
    now : pandas.Timestamp
        Last day whose reports were used.
    max_delay : int
        Periods after which a count is taken to be complete.
    method : str
        ``bayes.trunc``, ``bayes.notrunc`` or ``lawless``.
    level : float
        Probability of all intervals.
    change : pandas.Series or None
        ``median``, ``lower`` and ``upper`` of the odds ratio by which the hazards of late reports changed; above 1 they
        come later since. None if no date of a change was given.
    unit : str
        What is counted.
    """

    incomplete: pd.DataFrame = field(repr=False)
    histories: pd.DataFrame = field(repr=False)
    delays: pd.DataFrame = field(repr=False)
    now: pd.Timestamp
    max_delay: int
    method: str
    level: float
    change: pd.Series | None
    unit: str

    def table(self) -> pd.DataFrame:
        """The periods that may still rise, as in ``incomplete``."""
        return self.incomplete

    def summary_frame(self, level: float | None = None) -> pd.DataFrame:
        """Reported count, median and interval of the periods that may still rise.

        Parameters
        ----------
        level : float, optional
            Probability of the interval, between 0 and 1; that of the nowcast when left out.

        Returns
        -------
        pandas.DataFrame
            As ``incomplete``.

        Raises
        ------
        InputError
            If ``level`` is not between 0 and 1.
        """
        open_ = self.histories.loc[self.incomplete.index]
        return pd.concat(
            [self.incomplete["reported"], quantile_frame(open_, self.level if level is None else level)], axis=1
        )

    def sentence(self) -> str:
        """Say it in plain words, with the ranges."""
        open_ = self.histories.loc[self.incomplete.index]
        freq = pd.PeriodIndex(self.incomplete.index).freqstr
        total = quantile_frame(open_.sum().to_frame("total").T, self.level).iloc[0]
        last, word = self.incomplete.iloc[-1], period_word(freq)
        number = len(self.incomplete)
        reported = int(self.incomplete["reported"].sum())
        until = self.incomplete.index[-1].end_time.date()
        interval = f"({100 * self.level:g}% interval {total['lower']:,} to {total['upper']:,})"
        text = (
            f"By {self.now.date()} {reported:,} {self.unit} of the {number} {period_word(freq, number)} to {until} "
            f"were reported; {total['median']:,} {interval} are expected once late reports are in."
        )
        if number > 1:
            when = f"in the {word} that ends on {until}" if word != "day" else f"on {until}"
            text += (
                f" Of those {when}, {last['reported']:,} had been reported, and {last['median']:,} "
                f"({last['lower']:,} to {last['upper']:,}) are expected."
            )
        return text + f" Half of all reports come {self._within(0.5, freq)}, 95% {self._within(0.95, freq)}."

    def _within(self, share: float, freq: str) -> str:
        """Say by which delay a share of the reports has come."""
        delay = int(np.argmax(self.delays["known_by"].to_numpy() >= share - 1e-9))
        return f"in the same {period_word(freq)}" if delay == 0 else f"within {delay} {period_word(freq, delay)}"

    def _repr_html_(self) -> str:
        delays = self.delays[["probability", "known_by", "known_by_lower", "known_by_upper"]].round(3)
        return f"<p>{html.escape(self.sentence())}</p>" + table_html(self.incomplete) + table_html(delays)
