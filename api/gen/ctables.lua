-- SPDX-License-Identifier: Apache-2.0
--
-- Writes api_documents.c and api_messages.c.

local ctext = require("ctext")
local sha512 = require("sha512")

local M = {}

--- Text of api_documents.c; sorts the documents and gives each its ETag.
function M.documents(documents)
  table.sort(documents, function(a, b)
    if a.path ~= b.path then
      return a.path < b.path
    end
    return a.variant < b.variant
  end)
  local out, rows = { ctext.HEAD, '#include "api/tables.h"\n\n' }, {}
  for i, document in ipairs(documents) do
    out[#out + 1] = "static const unsigned char body_" .. i .. "[] =\n"
      .. ctext.long_literal(document.body) .. ";\n"
    rows[i] = ("    {%s, %s, %s,\n     %s,\n     body_%d, sizeof(body_%d) - 1},\n"):format(
      ctext.literal(document.path), ctext.literal(document.variant),
      ctext.literal(document.content_type),
      ctext.literal(document.etag or sha512.hex(document.body)), i, i)
  end
  out[#out + 1] = "\nconst struct api_document api_documents[] = {\n" .. table.concat(rows)
    .. "};\nconst size_t api_n_documents = " .. #documents .. ";\n"
  return table.concat(out)
end

--- Text of api_messages.c. A message may hold %s, %d and %% only: callers pass arguments without
--- the compiler's check.
function M.messages(messages)
  local ids = {}
  for id, text in pairs(messages) do
    assert(type(id) == "string" and id:match("^[%l%d][%l%d-]*$"), "message id is not kebab-case")
    local rest = text:gsub("%%[sd%%]", "")
    assert(not rest:find("%%"), id .. ": only %s, %d and %% are allowed")
    ids[#ids + 1] = id
  end
  table.sort(ids)
  local out = { ctext.HEAD, '#include "api/tables.h"\n\n' }
  out[#out + 1] = "const struct api_message_row api_messages[] = {\n"
  for _, id in ipairs(ids) do
    out[#out + 1] = "    {" .. ctext.literal(id) .. ",\n" .. ctext.long_literal(messages[id])
      .. "},\n"
  end
  out[#out + 1] = "};\nconst size_t api_n_messages = " .. #ids .. ";\n"
  return table.concat(out)
end

return M
