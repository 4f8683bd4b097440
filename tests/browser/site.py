"""The documentation's sample as a web page on another origin."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

ORIGINAL_SAMPLE = os.environ.get("BULKWRIGHT_SAMPLE_JS")
"""A file with the documentation's own script, served instead of our version of it."""
PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".js": "text/javascript"}


class Site:
    """A server of the files in `page/`, with some words replaced. It runs until the block ends."""

    def __init__(self, port: int) -> None:
        self.replaced: dict[str, str] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = PAGE / self.path.lstrip("/").partition("?")[0]
                if path.parent != PAGE or not path.is_file():
                    self.send_error(404)
                    return
                if path.name == "sample.js" and ORIGINAL_SAMPLE:
                    path = Path(ORIGINAL_SAMPLE)
                text = path.read_text("utf-8")
                for old, new in site.replaced.items():
                    text = text.replace(old, new)
                body = text.encode()
                self.send_response(200)
                self.send_header("Content-Type", _TYPES[path.suffix])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def origin(self) -> str:
        """The origin of the pages, as the browser sees it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
