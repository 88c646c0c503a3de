"""Pages travel compressed; streams, and answers to programs, as they are."""

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from jilink.webkit.compression import CompressedPages


def sent(response: HttpResponseBase) -> HttpResponseBase:
    request = RequestFactory().get("/", headers={"accept-encoding": "gzip"})
    return CompressedPages(lambda _request: response).process_response(request, response)


def test_a_page_is_compressed() -> None:
    assert sent(HttpResponse("工单" * 1000)).headers["Content-Encoding"] == "gzip"


def test_a_stream_and_an_answer_to_a_program_are_not() -> None:
    for response in (StreamingHttpResponse([b"x" * 1000], content_type="text/event-stream"), JsonResponse({"words": "x" * 1000})):
        assert "Content-Encoding" not in sent(response).headers
