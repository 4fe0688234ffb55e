-- SPDX-License-Identifier: Apache-2.0
--
-- Block-style YAML of a JSON tree. Anything that could be read as something else than the string
-- it is gets quoted; a JSON string is also a YAML string.

local json = require("json")

local M = {}

local WORDS = {
  ["true"] = true, ["false"] = true, yes = true, no = true, on = true, off = true, null = true,
  y = true, n = true,
}

local function scalar(value)
  if type(value) ~= "string" then
    return json.text(value)
  elseif value:match("^[%a/][%w_./ -]*$") and not value:match(" $") and not WORDS[value:lower()]
  then
    return value
  end
  return json.string(value)
end

local emit

local function is_empty(value)
  if json.is_object(value) then
    return #value.keys == 0
  end
  return #value == 0
end

local function emit_value(out, value, indent)
  if type(value) ~= "table" or value == json.null then
    out[#out + 1] = " " .. scalar(value) .. "\n"
  elseif is_empty(value) then
    out[#out + 1] = json.is_object(value) and " {}\n" or " []\n"
  else
    out[#out + 1] = "\n"
    emit(out, value, indent)
  end
end

emit = function(out, value, indent)
  local pad = ("  "):rep(indent)
  if json.is_object(value) then
    for _, key in ipairs(value.keys) do
      local member = value.map[key]
      out[#out + 1] = pad .. scalar(key) .. ":"
      emit_value(out, member, json.is_object(member) and indent + 1 or indent)
    end
    return
  end
  for _, item in ipairs(value) do
    if json.is_object(item) and not is_empty(item) then
      local lines = {}
      emit(lines, item, indent + 1)
      out[#out + 1] = pad .. "- " .. table.concat(lines):sub(#pad + 3)
    else
      out[#out + 1] = pad .. "-"
      emit_value(out, item, indent + 1)
    end
  end
end

--- Text of a document whose root is an object.
function M.text(tree)
  local out = {}
  emit(out, tree, 0)
  return table.concat(out)
end

return M
