-- SPDX-License-Identifier: Apache-2.0
--
-- delete-annotations: takes annotations away wherever they are.

local item = require("lanai.item")
local node = require("lanai.node")

local function keys_of(config)
  local text = item.text(item.map(config, "data"), "annotationKeys") or ""
  local keys = {}
  for key in (text:match("^%s*(.-)%s*$") .. ","):gmatch("(.-),") do
    keys[#keys + 1] = key
  end
  return text:find("%S") and keys or nil
end

local function is_resource(resource)
  return item.text(resource, "apiVersion") and item.text(resource, "kind")
    and item.text(item.map(resource, "metadata"), "name")
end

local function remove_from(resource, keys, removed)
  local metadata = item.map(resource, "metadata")
  local annotations = item.map(metadata, "annotations")
  for _, key in ipairs(annotations and keys or {}) do
    if node.at(annotations, key) then
      node.remove(annotations, key)
      removed[#removed + 1] = { key = key, name = item.name(resource),
        file = item.path(resource) }
    end
  end
  if annotations and #annotations == 0 and #removed > 0 then
    node.remove(metadata, "annotations")
  end
end

-- The catalogue's count: how often the name changes from one removal to the next.
local function count(removed)
  local n, last = 0, nil
  for _, r in ipairs(removed) do
    n = n + (r.name ~= last and 1 or 0)
    last = r.name
  end
  return n
end

local function run(items, config, out)
  local keys = keys_of(config)
  if not keys then
    local message = "annotationKeys was not provided as part of the config or paramters to the "
      .. "function"
    out:result({ severity = "error", message = message })
    return nil, message
  end
  local removed = {}
  for _, resource in pairs(items) do
    if is_resource(resource) then
      remove_from(resource, keys, removed)
    end
  end
  if #removed == 0 then
    out:result({ severity = "info",
      message = "None of the resources had the provided annotations to delete" })
    return true
  end
  out:result({ severity = "info",
    message = ("The provided annotations were deleted from %d resource(s)"):format(
      count(removed)) })
  for _, r in ipairs(removed) do
    out:result({ severity = "info", file = r.file and { path = r.file } or nil,
      message = ("Annonation: [%s] removed from resource: [%s]"):format(r.key, r.name) })
  end
  return true
end

return {
  api = 1,
  name = "delete-annotations",
  versions = { "v0.1.0" },
  images = { "delete-annotations" },
  summary = "Deletes annotations from all resources",
  doc = [[
    configMap:
      annotationKeys: a.example.com/one,a.example.com/two

Blanks after a comma belong to the name that follows.
]],
  config = { ConfigMap = { annotationKeys = "names, separated by commas" } },
  pure = true,
  run = run,
}
