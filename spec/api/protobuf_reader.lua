-- SPDX-License-Identifier: Apache-2.0
--
-- Reads protobuf without a schema, as `protoc --decode_raw` does: a message becomes a list of
-- {number, value}; the reader of a field decides whether bytes are a message or a string.

local M = {}

local function varint(bytes, at)
  local value, shift = 0, 0
  while true do
    local byte = assert(bytes:byte(at), "varint runs past the end")
    value = value | (byte & 127) << shift
    at, shift = at + 1, shift + 7
    if byte < 128 then
      return value, at
    end
  end
end

--- Takes a message apart; anything malformed is an error.
function M.message(bytes)
  local fields, at = {}, 1
  while at <= #bytes do
    local key, length
    key, at = varint(bytes, at)
    local wire = key & 7
    if wire == 0 then
      local value
      value, at = varint(bytes, at)
      fields[#fields + 1] = { key >> 3, value }
    elseif wire == 2 then
      length, at = varint(bytes, at)
      assert(at + length - 1 <= #bytes, "field runs past the end")
      fields[#fields + 1] = { key >> 3, bytes:sub(at, at + length - 1) }
      at = at + length
    else
      error("wire type " .. wire)
    end
  end
  return fields
end

--- All values of a field number.
function M.all(bytes, number)
  local list = {}
  for _, field in ipairs(M.message(bytes)) do
    if field[1] == number then
      list[#list + 1] = field[2]
    end
  end
  return list
end

--- The one value at a path of field numbers; nil when a step is missing.
function M.get(bytes, ...)
  for _, number in ipairs({ ... }) do
    if bytes == nil then
      return nil
    end
    bytes = M.all(bytes, number)[1]
  end
  return bytes
end

--- {name = message} of a repeated {1 name, 2 value}.
function M.named(bytes, number)
  local map = {}
  for _, entry in ipairs(M.all(bytes, number)) do
    map[M.get(entry, 1)] = M.get(entry, 2) or ""
  end
  return map
end

return M
