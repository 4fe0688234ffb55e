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

return M
