"""What machines ask a site for: who may index what, which pages there are, whether it is well."""

from __future__ import annotations

from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from plugins.logs.site.access import ChannelView
from plugins.logs.site.addresses import day_path
from plugins.logs.site.context import Site, channel_version, site_of
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
        paths = await _paths(site, views)
        addresses = [site.absolute(request, path) for path in paths]
        made: bytes = await site.renderer.run(_sitemap, addresses)
        return made

    return await answer(request, etag, make, media_type="application/xml")


async def _paths(site: Site, views: list[ChannelView]) -> list[str]:
    paths = ["/"]
    days = []
    for view in views:
        paths += [view.path, f"{view.path}about"]
        days += [(day, view.info.place) for day in await site.archive.calendar(view.info.place)]
    days.sort(reverse=True)
    paths += [day_path(place, day) for day, place in days[:MOST_ADDRESSES]]
    return paths[:MOST_ADDRESSES]


def _sitemap(addresses: list[str]) -> bytes:
    urls = ElementTree.Element("urlset", xmlns=SITEMAP)
    for address in addresses:
        ElementTree.SubElement(ElementTree.SubElement(urls, "url"), "loc").text = address
    made: bytes = ElementTree.tostring(urls, encoding="utf-8", xml_declaration=True)
    return made
