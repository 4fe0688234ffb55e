-- SPDX-License-Identifier: Apache-2.0
--
-- A function into the pipeline of a Kptfile (`fn eval --save`, cad-library.md §5.1). Comments stay;
-- in `kpt` mode lists are indented as kpt does it in Kptfiles that it writes.

local lanai = require("lanai")
local node = require("lanai.node")
local resources = require("lanai.resources")

local M = {}

-- How lists of a resource are indented when it is written.
local WIDE = "internal.config.kubernetes.io/seqindent"

-- An image without its tag or digest.
local function bare(image)
  local name = image:gsub("@.*$", "")
  return (name:gsub(":[^/:]*$", ""))
end

-- An image without registry is the same as one with the registry that it gets.
local function is_same(entry, fn)
  if fn.image then
    local image, wanted = bare(entry.image or ""), bare(fn.image)
    return image == wanted or not image:find("/", 1, true) and image == wanted:match("[^/]+$")
  end
  return entry.exec == fn.exec
end

-- The entry of a pipeline. Of the functionConfig of words only the data has a place.
local function entry_of(fn)
  local entry = node.map()
  entry.image = fn.image
  entry.exec = fn.exec
  if fn.config_path then
    entry.configPath = fn.config_path
  elseif #node.keys(fn.config.data or node.map()) > 0 then
    entry.configMap = node.map(lanai.copy(fn.config.data))
    node.set_style(entry.configMap, "plain")
  end
  entry.selectors = fn.selectors
  entry.exclude = fn.exclude
  return entry
end

local function member(parent, key, empty)
  if parent[key] == nil then
    parent[key] = empty
  end
  return parent[key]
end

--- Puts a function into a list of the pipeline, in place of the one that has its image or its
--- command line.
--- @param text string of the Kptfile
--- @param kind string "mutator" or "validator"
--- @param fn table image or exec, config, config_path, selectors, exclude
--- @param compat string
--- @return string|nil, "Added"|"Updated"|lanai.Error
function M.put(text, kind, fn, compat)
  local before = { { path = "Kptfile", text = text } }
  local items, err = resources.read(before, { annotate = true, wide = true })
  if not items then
    return nil, err
  end
  local list = member(member(items[1], "pipeline", node.map()), kind .. "s", node.list())
  local outcome, at = "Added", #list + 1
  for i = 1, #list do
    if is_same(list[i], fn) then
      outcome, at = "Updated", i
    end
  end
  if outcome == "Added" then
    node.insert(list, at, entry_of(fn))
  else
    node.set(list, at, entry_of(fn))
  end
  if compat == "kpt" then
    items[1].metadata.annotations[WIDE] = "wide"
  end
  local written, failure = resources.write(items, { compat = compat,
    keep = compat ~= "kpt" and before or nil })
  if not written then
    return nil, failure
  end
  return written[1].text, outcome
end

return M
