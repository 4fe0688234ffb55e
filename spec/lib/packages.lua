-- SPDX-License-Identifier: Apache-2.0
-- Generated packages for comparisons with real kpt: the same seed gives the same package, its next
-- version, and the changes that a user made to it. All are maps path → text.
--   local p = require("spec.lib.packages").new(7)
--   p:first()  p:second()  p:edit(files)
local M = {}
local Package = {}
Package.__index = Package

-- A small generator of our own: the same numbers with every Lua.
local function random(seed)
  local state = (seed * 2654435761 + 12345) % 4294967296
  return function(n)
    state = (state * 1664525 + 1013904223) % 4294967296
    return (state >> 16) % n + 1
  end
end

local IMAGES = { "nginx:1.14", "redis:7", "postgres:15.2", "busybox" }
local WORDS = { "alpha", "beta", "gamma", "'quoted'", '"1"', "2.5", "true", '"yes"', "x y z",
  "http://h:80/p" }

local function pick(r, list)
  return list[r(#list)]
end

-- A list item of containers; wide lists are two columns deeper.
local function container(name, image, indent)
  local pad = (" "):rep(indent)
  return pad .. "- name: " .. name .. "\n" .. pad .. "  image: " .. image .. "\n" .. pad
    .. "  ports:\n" .. pad .. "  - containerPort: 80\n" .. pad .. "    protocol: TCP\n"
end

local function deployment(r, name)
  local indent = r(2) == 1 and 6 or 8
  local parts = { r(3) == 1 and "# Deployed by the platform team.\n" or "",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ", name, "\n",
    r(2) == 1 and "  namespace: shop\n" or "", "  labels:\n    app: ", name, " # the app\n",
    "spec:\n  replicas: ", r(5), "\n  template:\n    spec:\n      containers:\n" }
  for i = 1, r(3) do
    parts[#parts + 1] = container("c" .. i, pick(r, IMAGES), indent)
  end
  return table.concat(parts)
end

local function config(r, name)
  local parts = { "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ", name,
    r(3) == 1 and "  # of the app" or "", "\n", r(3) == 1 and "  labels: {tier: back}\n" or "",
    "data:\n" }
  for i = 1, 2 + r(4) do
    parts[#parts + 1] = ("  key%d: %s\n"):format(i, pick(r, WORDS))
  end
  if r(3) == 1 then
    parts[#parts + 1] = "  script: |\n    #!/bin/sh\n    echo one\n\n    echo two\n"
  end
  return table.concat(parts)
end

local function custom(r, name)
  return "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: " .. name
    .. "\n  annotations:\n    note: first\nspec:\n  size: " .. r(9) .. "\n  parts: [a, b]\n"
    .. "  items:\n    - x: " .. r(9) .. "\n    - x: " .. r(9) .. "\n  nested:\n    deep:\n      value: v\n"
end

local KINDS = { deployment, config, custom }

local function kptfile(r, name)
  local text = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: " .. name
    .. "\ninfo:\n  description: package " .. r(99) .. "\n"
  if r(2) == 1 then
    text = text .. "pipeline:\n  mutators:\n    - image: set-labels:v0.1\n      configMap:\n"
      .. "        tier: back\n"
  end
  return text
end

local function add_files(r, files, prefix, n)
  for i = 1, n do
    local name = ("r%d"):format(i)
    local text = pick(r, KINDS)(r, name)
    if r(4) == 1 then
      text = text .. "---\n" .. config(r, name .. "-more")
    end
    files[prefix .. name .. ".yaml"] = text
  end
end

--- The package that the seed stands for.
function M.new(seed)
  return setmetatable({ seed = seed }, Package)
end

--- Its first version.
function Package:first()
  local r, files = random(self.seed), {}
  files.Kptfile = kptfile(r, "app")
  add_files(r, files, "", 1 + r(3))
  add_files(r, files, "dir/", r(2))
  files["notes.txt"] = "notes " .. r(9) .. "\n"
  files["data.json"] = '{"a": ' .. r(9) .. "}\n"
  if r(2) == 1 then
    files["sub/Kptfile"] = kptfile(r, "sub")
    add_files(r, files, "sub/", r(2))
  end
  return files
end

-- Paths of files whose text has something to change.
local function paths(files, pattern)
  local list = {}
  for path, text in pairs(files) do
    if text:find(pattern) then
      list[#list + 1] = path
    end
  end
  table.sort(list)
  return list
end

local function change(r, files, pattern, with)
  local list = paths(files, pattern)
  if #list > 0 then
    local path = pick(r, list)
    files[path] = files[path]:gsub(pattern, with, 1)
  end
end

-- What both upstream and users do, each in values of their own.
local EDITS = {
  function(r, files, who)
    change(r, files, "replicas: %d+", "replicas: " .. (who == "up" and 7 or 8))
  end,
  function(r, files, who)
    change(r, files, "image: [^\n]+\n( +)ports", "image: " .. who .. ":1\n%1ports")
  end,
  function(r, files, who)
    change(r, files, "\n  key2: [^\n]+\n", "\n  key2: " .. who .. "\n")
  end,
  function(r, files)
    change(r, files, "\n  key1: [^\n]+\n", "\n")
  end,
  function(r, files, who)
    change(r, files, "\ndata:\n", "\ndata:\n  " .. who .. "-" .. r(3) .. ": new\n")
  end,
  function(r, files, who)
    change(r, files, "\n( +)%- name: c1\n", "\n%1- name: side-" .. who
      .. "\n%1  image: side\n%1- name: c1\n")
  end,
  function(r, files, who)
    change(r, files, "size: %d+", "size: 1" .. r(9) .. (who == "up" and 0 or 1))
  end,
  function(r, files, who)
    files["new-" .. who .. r(2) .. ".yaml"] = config(r, "new-" .. who)
  end,
  function(r, files)
    local list = paths(files, "kind: ConfigMap")
    if #list > 1 then
      files[pick(r, list)] = nil
    end
  end,
  function(_, files, who)
    files["notes.txt"] = who .. "\n"
  end,
  function(r, files, who)
    change(r, files, "note: [^\n]+", "note: by " .. who)
  end,
  function(r, files)
    change(r, files, "\n  nested:\n    deep:\n      value: v\n", "\n")
  end,
  function(_, files, who)
    files[who .. "/deep/note.md"] = "# " .. who .. "\n"
  end,
}

local function edit(r, files, who)
  for _ = 1, 1 + r(4) do
    pick(r, EDITS)(r, files, who)
  end
end

--- Its next version.
function Package:second()
  local files, r = self:first(), random(self.seed + 1000)
  edit(r, files, "up")
  if r(4) == 1 then
    files["added/Kptfile"] = kptfile(r, "added")
    add_files(r, files, "added/", 1)
  end
  if r(4) == 1 then
    for path in pairs(self:first()) do
      files[path] = path:sub(1, 4) ~= "sub/" and files[path] or nil
    end
  end
  if r(3) == 1 then
    files.Kptfile = files.Kptfile:gsub("description: [^\n]+", "description: second")
  end
  return files
end

--- Changes files as a user did; some users changed nothing.
function Package:edit(files)
  local r = random(self.seed + 2000)
  if r(5) > 1 then
    edit(r, files, "own")
  end
end

--- A strategy for the update.
function Package:strategy()
  return pick(random(self.seed + 3000), { "resource-merge", "resource-merge", "resource-merge",
    "fast-forward", "force-delete-replace", "copy-merge" })
end

return M
