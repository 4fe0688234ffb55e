-- SPDX-License-Identifier: Apache-2.0
--
-- Markdown for documents of packages: tables with columns of equal width, texts between markers.

local M = {}

local MARKER = "<!-- %s OF PRE-COMMIT-BLUEPRINT DOCS HOOK:%s -->"

local function width(text)
  return utf8.len(text) or #text
end

local function pad(text, columns)
  return text .. (" "):rep(columns - width(text))
end

local function center(text, columns)
  return pad((" "):rep((columns - width(text)) // 2) .. text, columns)
end

-- Numbers stand at the right.
local function cell(text, columns)
  if text:find("^%-?%d+$") or text:find("^%-?%d+%.%d+$") then
    return (" "):rep(columns - width(text)) .. text
  end
  return pad(text, columns)
end

local function line(cells, columns, write)
  local parts = {}
  for i, text in ipairs(cells) do
    parts[i] = " " .. write(text, columns[i]) .. " "
  end
  return "|" .. table.concat(parts, "|") .. "|\n"
end

--- Gives a table.
--- @param head string[]
--- @param rows string[][]
--- @return string
function M.table(head, rows)
  local columns, rules = {}, {}
  for i, text in ipairs(head) do
    columns[i] = width(text)
    for _, row in ipairs(rows) do
      columns[i] = math.max(columns[i], width(row[i]))
    end
    rules[i] = ("-"):rep(columns[i] + 2)
  end
  local lines = { line(head, columns, center), "|" .. table.concat(rules, "|") .. "|\n" }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = line(row, columns, cell)
  end
  return table.concat(lines)
end

--- Gives a heading with an empty line below it.
--- @param text string
--- @param level integer
--- @return string
function M.heading(text, level)
  return ("#"):rep(level) .. " " .. text .. "\n\n"
end

-- Puts text in the place of the lines between two markers, of which there must be one at least.
local function between(document, part, text)
  local start = MARKER:format("BEGINNING", part)
  local stop = MARKER:format("END", part)
  local lines, first, last = {}, nil, nil
  for l in (document .. "\n"):gmatch("([^\n]*)\n") do
    lines[#lines + 1] = l
    if not (first and last) then
      first = l == start and #lines or first
      last = l == stop and #lines or last
    end
  end
  if not first or not last then
    return document
  elseif last - first < 2 then
    return nil, ("unable insert, invalid start: %d or stop: %d"):format(first, last - 2)
  end
  return table.concat(lines, "\n", 1, first) .. "\n" .. text .. "\n"
    .. table.concat(lines, "\n", last)
end

--- Puts a title and a body between the markers for them; a document without markers stays.
--- @param document string
--- @param title string
--- @param body string
--- @return string|nil, string?
function M.insert(document, title, body)
  local text, message = between(document, "TITLE", title)
  if not text then
    return nil, message
  end
  return between(text, "BODY", body)
end

return M
