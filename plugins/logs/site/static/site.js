// What pages do beyond being read: live lines, links to lines, keys, theme, time zone, and parts loaded apart.
// Everything works without it. Markup comes from our own server only, which has made it safe.

const MOST_LINES = 3000; // on a page that has been followed for long
const AT_THE_END = 48; // pixels from the end of the lines that still count as being there
const ANNOUNCE_AFTER = 2000; // milliseconds in which new lines are counted before they are announced
const AGAIN_WITHIN = 300; // seconds after which the nick is shown again
const RETRY = [5, 15, 60, 300, 600]; // seconds, where the server does not want us now
const LINE = /^#L(\d+)(?:-L(\d+))?$/;

const find = (selector, within = document) => within.querySelector(selector);
const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];
const parsed = (html) => document.adoptNode(new DOMParser().parseFromString(html, "text/html").body);
const counted = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

// -- what is remembered

function quietly(keep) {
  try {
    return keep();
  } catch {
    return null; // the reader's browser keeps nothing
  }
}

const remembered = (name) => quietly(() => localStorage.getItem(name));
const remember = (name, value) => quietly(() => localStorage.setItem(name, value));

// -- theme

const THEMES = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const button = find("#theme");
  button.title = button.ariaLabel = THEMES[theme];
  button.textContent = { auto: "Auto", light: "Light", dark: "Dark" }[theme];
}

function startTheme() {
  const button = find("#theme");
  if (!button) return;
  let theme = remembered("theme") in THEMES ? remembered("theme") : "auto";
  setTheme(theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    const names = Object.keys(THEMES);
    theme = names[(names.indexOf(theme) + 1) % names.length];
    setTheme(theme);
    remember("theme", theme);
  });
}

// -- time zone

let mine = remembered("zone") === "mine";
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const isoDay = new Intl.DateTimeFormat("sv-SE"); // 2026-11-21
const ownDay = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const zoneName = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "your time zone";

function showTimes(within) {
  for (const time of findAll("time[datetime]", within)) {
    time.dataset.utc ??= time.textContent;
    const when = new Date(time.dateTime);
    if (!/^\d\d:\d\d$/.test(time.dataset.utc) || Number.isNaN(when.getTime())) continue;
    time.textContent = mine ? clock.format(when) : time.dataset.utc;
    if (mine) time.title = whole.format(when);
    else time.removeAttribute("title");
  }
}

function showZone() {
  const button = find("#zone");
  button.textContent = mine ? "Local time" : "UTC";
  button.title = button.ariaLabel = mine ? `Times are in ${zoneName}; show UTC` : `Times are in UTC; show ${zoneName}`;
  const times = find("#times");
  if (times) times.textContent = `Times are in ${mine ? zoneName : "UTC"}.`;
  find("#zone-note")?.remove();
  const days = find("nav.days");
  if (mine && days) {
    const note = document.createElement("p");
    note.id = "zone-note";
    note.className = "note";
    note.textContent = `Times are in ${zoneName}; the day begins and ends at midnight UTC.`;
    days.after(note);
  }
  showTimes(document);
  showMidnights();
}

function showMidnights() {
  // Where the reader's own days begin among the lines.
  for (const old of findAll("#lines > .midnight")) old.remove();
  let before = find("h1 time")?.dateTime;
  for (const line of mine ? [...(find("#lines")?.children ?? [])] : []) {
    const time = find("time[datetime]", line)?.dateTime;
    if (!time) continue;
    const day = isoDay.format(new Date(time));
    if (day !== before) line.before(separator(ownDay.format(new Date(time)), "midnight"));
    before = day;
  }
}

function separator(text, name) {
  const item = document.createElement("li");
  item.className = `gap day ${name}`;
  const label = item.appendChild(document.createElement("span"));
  label.textContent = text;
  return item;
}

function startZone() {
  const button = find("#zone");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    mine = !mine;
    remember("zone", mine ? "mine" : "utc");
    showZone();
  });
  showZone();
}

// -- links to lines: #L1 or #L1-L2

const idOf = (line) => Number(line.id.slice(1));

function markLines({ scroll }) {
  for (const line of findAll("#lines .linked")) line.classList.remove("linked");
  const wanted = LINE.exec(location.hash);
  if (!wanted) return;
  const [first, last] = [Number(wanted[1]), Number(wanted[2] ?? wanted[1])].sort((a, b) => a - b);
  const marked = findAll("#lines li.line").filter((line) => idOf(line) >= first && idOf(line) <= last);
  for (const line of marked) {
    line.classList.add("linked");
    const fold = line.closest("details");
    if (fold) fold.open = true;
  }
  if (!marked.length) seek(first, last);
  else if (scroll) marked[0].scrollIntoView({ block: marked.length === 1 ? "center" : "start" });
}

function seek(first, last) {
  // The line stands on another page by now, as when older lines came later.
  if (!find("#lines") || quietly(() => sessionStorage.getItem("sought")) === location.href) return;
  quietly(() => sessionStorage.setItem("sought", location.href));
  location.replace(`/L/${first}${last === first ? "" : `?to=${last}`}`);
}

function startLinks() {
  const lines = find("#lines");
  if (!lines) return;
  let chosen = false; // by a click: the reader is there already
  const goTo = (hash) => {
    const top = scrollY;
    chosen = hash !== location.hash;
    location.hash = hash; // not by pushState, which leaves :target where it was
    scrollTo({ top, behavior: "instant" });
  };
  lines.addEventListener("click", (event) => {
    const time = event.target.closest("a.time");
    if (!time || event.ctrlKey || event.metaKey || event.altKey || event.button !== 0) return;
    event.preventDefault();
    const before = LINE.exec(location.hash);
    if (event.shiftKey && before) {
      const ends = [Number(before[1]), Number(LINE.exec(time.hash)[1])].sort((a, b) => a - b);
      getSelection()?.removeAllRanges(); // that a shift-click makes
      goTo(ends[0] === ends[1] ? time.hash : `#L${ends[0]}-L${ends[1]}`);
    } else {
      goTo(time.hash === location.hash ? "#" : time.hash);
    }
  });
  addEventListener("hashchange", () => {
    markLines({ scroll: !chosen });
    chosen = false;
  });
  markLines({ scroll: true });
}

// -- keys

function startKeys() {
  const keys = {
    "/": () => find("#q")?.select() ?? find("#q")?.focus(),
    j: () => find("a[rel=next]")?.click(),
    k: () => find("a[rel=prev]")?.click(),
    "?": () => find("#keys")?.showModal(),
  };
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
}

// -- parts that are loaded apart

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return parsed(await answer.text());
}

async function loadCounts() {
  const counts = find("#counts[data-load]");
  if (!counts) return;
  try {
    counts.replaceChildren(...(await fetched(counts.dataset.load)).childNodes);
  } catch {
    // the link to them stays
  }
}

function startContext() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a.around");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const line = link.closest("li");
    const shown = find(":scope > .context", line);
    if (shown) {
      shown.remove();
      link.ariaExpanded = "false";
      return;
    }
    try {
      const context = find(".context", await fetched(`${link.pathname}?fragment=1`));
      showTimes(context);
      line.append(context);
      link.ariaExpanded = "true";
    } catch {
      location.assign(link.href);
    }
  });
}

// -- live lines

const dayOf = (id) => new Date(id / 1000).toISOString().slice(0, 10);
const spoken = new Intl.DateTimeFormat("en-GB", {
  weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC",
});

class Live {
  constructor(lines) {
    this.lines = lines;
    this.status = find("#live");
    this.announced = find("#heard");
    this.count = find("#count");
    this.button = find("#new-lines");
    this.unread = []; // new lines below what is seen
    this.heard = 0; // new lines that were not announced yet
    this.failures = 0;
    const page = find(".pager [aria-current=page]")?.textContent.trim() ?? "1";
    this.fromTheStart = page === "1";
    if (this.beginsAtTheEnd()) lines.lastElementChild?.scrollIntoView({ block: "end", behavior: "instant" });
    this.connect(new URL(lines.dataset.live, location.href));
    this.button?.addEventListener("click", () => this.showUnread());
    addEventListener("scroll", () => this.atTheEnd() && this.markRead(), { passive: true });
  }

  connect(address) {
    const source = new EventSource(address);
    const on = (kind, handle) =>
      source.addEventListener(kind, (event) => {
        address.searchParams.set("after", event.lastEventId);
        handle.call(this, JSON.parse(event.data));
      });
    on("line", this.add);
    on("redacted", this.replace);
    on("removed", this.remove);
    on("reload", this.renew);
    source.addEventListener("open", () => {
      this.failures = 0;
      this.tell("Live: new lines appear here.", true);
    });
    source.addEventListener("error", () => {
      this.tell("The connection is lost; it is tried again.", false);
      if (source.readyState !== EventSource.CLOSED) return; // the browser does it itself
      const wait = RETRY[Math.min(this.failures++, RETRY.length - 1)] * (1 + Math.random());
      setTimeout(() => this.connect(address), wait * 1000); // not everybody at once
    });
  }

  add({ id, html }) {
    if (this.line(id)) return;
    const line = find("li", parsed(html));
    const before = [...this.lines.children].findLast((one) => this.keyOf(one) <= id);
    if (!before && !this.belongsFirst(id)) return; // it stands on a page before this one
    const stays = this.atTheEnd();
    const bottom = this.lines.getBoundingClientRect().bottom;
    find(".log .empty")?.remove();
    if (before) before.after(line);
    else this.lines.prepend(line);
    showTimes(line);
    this.goesOn(before, line);
    const last = !line.nextElementSibling;
    if (last && before && dayOf(this.keyOf(before)) !== dayOf(id)) line.before(this.newDay(id));
    if (mine) showMidnights();
    this.countLine(id, 1);
    if (stays && last) {
      while (this.lines.children.length > MOST_LINES) this.lines.firstElementChild.remove();
      scrollBy({ top: this.lines.getBoundingClientRect().bottom - bottom, behavior: "instant" });
    } else if (last) {
      this.unread.push(line);
      this.showButton();
    }
    this.announce();
  }

  replace({ id, html }) {
    this.line(id)?.replaceWith(find("li", parsed(html)));
    const line = this.line(id);
    if (line) showTimes(line);
    const removed = line && find(":scope > .text > .removed", line);
    if (removed) for (const reply of this.repliesTo(id)) find("bdi:not(.nick)", reply)?.replaceWith(removed.cloneNode(true));
  }

  remove({ id }) {
    for (const reply of this.repliesTo(id)) reply.remove();
    const line = this.line(id);
    const fold = line?.closest("#lines > .folded");
    if (line) this.countLine(id, -1);
    line?.remove();
    if (fold && !find("li.line", fold)) fold.remove();
    this.unread = this.unread.filter((one) => one !== line);
    this.showButton();
  }

  async renew() {
    const answer = await fetch(location.pathname + location.search, { cache: "no-cache" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const lines = find("#lines", page);
    if (!answer.ok || !lines || find("h1", page)?.textContent !== find("h1").textContent) {
      location.reload();
      return;
    }
    this.lines.replaceChildren(...document.adoptNode(lines).childNodes);
    this.showCount(Number(find("#count", page)?.dataset.count ?? 0));
    showTimes(this.lines);
    showMidnights();
    markLines({ scroll: false });
  }

  line(id) {
    return find(`#L${id}`, this.lines);
  }

  repliesTo(id) {
    // They show what they answer.
    return findAll(`a.reply[href="#L${id}"], a.reply[href="/L/${id}"]`, this.lines);
  }

  keyOf(child) {
    const line = child.matches("li.line") ? child : findAll("li.line", child).at(-1);
    return line ? idOf(line) : Number.NaN;
  }

  belongsFirst(id) {
    const first = find("li.line", this.lines);
    return !first || (this.fromTheStart && dayOf(idOf(first)) === dayOf(id));
  }

  goesOn(before, line) {
    // As the server does it: who goes on speaking is not named again.
    const isMessage = (one) => one?.matches("li.message");
    const who = (one) => find(".who", one)?.textContent;
    const again = (one, next) =>
      isMessage(one) && isMessage(next) && who(one) === who(next) && !find(".reply", next) &&
      (idOf(next) - idOf(one)) / 1e6 < AGAIN_WITHIN;
    line.classList.toggle("again", Boolean(again(before, line)));
    const next = line.nextElementSibling;
    if (isMessage(next)) next.classList.toggle("again", Boolean(again(line, next)));
  }

  newDay(id) {
    const link = document.createElement("a");
    link.href = dayOf(id);
    link.textContent = spoken.format(new Date(id / 1000));
    const item = separator("", "");
    item.replaceChildren(link);
    return item;
  }

  countLine(id, change) {
    if (this.count?.dataset.day === dayOf(id)) this.showCount(Number(this.count.dataset.count) + change);
  }

  showCount(count) {
    if (!this.count) return;
    this.count.dataset.count = count;
    this.count.textContent = `${counted(count, "line")} on this day`;
  }

  beginsAtTheEnd() {
    // Who comes to the channel, and not to a day or a line of it, or back to where they were.
    const [visit] = performance.getEntriesByType("navigation");
    return location.pathname.endsWith("/") && !location.hash && visit?.type === "navigate";
  }

  atTheEnd() {
    return this.lines.getBoundingClientRect().bottom <= innerHeight + AT_THE_END;
  }

  showUnread() {
    this.unread[0]?.scrollIntoView({ block: "start" });
    this.markRead();
  }

  markRead() {
    this.unread = [];
    this.showButton();
  }

  showButton() {
    if (!this.button) return;
    this.button.hidden = !this.unread.length;
    this.button.textContent = counted(this.unread.length, "new line");
  }

  announce() {
    // One sentence for those who listen, however much is said.
    if (!this.heard++) {
      setTimeout(() => {
        if (this.announced) this.announced.textContent = `${counted(this.heard, "new line")}.`;
        this.heard = 0;
      }, ANNOUNCE_AFTER);
    }
  }

  tell(text, connected) {
    if (!this.status) return;
    this.status.classList.toggle("connected", connected);
    if (this.status.textContent !== text) this.status.textContent = text;
  }
}

startTheme();
startZone();
startLinks();
startKeys();
startContext();
loadCounts();
const followed = find("#lines[data-live]");
if (followed) new Live(followed);
