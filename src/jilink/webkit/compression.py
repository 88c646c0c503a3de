"""Pages travel compressed, for networks on which a page of 80 kB takes half a second longer than one of 9."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

PAGES = "text/html"


class CompressedPages(GZipMiddleware):
    """Compress whole pages, with bytes of random length against guessing by size (BREACH); Django does that since 4.2.

    Streams go as they are: an event must not wait in a buffer. Answers to programs too: their entity tags would become weak.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the response, compressed where it is a page and the browser takes it so."""
        if not isinstance(response, HttpResponse) or not response.headers.get("Content-Type", "").startswith(PAGES):
            return response
        return super().process_response(request, response)
