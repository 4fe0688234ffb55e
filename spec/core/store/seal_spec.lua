local support = require "spec.core.store.support"
local probe = require "probe_store"

describe("sealed objects", function()
  after_each(support.clean)

  local secret, private = "correct horse battery", "staple of bytes"

  local function sealed(store, fields)
    fields = fields or {}
    fields.spec, fields.data, fields.sealed = secret, private, true
    return support.add(store, "s", fields)
  end

  it("are read like others, from every place", function()
    local s = support.open()
    local rv = sealed(s)
    local o = s:get("things", "default", "s")
    assert.truthy(o.json:find('"resourceVersion":"' .. rv .. '"},"spec":"' .. secret, 1, true))
    assert.truthy(o.meta:find('"resourceVersion":"' .. rv .. '"}', 1, true))
    assert.equal(private, o.data)
    assert.equal(o.json, s:list({ kind = "things" })[1].json)
    assert.equal(o.json, s:changes("things", nil, 0)[1].json)
    assert.equal(o.json, s:change_get(rv).json)
  end)

  it("leave no readable byte in the files, neither while open nor after closing", function()
    local s, dir = support.open()
    support.add(s, "open", { spec = "anyone may read this" })
    sealed(s)
    assert(s:commit { support.del("s", { spec = secret, data = private, sealed = true }) })
    sealed(s)
    for _ = 1, 2 do
      local bytes = support.bytes(dir)
      assert.truthy(bytes:find("anyone may read this", 1, true))
      assert.is_nil(bytes:find(secret, 1, true))
      assert.is_nil(bytes:find(private, 1, true))
      s:close()
    end
  end)

  it("do not open in another row", function()
    local s, dir = support.open()
    sealed(s)
    sealed(s, { ns = "other" })
    s:close()
    probe.sql(dir .. "/lanai.db",
      "UPDATE change SET json=(SELECT json FROM change WHERE ns='default') WHERE ns='other'")
    s = support.open { dir = dir }
    assert(s:get("things", "default", "s"))
    local o, err = s:get("things", "other", "s")
    assert.is_nil(o)
    assert.equal("internal", err.kind)
    assert.truthy(err.message:find("cannot open a sealed object", 1, true))
  end)

  it("have a key that only its owner may read", function()
    local _, dir = support.open()
    local pipe = io.popen("cd " .. dir .. " && stat -c '%a %s' seal.key && stat -c %a lanai.db")
    assert.equal("600 32\n600\n", pipe:read("a"))
    pipe:close()
  end)

  it("are not given up silently when the key is lost or another", function()
    local s, dir = support.open()
    sealed(s)
    s:close()
    assert(os.rename(dir .. "/seal.key", dir .. "/saved"))
    local none, err = probe.open { dir = dir }
    assert.is_nil(none)
    assert.truthy(err.message:find(dir .. "/seal.key", 1, true))
    assert.is_nil(io.open(dir .. "/seal.key"))

    local file = io.open(dir .. "/seal.key", "w")
    file:write(("k"):rep(32)):close()
    none, err = probe.open { dir = dir }
    assert.is_nil(none)
    assert.truthy(err.message:find("is not its key", 1, true))

    file = io.open(dir .. "/seal.key", "w")
    file:write("short"):close()
    none, err = probe.open { dir = dir }
    assert.is_nil(none)
    assert.truthy(err.message:find("must hold 32 bytes", 1, true))

    assert(os.rename(dir .. "/saved", dir .. "/seal.key"))
    s = support.open { dir = dir }
    assert.equal(private, s:get("things", "default", "s").data)
  end)
end)
