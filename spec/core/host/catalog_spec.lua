-- SPDX-License-Identifier: Apache-2.0

local host = require("probe_host")
local sources = require("spec.core.script.sources")

local GOOD = {
  header = { api = "1", name = "x", version = "1.2.3", on = "A/b", effects = "read, draft" },
  table = { api = "1", name = '"x"', version = '"1.2.3"', summary = '"s"', on = '{ "A/b" }',
    effects = '{ "read", "draft" }', run = "function() end" },
}

-- Text of a workflow; header and table members may be changed (false removes).
local function workflow(header, members)
  local out = { "-- words" }
  for _, key in ipairs({ "api", "name", "version", "on", "effects" }) do
    local value = GOOD.header[key]
    if header and header[key] ~= nil then
      value = header[key]
    end
    if value then
      out[#out + 1] = ("-- @%s %s"):format(key, value)
    end
  end
  out[#out + 1] = "return {"
  for key, value in pairs(GOOD.table) do
    if not (members and members[key] ~= nil) then
      out[#out + 1] = ("%s = %s,"):format(key, value)
    end
  end
  for key, value in pairs(members or {}) do
    if value then
      out[#out + 1] = ("%s = %s,"):format(key, value)
    end
  end
  return table.concat(out, "\n") .. "\n}\n"
end

local function load(files)
  return host.catalog({ sources.dir(files) })
end

describe("the catalog", function()
  after_each(sources.clean)

  it("knows the built-in workflows", function()
    local on = {}
    for _, w in ipairs(assert(host.catalog({}))) do
      assert.equal(1, w.api)
      assert.equal(64, #w.sha256)
      for _, verb in ipairs(w.on) do
        on[verb] = w.name
      end
    end
    assert.same({
      ["PackageRevision/init"] = "init", ["PackageRevision/copy"] = "copy",
      ["PackageRevision/update"] = "update", ["PackageRevision/propose"] = "propose",
      ["PackageRevision/reject"] = "reject", ["PackageRevision/approve"] = "approve",
      ["PackageRevision/propose-delete"] = "propose-delete",
      ["PackageRevision/clone"] = "clone", ["PackageRevision/upgrade"] = "upgrade",
      ["PackageRevision/subpackage"] = "subpackage",
      ["PackageRevision/delete"] = "delete", ["PackageRevisionResources/update"] = "push",
      ["Repository/sync"] = "sync", ["Repository/sync-result"] = "sync-result",
    }, on)
  end)

  it("takes a good file", function()
    local list = assert(load({ ["x.lua"] = workflow() }))
    local found
    for _, w in ipairs(list) do
      found = w.name == "x" and w or found
    end
    assert.same({ "read", "draft" }, found.effects)
    assert.same({ "A/b" }, found.on)
    assert.equal("s", found.summary)
    assert.matches("x%.lua$", found.path)
  end)

  it("names file and field of what is wrong", function()
    local cases = {
      { "api", nil, { api = false } }, { "api", nil, { api = '"1"' } },
      { "api", { api = "2" }, { api = "2" } }, { "api", nil, { api = "1.5" } },
      { "name", nil, { name = false } }, { "name", { name = "y" }, { name = '"y"' } },
      { "version", nil, { version = '"1.2"' } }, { "version", nil, { version = "1" } },
      { "version", { version = "1.2.4" } }, { "version", { version = false } },
      { "summary", nil, { summary = '""' } }, { "summary", nil, { summary = false } },
      { "on", nil, { on = '"A/b"' } }, { "on", nil, { on = '{ "Ab" }' } },
      { "on", nil, { on = "{ 1 }" } }, { "on", { on = "A/c" } },
      { "effects", nil, { effects = '{ "fly" }' } }, { "effects", { effects = "read" } },
      { "effects", nil, { effects = false } },
      { "run", nil, { run = false } }, { "run", nil, { run = '"x"' } },
      { "check", nil, { check = "1" } }, { "needs", nil, { needs = "{}" } },
    }
    for _, case in ipairs(cases) do
      local field, header, members = case[1], case[2], case[3]
      local list, _, message = load({ ["x.lua"] = workflow(header, members) })
      assert.is_nil(list, field)
      assert.matches("x.lua: field '" .. field .. "': ", message, 1, true)
    end
  end)

  it("refuses two files for one verb", function()
    local other = workflow({ name = "y" }, { name = '"y"' })
    local list, kind, message = load({ ["x.lua"] = workflow(), ["y.lua"] = other })
    assert.is_nil(list)
    assert.equal("invalid", kind)
    assert.matches("'A/b' is taken by", message)
  end)

  it("lets a directory replace a built-in workflow", function()
    local text = workflow({ name = "approve", on = "PackageRevision/approve" },
      { name = '"approve"', on = '{ "PackageRevision/approve" }' })
    for _, w in ipairs(assert(load({ ["approve.lua"] = text }))) do
      if w.name == "approve" then
        assert.equal("1.2.3", w.version)
      end
    end
  end)

  it("survives files that do anything while they are loaded", function()
    for _, text in ipairs({ "return 5", "error('x')", "return setmetatable({}, {__index = error})",
      "local ctx = ctx return {}", "return {{}}" }) do
      local list, _, message = load({ ["x.lua"] = text })
      assert.is_nil(list)
      assert.is_string(message)
    end
  end)
end)
