"""Functions compiled by numba, and kept where the user can write; where nothing can be written they still work."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

from numba import njit, types
from numba.core.caching import FunctionCache, IndexDataCacheFile

from escalation.errors import NotKeptWarning, warn

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(
    *,
    error_model: Literal["python", "numpy"] = "python",
    fastmath: bool | set[str] = False,
    inline: Literal["never", "always"] = "never",
) -> Callable[[Function], Function]:
    """Compile a function when it is first called, without the lock of the interpreter, and keep the code.

    What other compiled functions call is compiled without the frames by which Python and C could call it: these take
    a third of the time.

    Parameters
    ----------
    error_model, fastmath, inline
        As in :func:`numba.njit`.

    Returns
    -------
    callable
        The decorator.

    Warns
    -----
    NotKeptWarning
        Once, if no folder for the code can be written: each process then compiles anew.

    Examples
    --------
    A function of a file: what is typed in has no place where its code could be kept.

    >>> import numpy as np
    >>> from escalation.conventions.compiled_draws import draw_count
    >>> draw_count(0.0, 0.5, np.random.default_rng(1))
    0
    """

    def decorate(function: Function) -> Function:
        options: dict[str, Any] = {"nogil": True, "error_model": error_model, "fastmath": fastmath, "inline": inline}
        dispatcher: Any = njit(**options)(function)
        _keep(dispatcher, function)

        @functools.cache
        def inner() -> Any:
            bare = options | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
            frameless: Any = njit(**bare)(function)
            _keep(frameless, function, ".inner")
            return frameless

        _answer_compiled_callers(dispatcher, inner)
        decorated: Function = dispatcher
        return decorated

    return decorate


def _keep(dispatcher: Any, function: Callable[..., object], ending: str = "") -> None:
    """Keep the code of a dispatcher on disk, as ``njit(cache=True)`` does, where a folder can be written."""
    try:
        dispatcher._cache = _Cache(function, ending)
    except RuntimeError:
        _warn_once()


def _answer_compiled_callers(dispatcher: Any, inner: Callable[[], Any]) -> None:
    """Let compiled functions that call ``dispatcher`` have the code of ``inner``, made when one is first compiled.

    Constants among the arguments of a call are numbers like others: numba compiles anew for each of them.
    """

    def call_template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        plain = tuple(types.unliteral(one) for one in args)
        return inner().get_call_template(plain, {name: types.unliteral(one) for name, one in kws.items()})

    dispatcher.get_call_template = call_template
    dispatcher.get_overload = lambda sig: inner().get_overload(sig)


class _Cache(FunctionCache):
    """The compiled code of a function on disk; what is damaged there, or of another version, is made anew.

    numba looks at the function's own file only, but the code of the functions that it calls is within its own.
    What is kept of one function for Python and for compiled callers has an ``ending`` of its own.
    """

    def __init__(self, function: Callable[..., object], ending: str = "") -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp(), source_stamp(Path(__file__).parent.parent)
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base + ending, stamp)

    def load_overload(self, sig: object, target_context: object) -> Any:
        """Load the code for these types; None if there is none that can be read."""
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # a truncated file makes its reader raise nearly anything
            self._forget()
            return None

    def save_overload(self, sig: object, data: object) -> None:
        """Keep the code for these types, if it can be written."""
        try:
            super().save_overload(sig, data)
        except OSError:  # the disk is full, or was made read-only
            _warn_once()

    def _forget(self) -> None:
        try:
            self.flush()
        except OSError:
            _warn_once()


@functools.cache
def source_stamp(folder: Path) -> str:
    """Digest of all files below a folder in which something is compiled; read once in a process."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        text = path.read_bytes()
        if b"@compiled(" in text:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + text)
    return digest.hexdigest()


@functools.cache
def _warn_once() -> None:
    warn(
        "compiled code cannot be kept, so every run compiles for a minute or so: neither the folder of the package nor "
        "the user's cache can be written; set NUMBA_CACHE_DIR to a folder that can",
        NotKeptWarning,
    )
