-- What is to be said, and must not be lost: `outbox.sqlite`, version 1.

CREATE TABLE item (
    id INTEGER PRIMARY KEY,            -- their order is the order in which they are said
    queue TEXT NOT NULL,               -- who renders it
    target TEXT NOT NULL,              -- network/#channel
    key TEXT NOT NULL,                 -- said to a target once only under it
    lane TEXT NOT NULL,                -- what is held back together
    noise INTEGER NOT NULL,            -- goes last, and is dropped first
    once INTEGER NOT NULL,             -- in doubt whether it was said: rather never than twice
    time REAL NOT NULL,                -- what it tells of (UTC epoch seconds, as all times)
    expires REAL NOT NULL,             -- given up then
    written REAL NOT NULL,             -- since when it may have been given to a connection; 0: not yet
    settled REAL,                      -- when it was known what became of it; NULL: it waits
    data BLOB,                         -- what is to be said; NULL when it is settled
    about BLOB,                        -- what its owner wants to know of it afterwards
    UNIQUE (queue, key, target)
) STRICT;

CREATE INDEX item_waiting ON item (id) WHERE settled IS NULL;
CREATE INDEX item_settled ON item (settled) WHERE settled IS NOT NULL;

-- Up to when all that is for a lane has been put into it. While it is open, that holds whatever is in it.
CREATE TABLE reached (
    queue TEXT NOT NULL,
    lane TEXT NOT NULL,
    time REAL NOT NULL,
    open INTEGER NOT NULL,
    PRIMARY KEY (queue, lane)
) STRICT, WITHOUT ROWID;

-- The ids that the network gave to its lines.
CREATE TABLE copy (
    item INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    line INTEGER NOT NULL,
    msgid TEXT NOT NULL,
    PRIMARY KEY (item, line)
) STRICT, WITHOUT ROWID;
