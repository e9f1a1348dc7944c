"""Read what people see in headless Chromium: browser.py site FOLDER, or browser.py lab NOTEBOOK...

``site`` serves the documentation on loopback and visits every page: links and anchors, search, dark mode, the width of
a phone, and that nothing is asked of other hosts.  ``lab`` starts JupyterLab on loopback, runs all cells of notebooks
there and looks at their outputs in light and dark.  Chromium is that of the system.
"""

import contextlib
import functools
import http.server
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urldefrag, urljoin

from playwright.sync_api import Browser, Page, sync_playwright

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
PATIENCE = 180_000
"""Milliseconds that a page may take, on a machine that does other things too."""
SECONDS = 900
"""A notebook may take so long, on a machine that does other things too."""
CONTRAST = 4.5
"""Least ratio of luminances of text and what is behind it (WCAG 2, level AA)."""
LINKS = "() => Array.from(document.querySelectorAll('a[href]'), one => one.href)"
IDS = "() => Array.from(document.querySelectorAll('[id]'), one => one.id)"
WIDTH = "() => document.documentElement.scrollWidth"
LEAST_CONTRAST = """(chosen) => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/rgba\\(.*, 0\\)|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const ratios = Array.from(document.querySelectorAll(chosen)).filter(one => one.textContent.trim()).map(one => {
    const pair = [light(getComputedStyle(one).color), light(behind(one))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  });
  return ratios.length ? Math.min(...ratios) : null;
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing, many over one connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Lets a browser knock more often than five times at once: who is not let in waits for seconds, and again."""

    request_queue_size = 128


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; gives its address."""
    server = Server(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def check_site(browser: Browser, folder: Path) -> list[str]:
    """Visit every page of a site; gives what is wrong with it."""
    wrong: list[str] = []
    with served(folder) as root:
        page = browser.new_page(viewport=PHONE)
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda asked: wrong.append(f"asks {asked.url}") if not asked.url.startswith(root) else None)
        page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
        seen, anchors, asked = {f"{root}index.html"}, {}, set()
        left = list(seen)
        while left:
            address = left.pop()
            answer = page.goto(address, wait_until="domcontentloaded")
            if answer is None or not answer.ok:
                wrong.append(f"{address}: {answer.status if answer else 'nothing'}")
                continue
            if not address.endswith(".html"):
                continue
            anchors[address] = set(page.evaluate(IDS))
            if (width := page.evaluate(WIDTH)) > PHONE["width"] + 1:
                wrong.append(f"{address}: {width} pixels wide on a phone of {PHONE['width']}")
            for link in page.evaluate(LINKS):
                if link.startswith(root):
                    asked.add(link)
                    plain = urldefrag(link).url
                    if plain not in seen and not plain.endswith((".png", ".svg", ".ipynb")):
                        seen.add(plain)
                        left.append(plain)
        lost = [
            link
            for link in asked
            if (found := urldefrag(link)).fragment and found.fragment not in anchors.get(found.url, {found.fragment})
        ]
        wrong += [f"{link}: no such place on the page" for link in sorted(lost)]
        page.set_viewport_size(DESK)
        page.goto(urljoin(root, "search.html?q=flashpoint"))
        page.wait_for_selector("#search-results li", timeout=PATIENCE)
        for theme in ("light", "dark"):
            page.goto(f"{root}methods.html")
            page.evaluate("theme => document.documentElement.setAttribute('data-theme', theme)", theme)
            ratio = page.evaluate(LEAST_CONTRAST, "article p, article td, article th, article h1")
            if ratio is None or ratio < CONTRAST:
                wrong.append(f"methods.html: contrast of {ratio} in {theme}")
        print(f"{len(anchors)} pages, {len(asked)} links within the site")
        page.close()
    return wrong


@contextlib.contextmanager
def laboratory(folder: Path) -> Iterator[str]:
    """Start JupyterLab on loopback; gives its address."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token="]
    options += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True", "--ServerApp.port_retries=0"]
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    news = folder / "settings" / "@jupyterlab" / "apputils-extension"
    news.mkdir()
    (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    log = (folder / "lab.log").open("w")
    own = {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options], stdout=log, stderr=log, cwd=folder, env=os.environ | own
    )
    address = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(240):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}api", timeout=5)
                break
            time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(30)
        log.close()


RUN = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  for (const step of [panel.context.ready, panel.revealed, panel.sessionContext.ready]) await step;
  await panel.sessionContext.session.kernel.info;
  app.commands.execute('notebook:run-all-cells');
}"""
"""Before the notebook is there and its kernel answers, the command runs nothing and says nothing."""
STATE = """() => {
  const content = window.jupyterapp.shell.currentWidget.content;
  const cells = content.model.sharedModel.cells.filter(one => one.cell_type === 'code' && one.source.trim());
  const outputs = cells.flatMap(one => one.outputs);
  const kinds = outputs.flatMap(one => Object.keys(one.data || {}));
  return {
    cells: cells.length,
    done: cells.filter(one => one.execution_count !== null).length,
    errors: outputs.filter(one => one.output_type === 'error').map(one => one.ename + ': ' + one.evalue),
    stderr: outputs.filter(one => one.output_type === 'stream' && one.name === 'stderr').length,
    tables: kinds.filter(one => one === 'text/html').length,
    charts: kinds.filter(one => one.startsWith('image/')).length,
  };
}"""
THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme: theme})"


def check_lab(browser: Browser, notebooks: list[Path]) -> list[str]:
    """Run notebooks in JupyterLab; gives what is wrong with them."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as place, laboratory(Path(place)) as root:
        for notebook in notebooks:
            shutil.copy(notebook, place)
            page = browser.new_page(viewport=DESK)
            page.set_default_timeout(PATIENCE)
            page.goto(f"{root}lab/tree/{notebook.name}?reset", wait_until="domcontentloaded")
            page.wait_for_selector(".jp-Notebook .jp-Cell")
            page.evaluate(RUN)
            wrong += _outputs(page, notebook.name)
            for theme in ("JupyterLab Light", "JupyterLab Dark"):
                page.evaluate(THEME, theme)
                page.wait_for_timeout(1500)
                ratio = page.evaluate(
                    LEAST_CONTRAST, ".jp-OutputArea td, .jp-OutputArea th, .jp-OutputArea p, .jp-OutputArea b"
                )
                if ratio is None or ratio < CONTRAST:
                    wrong.append(f"{notebook.name}: contrast of {ratio} in {theme}")
            page.close()
    return wrong


def _outputs(page: Page, name: str) -> list[str]:
    """Wait for all cells to end; gives what is wrong with what they showed."""
    until = time.monotonic() + SECONDS
    state = page.evaluate(STATE)
    while state["done"] < state["cells"] and not state["errors"] and time.monotonic() < until:
        page.wait_for_timeout(1000)
        state = page.evaluate(STATE)
    print(f"{name}: {state}")
    wrong = [f"{name}: {error}" for error in state["errors"]]
    if state["done"] < state["cells"]:
        wrong.append(f"{name}: {state['cells'] - state['done']} cells did not run")
    if state["stderr"]:
        wrong.append(f"{name}: {state['stderr']} outputs of warnings")
    wrong += [f"{name}: no {what}" for what in ("tables", "charts") if not state[what]]
    if page.locator(".jp-OutputArea .jp-RenderedHTMLCommon table").count() == 0:
        wrong.append(f"{name}: no table is drawn")
    return wrong


def main(kind: str, *paths: str) -> int:
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is not on this machine: nothing was looked at")
        return 0
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = (
            check_site(browser, Path(paths[0])) if kind == "site" else check_lab(browser, [Path(one) for one in paths])
        )
        browser.close()
    for line in found[:40]:
        print(line)
    print(f"{len(found)} things are wrong" if found else "nothing is wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
