-- SPDX-License-Identifier: Apache-2.0

local probe = require("probe_script")
local sources = require("spec.core.script.sources")

local function names(set)
  local found = {}
  for _, source in ipairs(set:sources()) do
    found[(source.workflow and "w:" or "m:") .. source.name] = source
  end
  return found
end

describe("a generation of scripts", function()
  after_each(sources.clean)

  it("holds what is embedded, in name order", function()
    local set = assert(probe.load({}))
    local found = names(set)
    assert.is_table(found["w:approve"])
    assert.is_table(found["m:lanai.cron"])
    assert.equal("embedded:workflows/approve.lua", found["w:approve"].path)
    assert.is_nil(found["m:meta.ctx"])
    local last = ""
    for _, source in ipairs(set:sources()) do
      assert.is_true(last <= source.name)
      last = source.name
    end
  end)

  it("embeds the bytes of the files", function()
    local set = assert(probe.load({}))
    for _, source in ipairs(set:sources()) do
      local file = assert(io.open((source.path:gsub("^embedded:", "")), "rb"))
      assert.equal(file:read("a"), set:text(source.name, source.workflow))
      file:close()
    end
  end)

  it("lets later directories shadow whole files", function()
    local one = sources.dir({ ["approve.lua"] = "return {1}", ["bulk/x.lua"] = "return {}" })
    local two = sources.dir({ ["approve.lua"] = "return {2}", ["lib/y.lua"] = "return {}" })
    local set = assert(probe.load({ one, two, "/nonexistent-directory" }))
    assert.equal("return {2}", set:text("approve", true))
    assert.is_table(names(set)["w:bulk/x"])
    assert.is_table(names(set)["m:lib.y"])
    assert.is_nil(names(set)["w:lib/y"])
  end)

  it("has a number that depends on content only", function()
    local a = assert(probe.load({ sources.dir({ ["x.lua"] = "return {}" }) }))
    local b = assert(probe.load({ sources.dir({ ["x.lua"] = "return {}" }) }))
    local c = assert(probe.load({ sources.dir({ ["x.lua"] = "return { }" }) }))
    assert.equal(a:generation(), b:generation())
    assert.not_equal(a:generation(), c:generation())
  end)

  it("fails whole, naming file and line", function()
    local dir = sources.dir({ ["good.lua"] = "return {}", ["bad.lua"] = "return {}\nreturn nil" })
    local set, kind, message = probe.load({ dir })
    assert.is_nil(set)
    assert.equal("invalid", kind)
    assert.matches("bad%.lua:2: ", message)
  end)

  it("refuses what is too large", function()
    local text = "return {} --" .. ("x"):rep(256 * 1024)
    local set, kind = probe.load({ sources.dir({ ["x.lua"] = text }) })
    assert.is_nil(set)
    assert.equal("too-large", kind)
  end)

  it("follows links inside a directory and refuses those that lead out", function()
    local dir = sources.dir({ ["..data/x.lua"] = "return {}" })
    sources.shell("ln -s ..data/x.lua", dir .. "/x.lua")
    local set = assert(probe.load({ dir }))
    assert.equal("return {}", set:text("x", true))

    local out = sources.dir({ ["y.lua"] = "return {}" })
    sources.shell("ln -s", out .. "/y.lua", dir .. "/y.lua")
    local none, kind, message = probe.load({ dir })
    assert.is_nil(none)
    assert.equal("invalid", kind)
    assert.matches("leads out of its directory", message)
  end)

  it("refuses a link to a directory beside that has the same beginning", function()
    local dir = sources.dir({ ["x.lua"] = "return {}" })
    sources.shell("mkdir", dir .. "-evil")
    sources.shell("ln -s", dir .. "-evil", dir .. "/sub")
    local none, _, message = probe.load({ dir })
    sources.shell("rmdir", dir .. "-evil")
    assert.is_nil(none)
    assert.matches("leads out", message)
  end)

  it("ignores other files and hidden ones", function()
    local dir = sources.dir({ ["README.md"] = "(", [".x.lua"] = "(", ["y.lua~"] = "(" })
    local set = assert(probe.load({ dir }))
    assert.is_nil(names(set)["w:.x"])
  end)

  it("refuses pipes and devices", function()
    local dir = sources.dir({})
    sources.shell("mkfifo", dir .. "/x.lua")
    local none, kind = probe.load({ dir })
    assert.is_nil(none)
    assert.equal("invalid", kind)
  end)
end)
