-- SPDX-License-Identifier: Apache-2.0
-- apply-setters over the real packages that have setters.

local functions = require("spec.lua.fn.functions")
local support = require("spec.lua.support")

local CORPUS = os.getenv("LANAI_CONFORMANCE")
local VALUES = { '"3"', '"[new, x]"', '""', "abc" }

-- Files that have setters, by directory.
local function packages()
  local found, list = {}, support.shell("grep -rl --include='*.yaml' 'kpt-set: ' "
    .. support.quote(CORPUS .. "/corpus/real") .. " | sort")
  for path in list:gmatch("[^\n]+") do
    local dir, name = path:match("^(.*)/([^/]*)$")
    found[dir] = found[dir] or {}
    found[dir][name] = support.read(path)
  end
  return found
end

-- A value for each name in the files.
local function config_for(files)
  local names, seen = {}, {}
  for _, text in pairs(files) do
    for pattern in text:gmatch("# kpt%-set: ([^\n]*)") do
      for name in pattern:gmatch("%${([^}]*)}") do
        names[#names + 1] = not seen[name] and name or nil
        seen[name] = true
      end
    end
  end
  table.sort(names)
  local config = "apiVersion: v1\nkind: ConfigMap\ndata:\n"
  for i, name in ipairs(names) do
    config = config .. ("  %s: %s\n"):format(name, VALUES[i % #VALUES + 1])
  end
  return config
end

local function comments(text)
  return select(2, text:gsub("#[^\n]*", ""))
end

describe("apply-setters on real packages", function()
  it("loses no comment, and has nothing left to do", function()
    if not CORPUS then
      pending("LANAI_CONFORMANCE names no corpus")
      return
    end
    local changed = 0
    for dir, files in pairs(packages()) do
      local config = config_for(files)
      local first = functions.run("apply-setters", files, config)
      for name, text in pairs(files) do
        local after = first.files[name] or text
        changed = changed + (after ~= text and 1 or 0)
        assert.is_true(comments(after) >= comments(text), dir .. "/" .. name)
      end
      if first.ok then
        assert.same(first.files, functions.run("apply-setters", first.files, config).files, dir)
      end
    end
    assert.is_true(changed > 50, changed)
  end)
end)
