-- The first schema of an archive. A file is never changed once it is released: a new one follows it.
-- Words are indexed apart, in one table for each month (`words_202611`, made when its first line comes; see
-- archive/words.py), so that what is forgotten is rewritten in small pieces.

CREATE TABLE channels (
    id INTEGER PRIMARY KEY,
    network TEXT NOT NULL,
    name TEXT NOT NULL,                    -- with its "#", as the config writes it
    topic TEXT NOT NULL DEFAULT '',
    publish TEXT,                          -- what an operator of the channel said: 'on', 'off'; NULL: nothing
    lines INTEGER NOT NULL DEFAULT 0,
    known_until INTEGER NOT NULL DEFAULT 0, -- microseconds: up to then what was said is here, or a gap
    version INTEGER NOT NULL DEFAULT 0,    -- changes when anything but lines of existing hours changes
    UNIQUE (network, name)
);

CREATE TABLE authors (
    id INTEGER PRIMARY KEY,
    network TEXT NOT NULL,
    nick TEXT NOT NULL,
    account TEXT NOT NULL DEFAULT '',
    identity BLOB NOT NULL DEFAULT x'',    -- keyed hash of who it was, where there is no account
    host TEXT NOT NULL DEFAULT '',         -- username@host, only where the config asks for it
    UNIQUE (network, nick, account, identity, host)
);

CREATE TABLE lines (
    id INTEGER PRIMARY KEY,                -- see line.py
    channel INTEGER NOT NULL,
    kind INTEGER NOT NULL,                 -- its place in KINDS
    author INTEGER NOT NULL,
    text TEXT NOT NULL,
    target TEXT,
    msgid TEXT,
    reply_to TEXT,
    origin TEXT,
    flags INTEGER NOT NULL                 -- 1: fetched afterwards, 2: redacted
);
CREATE INDEX lines_of_channel ON lines (channel, id, kind, author);
CREATE INDEX lines_by_msgid ON lines (msgid) WHERE msgid IS NOT NULL;

CREATE TABLE hours (                       -- how much there is, for calendars, statistics and ETags
    channel INTEGER NOT NULL,
    hour INTEGER NOT NULL,                 -- hours since the epoch
    lines INTEGER NOT NULL,
    talk INTEGER NOT NULL,                 -- messages, notices and actions among them
    version INTEGER NOT NULL,              -- larger whenever a line of that hour changes
    PRIMARY KEY (channel, hour)
) WITHOUT ROWID;

CREATE TABLE gaps (
    channel INTEGER NOT NULL,
    since INTEGER NOT NULL,                -- microseconds
    until INTEGER NOT NULL,
    PRIMARY KEY (channel, since)
) WITHOUT ROWID;

CREATE TABLE changes (                     -- the last ones, in the order of commits, for live pages
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    channel INTEGER NOT NULL,
    line INTEGER NOT NULL,
    what INTEGER NOT NULL                  -- 0: a new line, 1: redacted, 2: removed
);
CREATE INDEX changes_of_channel ON changes (channel, seq);

CREATE TABLE consent (                     -- who wants to stay out; no names, only keyed hashes of them
    network TEXT NOT NULL,
    who BLOB NOT NULL,
    what TEXT NOT NULL,                    -- 'out': nothing is kept; 'forgotten': nothing until then;
                                           -- 'topic': a topic that was removed, not a person
    until INTEGER NOT NULL,                -- microseconds; of 'out' when it was said
    PRIMARY KEY (network, who, what)
) WITHOUT ROWID;

CREATE TABLE unfinished (                  -- months whose index still has words in it that were removed
    month TEXT PRIMARY KEY
) WITHOUT ROWID;
