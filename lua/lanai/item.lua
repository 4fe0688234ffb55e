-- SPDX-License-Identifier: Apache-2.0
--
-- Resources as functions get them: where they come from.

local node = require("lanai.node")

local M = {}

--- Gives an annotation of a resource as text; nil when it has none.
--- @param item lanai.Node
--- @param name string
--- @return string|nil
function M.annotation(item, name)
  local metadata = item.metadata
  local annotations = node.is_map(metadata) and metadata.annotations
  local value = node.is_map(annotations) and node.at(annotations, name)
  return value and node.text(value) or nil
end

--- Gives the path of the file that a resource is in.
--- @param item lanai.Node
--- @return string|nil
function M.path(item)
  return M.annotation(item, "internal.config.kubernetes.io/path")
    or M.annotation(item, "config.kubernetes.io/path")
end

--- Gives file and place of a resource as results name them: {path, index}; the first document has
--- no index. nil when it is in no file.
--- @param item lanai.Node
--- @return {path: string, index: integer?}|nil
function M.file(item)
  local path = M.path(item)
  if not path then
    return nil
  end
  local index = tonumber(M.annotation(item, "internal.config.kubernetes.io/index")
    or M.annotation(item, "config.kubernetes.io/index"))
  return { path = path, index = index and index > 0 and math.tointeger(index) or nil }
end

--- Gives a member that is a map; nil for anything else.
--- @param parent lanai.Node|nil
--- @param key string
--- @return lanai.Node|nil
function M.map(parent, key)
  local value = node.is_map(parent) and parent[key]
  return node.is_map(value) and value or nil
end

--- Gives a member as the text that stands in the source; nil for lists, maps and what is missing.
--- @param parent lanai.Node|nil
--- @param key string
--- @return string|nil
function M.text(parent, key)
  local value = node.is_map(parent) and node.at(parent, key)
  return value and node.text(value) or nil
end

--- Gives the name of a resource, "" when it has none.
--- @param item lanai.Node
--- @return string
function M.name(item)
  return M.text(M.map(item, "metadata"), "name") or ""
end

--- Gives the namespace of a resource, "" when it has none.
--- @param item lanai.Node
--- @return string
function M.namespace(item)
  return M.text(M.map(item, "metadata"), "namespace") or ""
end

--- Gives group, version and kind of a resource, each "" when it is missing.
--- @param item lanai.Node
--- @return string, string, string
function M.gvk(item)
  local api = M.text(item, "apiVersion") or ""
  local group, version = api:match("^(.*)/([^/]*)$")
  return group or "", version or api, M.text(item, "kind") or ""
end

--- Gives the annotations of a resource, which are made when it has none.
--- @param item lanai.Node
--- @return lanai.Node
function M.make_annotations(item)
  for _, key in ipairs({ "metadata", "annotations" }) do
    if not M.map(item, key) then
      node.set(item, key, node.map())
    end
    item = item[key]
  end
  return item
end

return M
