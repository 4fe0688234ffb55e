-- SPDX-License-Identifier: Apache-2.0
--
-- What most scripts need from the library: `local lanai = require("lanai")`.

local node = require("lanai.node")
local api = require("lanai.api")

local M = {
  list = node.list,
  map = node.map,
  copy = node.copy,
  equal = node.equal,
  is_list = node.is_list,
  is_map = node.is_map,
  null = node.null(),
  message = api.message,
}

--- Iterates over a table or map in the order of its keys (strings or numbers, not both).
--- @param t table|lanai.Node
--- @return fun(): any, any
function M.sorted_pairs(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  local i = 0
  return function()
    i = i + 1
    local key = keys[i]
    if key ~= nil then
      return key, t[key]
    end
  end
end

--- Gives the value at a dotted path of member names, or nil when anything on the way is missing.
--- Example: `lanai.at(object, "spec.git.branch")`.
--- @param object table|lanai.Node|nil
--- @param path string
--- @return any
function M.at(object, path)
  for name in path:gmatch("[^.]+") do
    if type(object) ~= "table" and not node.is_map(object) then
      return nil
    end
    object = object[name]
  end
  return object
end

--- Splits text at each occurrence of sep, which is plain text.
--- @param text string
--- @param sep string
--- @return string[]
function M.split(text, sep)
  local parts, from = {}, 1
  while true do
    local at, last = text:find(sep, from, true)
    if not at then
      parts[#parts + 1] = text:sub(from)
      return parts
    end
    parts[#parts + 1] = text:sub(from, at - 1)
    from = last + 1
  end
end

--- Gives an error for ctx.fail callers that validate: 422 with one field cause.
--- @param ctx lanai.Ctx
--- @param name string object name, may be empty
--- @param field string "spec.tasks[0].edit"
--- @param reason string "FieldValueRequired", "FieldValueInvalid" …
--- @param text string what is wrong, without the field
--- @return nil, table
function M.invalid(ctx, name, field, reason, text)
  local message = api.message("kube-frame-invalid", "PackageRevision.porch.kpt.dev", name,
    field .. ": " .. text)
  return ctx.fail("invalid", message, { { reason = reason, field = field, message = text } })
end

return M
