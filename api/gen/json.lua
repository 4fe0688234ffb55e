-- SPDX-License-Identifier: Apache-2.0
--
-- JSON trees whose members keep their order, and their text. An object is made by json.object and
-- filled by json.set; every other table is a list. Numbers must be integers.

local M = {}

--- Stands for JSON null.
M.null = setmetatable({}, { __name = "json.null" })

--- New object from key, value, key, value …; a nil value leaves its key out.
function M.object(...)
  local object = { keys = {}, map = {} }
  local arguments = table.pack(...)
  for i = 1, arguments.n, 2 do
    M.set(object, arguments[i], arguments[i + 1])
  end
  return object
end

--- Sets a member; a new one goes to the end, nil is ignored.
function M.set(object, key, value)
  if value == nil then
    return
  end
  if object.map[key] == nil then
    object.keys[#object.keys + 1] = key
  end
  object.map[key] = value
end

function M.is_object(value)
  return type(value) == "table" and value.map ~= nil
end

local ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function escape(char)
  return ESCAPES[char] or ("\\u%04x"):format(char:byte())
end

function M.string(text)
  return '"' .. text:gsub('[%c"\\]', escape) .. '"'
end

local emit

local function emit_object(out, object)
  out[#out + 1] = "{"
  for i, key in ipairs(object.keys) do
    if i > 1 then
      out[#out + 1] = ","
    end
    out[#out + 1] = M.string(key)
    out[#out + 1] = ":"
    emit(out, object.map[key])
  end
  out[#out + 1] = "}"
end

local function emit_list(out, list)
  out[#out + 1] = "["
  for i, item in ipairs(list) do
    if i > 1 then
      out[#out + 1] = ","
    end
    emit(out, item)
  end
  out[#out + 1] = "]"
end

emit = function(out, value)
  if value == M.null then
    out[#out + 1] = "null"
  elseif M.is_object(value) then
    emit_object(out, value)
  elseif type(value) == "table" then
    emit_list(out, value)
  elseif type(value) == "string" then
    out[#out + 1] = M.string(value)
  else
    assert(type(value) == "boolean" or math.type(value) == "integer", "no JSON for this value")
    out[#out + 1] = tostring(value)
  end
end

--- Compact text of a tree.
function M.text(value)
  local out = {}
  emit(out, value)
  return table.concat(out)
end

return M
