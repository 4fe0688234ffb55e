-- SPDX-License-Identifier: Apache-2.0
--
-- Small pieces of C text that the writers of the generated files share.

local M = {}

M.HEAD = "/* Made by api/gen/main.lua from api/kinds/ and api/messages.lua. */\n"

-- Octal escapes always have three digits, so nothing that follows can become part of them; `?` is
-- escaped because of trigraphs.
local function escape(char)
  if char == "\n" then
    return "\\n"
  elseif char == '"' or char == "\\" then
    return "\\" .. char
  end
  return ("\\%03o"):format(char:byte())
end

--- A string literal of any bytes.
function M.literal(text)
  return '"' .. text:gsub('[%c"\\?\127-\255]', escape) .. '"'
end

--- A string literal, or NULL.
function M.literal_or_null(text)
  return text and M.literal(text) or "NULL"
end

--- A literal of many bytes, cut into lines.
function M.long_literal(text)
  local lines = {}
  for offset = 1, #text, 90 do
    lines[#lines + 1] = "    " .. M.literal(text:sub(offset, offset + 89))
  end
  return #lines > 0 and table.concat(lines, "\n") or '    ""'
end

--- A NULL-terminated list of strings as a compound literal, or NULL for no list.
function M.list(items)
  if not items then
    return "NULL"
  end
  local out = {}
  for i, item in ipairs(items) do
    out[i] = M.literal(item) .. ", "
  end
  return "(const char *const[]){" .. table.concat(out) .. "NULL}"
end

return M
