local support = require "spec.core.store.support"
local probe = require "probe_store"

local function refused(dir, ...)
  local s, err = probe.open { dir = dir }
  assert.is_nil(s)
  for _, part in ipairs { ... } do
    assert.truthy(err.message:find(part, 1, true), err.message)
  end
  return err
end

local function filled(n)
  local s, dir = support.open()
  for i = 1, n do
    support.add(s, "n" .. i, { spec = ("x"):rep(3000) })
  end
  s:close()
  return dir, dir .. "/lanai.db"
end

local function overwrite(path, at, bytes)
  local file = assert(io.open(path, "r+b"))
  file:seek("set", at)
  file:write(bytes)
  file:close()
end

local function size(path)
  local file = assert(io.open(path, "rb"))
  local n = file:seek("end")
  file:close()
  return n
end

describe("opening a store", function()
  after_each(support.clean)

  it("makes the directory", function()
    local dir = support.dir() .. "/new"
    local s = support.open { dir = dir }
    assert.is_true(support.add(s, "a") > 0)
  end)

  it("syncs fully and writes ahead", function()
    local dir, db = filled(1)
    assert.equal("wal", probe.sql(db, "PRAGMA journal_mode")[1].journal_mode)
    assert.is_not_nil(dir)
  end)

  describe("with an older schema", function()
    local dir, db
    before_each(function()
      dir = support.dir()
      db = dir .. "/lanai.db"
      local file = assert(io.open("spec/core/store/schema1.sql"))
      assert(probe.sql(db, file:read("a")))
      file:close()
    end)

    it("brings it to the newest and keeps what is there", function()
      local s = support.open { dir = dir }
      local o = assert(s:get("things", "default", "kept"))
      assert.equal(7, o.rv)
      assert.equal('{"metadata":{"resourceVersion":"7"}}', o.json)
      assert.equal('{"resourceVersion":"7"}', o.meta)
      assert.equal(8, support.add(s, "new"))
      assert(s:commit { { op = "audit", json = "{}" } })
      assert.equal("ADDED MODIFIED ADDED", (function(rows)
        return rows[1].type .. " " .. rows[2].type .. " " .. rows[3].type
      end)(s:changes("things", nil, 5)))
      s:close()
      local version = tonumber(probe.sql(db, "PRAGMA user_version")[1].user_version)
      assert.is_true(version > 1)
      local steps = probe.sql(db, "SELECT version, at FROM migration ORDER BY version")
      assert.equal(version, #steps)
      assert.equal(tostring(version), steps[version].version)
    end)

    it("finds which revisions refer to which", function()
      local function task(text)
        return ('{"spec":{"tasks":[%s]}}'):format(text)
      end
      for i, json in ipairs({
        task '{"clone":{"upstreamRef":{"upstreamRef":{"name":"up"}}}}',
        task '{"upgrade":{"oldUpstreamRef":{"name":"old"},"newUpstreamRef":{"name":"up"}}}',
        task '{"clone":{"upstreamRef":{"upstreamRef":{"name":""}}}}',
        task '{"edit":{"sourceRef":{"name":"up"}}}',
        "damaged {",
      }) do
        probe.sql(db, ("INSERT INTO change VALUES(%d,'packagerevisions','ns','r%d',0,0,0,0,0,0,'',"
          .. "'',x'','%s')"):format(100 + i, i, json))
        probe.sql(db, ("INSERT INTO object VALUES('packagerevisions','ns','r%d',%d,NULL,NULL)")
          :format(i, 100 + i))
      end
      local s = support.open { dir = dir }
      assert.equal("r1 r2", support.names(s:list { kind = "packagerevisions", ref = "up" }))
    end)

    it("has the same tables afterwards as a new one", function()
      support.open({ dir = dir }):close()
      local _, fresh = filled(0)
      local function tables(path)
        local out = {}
        for i, row in ipairs(probe.sql(path, "SELECT sql FROM sqlite_schema ORDER BY name")) do
          out[i] = row.sql:gsub("%s+", " ")
        end
        return out
      end
      assert.same(tables(fresh), tables(db))
    end)
  end)

  it("refuses a newer schema and leaves it alone", function()
    local dir, db = filled(1)
    probe.sql(db, "PRAGMA user_version=99")
    refused(dir, db, "schema version 99", "newer")
    assert.equal("99", probe.sql(db, "PRAGMA user_version")[1].user_version)
  end)

  it("refuses the database of another program", function()
    local dir = support.dir()
    probe.sql(dir .. "/lanai.db", "CREATE TABLE bookmarks(url)")
    refused(dir, dir .. "/lanai.db", "another program")
  end)

  it("refuses a directory that another process uses", function()
    local s, dir = support.open()
    local text = probe.open_child(dir)
    assert.truthy(text:find(dir, 1, true))
    assert.truthy(text:find("in use by another process", 1, true), text)
    refused(dir, "in use")
    s:close()
    assert.equal("", probe.open_child(dir))
  end)

  it("names a data directory that is a file", function()
    local file = support.dir() .. "/file"
    io.open(file, "w"):close()
    refused(file, file, "Not a directory")
  end)

  it("names a directory that cannot be made", function()
    local dir = support.dir() .. "/a/b"
    refused(dir, dir, "No such file")
  end)

  it("names what a user without rights cannot write", function()
    local dir, db = filled(1)
    if probe.open_child(support.dir(), 65534):find("child not ready", 1, true) then
      return pending("needs the right to become another user")
    end
    os.execute("chmod 755 " .. dir)
    local text = probe.open_child(dir, 65534)
    assert.truthy(text:find(dir .. "/lock': Permission denied", 1, true), text)
    os.execute("chmod 666 " .. dir .. "/lock; chmod 644 " .. db)
    text = probe.open_child(dir, 65534)
    assert.truthy(text:find(db .. "': Permission denied", 1, true), text)
  end)

  describe("of a damaged file", function()
    it("refuses garbage", function()
      local dir = support.dir()
      local file = io.open(dir .. "/lanai.db", "wb")
      file:write(("garbage "):rep(4000)):close()
      refused(dir, dir .. "/lanai.db", "damaged")
    end)

    it("refuses a file that was cut off", function()
      local dir, db = filled(50)
      assert(os.execute("truncate -s " .. size(db) // 2 .. " " .. db))
      refused(dir, db, "damaged")
    end)

    it("refuses a page of rubbish in the middle", function()
      local dir, db = filled(200)
      for page = 3, 40 do
        overwrite(db, page * 8192, ("\xa5"):rep(8192))
      end
      refused(dir, db, "damaged")
    end)
  end)
end)

describe("a full disk", function()
  after_each(support.clean)

  it("fails the commit, changes nothing and leaves reading possible", function()
    local dir = support.dir() .. "/disk"
    assert(os.execute("mkdir " .. dir))
    if not probe.mount_tiny(dir, 2 << 20) then
      return pending("needs the right to mount a small file system")
    end
    local ok, problem = pcall(function()
      local s = support.open { dir = dir }
      local n, last, err = 0
      repeat
        local numbers
        numbers, err = s:commit { support.put("n" .. n, { spec = ("x"):rep(20000) }),
          { op = "journal_put", key = "last", value = tostring(n) } }
        if numbers then
          last, n = numbers[1], n + 1
        end
      until not numbers
      assert.equal("unavailable", err.kind)
      assert.truthy(err.message:find(dir .. "/lanai.db", 1, true), err.message)
      assert.truthy(err.message:find("disk full", 1, true), err.message)
      assert.is_true(n > 10)
      local function unchanged()
        assert.equal(last, s:rv())
        assert.equal(n, #s:list { kind = "things" })
        assert.equal(tostring(n - 1), s:journal("last")[1].value)
        assert.is_nil(s:get("things", "default", "n" .. n))
      end
      unchanged()
      assert.equal(40, (s:load(8, 0, 5, 40000))) -- groups that are tried again one by one
      unchanged()
      s:close()
      s = support.open { dir = dir }
      unchanged()
      s:close()
      collectgarbage()
    end)
    collectgarbage() -- closes the store when an assertion left it open
    assert.is_true(probe.unmount(dir))
    assert(ok, problem)
  end)

  it("is told apart from other write errors", function()
    local dir, db = filled(1)
    local text = probe.open_child(dir, 0, 60000)
    assert.truthy(text:find("^unavailable: "), text)
    assert.truthy(text:find(db, 1, true), text)
    local s = support.open { dir = dir }
    assert.equal("n1", support.names(s:list { kind = "things" }))
    assert.same({}, s:list { kind = "kind" })
  end)
end)
