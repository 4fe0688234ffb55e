-- SPDX-License-Identifier: Apache-2.0
--
-- lua/meta declares exactly the functions that C registers, with the same phases and grants.

local host = require("probe_host")

local FILES = { "lua/meta/ctx.lua", "lua/meta/tree.lua", "lua/meta/library.lua",
  "lua/meta/node.lua",
  "lua/meta/resources.lua", "lua/meta/local.lua" }

local function words(text)
  local list = {}
  for word in text:gmatch("[^,%s]+") do
    list[#list + 1] = word
  end
  return table.concat(list, " ")
end

local function declared()
  local found, tags = {}, {}
  for _, path in ipairs(FILES) do
    for line in io.lines(path) do
      local tag, value = line:match("^%-%-%- @(%w+)%s+(.+)$")
      local name, arguments = line:match("^function ([%w_.:]+)(%b())")
      if tag == "param" then
        tags.params = (tags.params or "") .. value:match("^%S+"):gsub("[?]$", "") .. " "
      elseif tag then
        tags[tag] = value
      elseif name then
        found[name:gsub(":", ".")] = { since = tags.since, phases = words(tags.phases or ""),
          effect = tags.effect, params = words(tags.params or ""),
          arguments = words(arguments:sub(2, -2)) }
        tags = {}
      elseif not line:find("^%-%-%-") then
        tags = {}
      end
    end
  end
  return found
end

describe("lua/meta", function()
  local meta = declared()

  it("declares every registered function as it is registered", function()
    for _, f in ipairs(host.functions()) do
      local name = f.class .. "." .. f.name
      local d = meta[name]
      assert.is_table(d, name .. " is not declared")
      assert.equal(table.concat(f.phases, " "), d.phases, name)
      assert.equal(f.effect, d.effect, name)
      assert.equal("1", d.since, name)
      assert.equal(d.arguments, d.params, name)
    end
  end)

  it("declares nothing else", function()
    local registered = {}
    for _, f in ipairs(host.functions()) do
      registered[f.class .. "." .. f.name] = true
    end
    for name in pairs(meta) do
      assert.is_true(registered[name], name .. " is not registered")
    end
  end)

  it("can be loaded by an editor", function()
    for _, path in ipairs(FILES) do
      assert.is_table(dofile(path))
    end
  end)
end)
