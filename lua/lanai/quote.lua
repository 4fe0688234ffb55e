-- SPDX-License-Identifier: Apache-2.0
--
-- Gives a text in double quotes as Go's %q writes it: the messages of functions quote so.

local NAMED = {
  [7] = "\\a", [8] = "\\b", [9] = "\\t", [10] = "\\n", [11] = "\\v", [12] = "\\f", [13] = "\\r",
  [34] = "\\\"", [92] = "\\\\",
}

--- @param text string
--- @return string
return function(text)
  if not text:find("[%c\"\\]") then
    return '"' .. text .. '"'
  end
  local quoted = text:gsub("[%c\"\\]", function(c)
    return NAMED[c:byte()] or ("\\x%02x"):format(c:byte())
  end)
  return '"' .. quoted .. '"'
end
