-- What is to be forgotten stays noted until it is, so that it is forgotten though the bot may die meanwhile.

CREATE TABLE doomed (
    line INTEGER PRIMARY KEY
);
