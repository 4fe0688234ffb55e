-- A database as schema version 1 left it, with one object that was changed once.
PRAGMA page_size=8192;
PRAGMA journal_mode=WAL;
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT INTO meta VALUES('rv_base',1),('log_floor',5);
CREATE TABLE migration(version INTEGER PRIMARY KEY, summary TEXT NOT NULL, at INTEGER NOT NULL);
INSERT INTO migration VALUES(1,'objects, change log, content, journal',1700000000);
CREATE TABLE object(kind TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL, rv INTEGER NOT NULL, f1 TEXT, f2 TEXT, PRIMARY KEY(kind,ns,name)) WITHOUT ROWID;
CREATE INDEX object_f1 ON object(kind,f1,ns,name) WHERE f1 IS NOT NULL;
CREATE INDEX object_f2 ON object(kind,f1,f2,ns,name) WHERE f1 IS NOT NULL AND f2 IS NOT NULL;
CREATE TABLE change(rv INTEGER PRIMARY KEY, kind TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL, type INTEGER NOT NULL, prev_rv INTEGER NOT NULL, at INTEGER NOT NULL, sealed INTEGER NOT NULL, meta_from INTEGER NOT NULL, meta_to INTEGER NOT NULL, uid TEXT NOT NULL, cells TEXT NOT NULL, data BLOB NOT NULL, json NOT NULL);
INSERT INTO change VALUES(6,'things','default','kept',0,0,1700000000,0,12,35,'u','["kept"]',x'','{"metadata":{"resourceVersion":"6"}}');
INSERT INTO change VALUES(7,'things','default','kept',1,6,1700000001,0,12,35,'u','["kept"]',x'','{"metadata":{"resourceVersion":"7"}}');
INSERT INTO object VALUES('things','default','kept',7,'repo',NULL);
CREATE TABLE content(id BLOB NOT NULL UNIQUE, type INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE journal(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
PRAGMA application_id=1818324585;
PRAGMA user_version=1;
