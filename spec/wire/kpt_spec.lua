-- SPDX-License-Identifier: Apache-2.0
--
-- Real kpt and `lanai --compat kpt` do the same with 200 generated packages: fetch, update after
-- upstream and user changed things, turn into a ResourceList and back. Trees are equal byte for
-- byte.

local packages = require("spec.lib.packages")
local support = require("spec.lua.support")

local COUNT = 200

local function find_kpt()
  local peers = os.getenv("LANAI_PEERS")
  local path = peers and peers ~= "" and peers .. "/kpt"
    or support.shell("command -v kpt"):match("%S+")
  local _, code = support.shell("test -x " .. support.quote(path or "/nonexistent"))
  return code == 0 and path or nil
end

local KPT = find_kpt()

-- Runs kpt as support.lanai runs lanai.
local function kpt(dir, words)
  return support.run(dir, KPT .. " " .. words, "KPT_CACHE_DIR=" .. support.quote(dir .. "/.cache"))
end

local function lanai(dir, words)
  return support.lanai(dir, words .. " --compat kpt")
end

local function difference(a, b)
  for path, text in pairs(a) do
    if b[path] ~= text then
      return ("%s\n--- kpt\n%s\n--- lanai\n%s"):format(path, text, tostring(b[path]))
    end
  end
  for path in pairs(b) do
    if not a[path] then
      return path .. " is lanai's alone"
    end
  end
end

local function same_trees(seed, what, a, b)
  local text = difference(support.tree(a), support.tree(b))
  assert(not text, ("seed %d, %s: %s"):format(seed, what, text))
end

local function edit(package, dir)
  local before = support.tree(dir)
  local after = support.tree(dir)
  package:edit(after)
  for path in pairs(before) do
    if not after[path] then
      os.remove(dir .. "/" .. path)
    end
  end
  support.write(dir, after)
  support.shell("find " .. support.quote(dir) .. " -type d -empty -delete")
end

describe("lanai beside kpt", function()
  if not KPT then
    pending("has the same trees: no kpt in LANAI_PEERS or PATH")
    return
  end

  local root, ours, theirs
  local second = {}

  setup(function()
    root = support.directory()
    ours, theirs = root .. "/lanai", root .. "/kpt"
    local first = {}
    for seed = 1, COUNT do
      for path, text in pairs(packages.new(seed):first()) do
        first[seed .. "/" .. path] = text
      end
      for path, text in pairs(packages.new(seed):second()) do
        second[seed .. "/" .. path] = text
      end
    end
    support.shell(("mkdir %s %s"):format(ours, theirs))
    support.commit(root .. "/up", first, "v1")
    support.commit(root .. "/up", second, "v2")
  end)

  teardown(support.clean)

  -- True when both did it, false when neither.
  local function both(seed, words)
    local code, _, err = kpt(theirs, words)
    local own, _, text = lanai(ours, words)
    assert(code == own, ("seed %d, %s: kpt %d\n%s\nlanai %d\n%s"):format(seed, words, code, err,
      own, text))
    return code == 0
  end

  it("has the same trees after get and update", function()
    for seed = 1, COUNT do
      local package = packages.new(seed)
      assert.is_true(both(seed, ("pkg get file://%s/up.git/%d@v1 p%d"):format(root, seed, seed)))
      local a, b = ("%s/p%d"):format(theirs, seed), ("%s/p%d"):format(ours, seed)
      same_trees(seed, "get", a, b)
      edit(package, a)
      edit(package, b)
      if both(seed, ("pkg update p%d@v2 --strategy %s"):format(seed, package:strategy())) then
        same_trees(seed, "update by " .. package:strategy(), a, b)
      end
    end
  end)

  it("has the same ResourceLists, and trees made of them", function()
    for seed = 1, COUNT do
      local source = ("%s/up/%d"):format(root, seed)
      local _, list = kpt(theirs, "fn source " .. source)
      local _, own = lanai(ours, "fn source " .. source)
      assert(list == own, ("seed %d\n--- kpt\n%s\n--- lanai\n%s"):format(seed, list, own))
      support.write(root, { list = list })
      assert.equal(0, (kpt(theirs, ("fn sink s%d < %s/list"):format(seed, root))))
      assert.equal(0, (lanai(ours, ("fn sink s%d < %s/list"):format(seed, root))))
      same_trees(seed, "sink", ("%s/s%d"):format(theirs, seed), ("%s/s%d"):format(ours, seed))
    end
  end)
end)
