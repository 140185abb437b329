"""What machines ask a site for: who may index what, which pages there are, whether it is well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from plugins.logs.site.access import ChannelView
from plugins.logs.site.addresses import day_path
from plugins.logs.site.context import channel_version, site_of
from plugins.logs.site.responses import answer

# Crawlers that collect text for AI, by the names that their makers document.
AI_CRAWLERS = (
    "AI2Bot", "Ai2Bot-Dolma", "Amazonbot", "anthropic-ai", "Applebot-Extended", "Brightbot", "Bytespider",
    "CCBot", "ChatGPT-User", "Claude-SearchBot", "Claude-User", "Claude-Web", "ClaudeBot", "cohere-ai",
    "cohere-training-data-crawler", "Crawlspace", "Diffbot", "DuckAssistBot", "FacebookBot",
    "Google-CloudVertexBot", "Google-Extended", "GoogleOther", "GPTBot", "ImagesiftBot", "meta-externalagent",
    "Meta-ExternalAgent", "meta-externalfetcher", "MistralAI-User", "OAI-SearchBot", "omgili", "omgilibot",
    "PanguBot", "Perplexity-User", "PerplexityBot", "PetalBot", "Timpibot", "Webzio-Extended", "YouBot",
)  # fmt: skip
NOT_TO_CRAWL = ("/api/", "/search", "/*/search", "/*/live", "/L/")  # pages without an end, and doubles
MOST_ADDRESSES = 50_000  # sitemaps.org
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


async def healthz(request: Request) -> Response:
    """Whether the archive can be read."""
    await site_of(request).archive.latest("")
    return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


async def robots(request: Request) -> Response:
    """Names public channels only: what is not listed anywhere is not listed here."""
    site = site_of(request)
    views = await site.listed()

    async def make() -> str:
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in NOT_TO_CRAWL)]
        lines += [f"Disallow: {view.path}" for view in views if not view.settings.robots.search]
        lines += ["", *(f"User-agent: {name}" for name in AI_CRAWLERS), "Disallow: /"]
        lines += [f"Allow: {view.path}" for view in views if view.settings.robots.ai]
        lines += ["", f"Sitemap: {site.absolute(request, '/sitemap.xml')}", ""]
        return "\n".join(lines)

    etag = f"robots {[(view.path, view.settings.robots) for view in views]} {site.absolute(request, '/')}"
    return await answer(request, etag, make, media_type="text/plain; charset=utf-8")


async def sitemap(request: Request) -> Response:
    """The pages of public channels that search engines may index, the newest days first."""
    site = site_of(request)
    views = [view for view in await site.listed() if view.settings.robots.search]
    etag = f"sitemap {await channel_version(site, views)} {site.absolute(request, '/')}"

    async def make() -> bytes:
        days = [(view, list(await site.archive.calendar(view.info.place))) for view in views]
        made: bytes = await site.renderer.run(_sitemap, days, partial(site.absolute, request))
        return made

    return await answer(request, etag, make, media_type="application/xml")


def _paths(days_of: Sequence[tuple[ChannelView, Sequence[date]]]) -> list[str]:
    paths = ["/"]
    for view, _ in days_of:
        paths += [view.path, f"{view.path}about"]
    days = sorted(((day, view.info.place) for view, days in days_of for day in days), reverse=True)
    paths += [day_path(place, day) for day, place in days[:MOST_ADDRESSES]]
    return paths[:MOST_ADDRESSES]


def _sitemap(days_of: Sequence[tuple[ChannelView, Sequence[date]]], absolute: Callable[[str], str]) -> bytes:
    """The document, of channels with the days that they have. Fifty thousand addresses take their time."""
    urls = ElementTree.Element("urlset", xmlns=SITEMAP)
    for path in _paths(days_of):
        ElementTree.SubElement(ElementTree.SubElement(urls, "url"), "loc").text = absolute(path)
    made: bytes = ElementTree.tostring(urls, encoding="utf-8", xml_declaration=True)
    return made
