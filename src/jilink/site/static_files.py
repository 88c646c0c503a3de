"""Static files of the pages, sent whole: under ASGI a response that streams from a plain iterator is read whole anyway, with a warning."""

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]  # -- WhiteNoise has no types
from whitenoise.responders import StaticFile  # type: ignore[import-untyped]  # -- WhiteNoise has no types


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # -- WhiteNoise has no types
    """WhiteNoise with responses that suit ASGI (Django documentation, "StreamingHttpResponse": asynchronous iterators alone)."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Return the file, or the part of it asked for, with the headers WhiteNoise gives it."""
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file:
                body = found.file.read()
        response = HttpResponse(body, status=int(found.status))
        del response["content-type"]
        for key, value in found.headers:
            response[key] = value
        return response
