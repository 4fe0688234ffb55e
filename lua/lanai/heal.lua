-- SPDX-License-Identifier: Apache-2.0
--
-- Comments come back: many clients read YAML as data and write it without its comments. A file
-- that had comments and was saved without any gets its old text, edited to say what the new one
-- says. A client that knows comments keeps some, and its text stays as it is.

local lanai = require("lanai")
local yaml = require("lanai.yaml")

local M = {}

-- `#` at the start of a line or behind a blank. One inside a text counts too: then nothing is done.
local function has_comment(text)
  return (" " .. text):find("%s#") ~= nil
end

-- Comments that are code to other tools (ytt) are never carried over.
local function is_template(text)
  return text:find("#[@!]") ~= nil
end

local function is_resource(document)
  return lanai.is_map(document) and document.apiVersion ~= nil and document.kind ~= nil
end

-- True when both are the same resource, by what names it.
local function is_same(a, b)
  if not is_resource(a) or not is_resource(b) then
    return false
  end
  for _, path in ipairs({ "apiVersion", "kind", "metadata.namespace", "metadata.name" }) do
    if lanai.at(a, path) ~= lanai.at(b, path) then
      return false
    end
  end
  return true
end

-- Edits the file until it says what `new` says.
local function edit(draft, path, old, new)
  for key in pairs(old) do
    if new[key] == nil and not draft:edit(path, { key }, nil) then
      return false
    end
  end
  for key, value in pairs(new) do
    if not lanai.equal(old[key], value) and not draft:edit(path, { key }, value) then
      return false
    end
  end
  return true
end

--- Gives a file of a draft back the comments that it had before, when its new text has none.
--- @param draft lanai.Draft
--- @param path string
--- @param before string its text before the save
--- @return true|nil, table?
function M.restore(draft, path, before)
  local after = draft:file(path)
  if has_comment(after) or not has_comment(before) or is_template(before) then
    return true
  end
  local old, new = yaml.parse_all(before), yaml.parse_all(after)
  if not old or not new then
    return true
  elseif lanai.equal(old, new) then
    return draft:set(path, before)
  elseif #old ~= 1 or #new ~= 1 or not is_same(old[1], new[1]) then
    return true
  end

  local ok, err = draft:set(path, before)
  if not ok then
    return nil, err
  end
  ok = edit(draft, path, old[1], new[1])
  local healed = ok and yaml.parse(draft:file(path))
  if not healed or not lanai.equal(healed, new[1]) then
    return draft:set(path, after) -- what the client said counts more than comments
  end
  return true
end

return M
