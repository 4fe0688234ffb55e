-- SPDX-License-Identifier: Apache-2.0
-- Reading YAML: core/data/yaml_read.c for trees, errors and events, core/data/yaml.c for values by
-- the rules of the API. Texts that come back: core/data/yaml_write.c.
local data = require("probe_data")
local probe = require("probe_yaml")
local resources = require("probe_resources")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

-- --- events ------------------------------------------------------------------------------

local ESCAPES = { ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\b"] = "\\b", ["\r"] = "\\r" }
local MARKS = { ["double-quoted"] = '"', ["single-quoted"] = "'", literal = "|", folded = ">" }

-- Properties as events write them. A tag that only says what the type is has been resolved.
local function props(node)
  local anchor = node.anchor and " &" .. node.anchor or ""
  if not node.tagged then
    return anchor
  end
  local tag = node.tag:match("^!<(.*)>$") or node.tag:gsub("^!!", "tag:yaml.org,2002:")
  tag = tag:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  return anchor .. " <" .. tag .. ">"
end

local function add_events(out, node)
  if node.kind == "alias" then
    out[#out + 1] = "=ALI *" .. node.value
  elseif node.kind == "scalar" then
    local value = (node.value or ""):gsub("[\\\n\t\b\r]", ESCAPES)
    out[#out + 1] = "=VAL" .. props(node) .. " " .. (MARKS[node.style] or ":") .. value
  else
    local kind = node.kind == "mapping" and "MAP" or "SEQ"
    out[#out + 1] = "+" .. kind .. props(node)
    for _, child in ipairs(node.content or {}) do
      add_events(out, child)
    end
    out[#out + 1] = "-" .. kind
  end
end

local function events_of(documents)
  local out = { "+STR" }
  for _, document in ipairs(documents) do
    out[#out + 1] = "+DOC"
    add_events(out, document.content[1])
    out[#out + 1] = "-DOC"
  end
  out[#out + 1] = "-STR"
  return table.concat(out, "\n") .. "\n"
end

-- The suite also tells markers and flow style, which are layout; and the non-specific tag.
local function plain_events(text)
  return (text:gsub("(%+DOC) %-%-%-", "%1"):gsub("(%-DOC) %.%.%.", "%1"):gsub("(%+MAP) {}", "%1")
    :gsub("(%+SEQ) %[%]", "%1"):gsub("(=VAL) <!> ", "%1 "))
end

-- Cases in which go-yaml and the suite disagree about the events of a text that both accept; the
-- peer's output decides there.
local function check_events(case, documents)
  local expected = plain_events(case:file("test_event"))
  local got = events_of(documents)
  if case:param("must_fail") or case:param("libyaml_0_2_5") ~= "match" or got == expected then
    return true
  end
  return false, "events\n" .. got .. "expected\n" .. expected
end

local function check_output(case, text)
  for name, wide in pairs({ goyaml_out = false, goyaml_wide = true }) do
    if case.spec.files[name] then
      local got, expected = probe.rewrite(text, wide), case:file(name)
      if got ~= expected then
        return false, ("%s\n%s\nexpected\n%s"):format(name, got, expected)
      end
    end
  end
  return true
end

M["yaml.suite"] = function(case)
  local text = case:file("in_yaml")
  local json, _, message = probe.read(text)
  local accepted = case:param("goyaml_v3") == "ok"
  if (json ~= nil) ~= accepted then
    return false, json and "accepted, expected: " .. tostring(case:param("goyaml_v3_error"))
      or message
  elseif not json then
    local expected = case:param("goyaml_v3_error")
    return message == expected, ("error '%s', expected '%s'"):format(message, expected)
  end
  local ok, why = check_events(case, yaml.from_json(json))
  if not ok then
    return ok, why
  end
  return check_output(case, text)
end

-- --- node trees --------------------------------------------------------------------------

-- Line and column, from 1, of a byte offset.
local function place(text, at)
  local before = text:sub(1, at)
  local _, lines = before:gsub("\n", "")
  return lines + 1, utf8.len(before:match("[^\n]*$")) + 1
end

local COMMENTS = { head = "headComment", line = "lineComment", foot = "footComment" }

-- A node of the reader in the peer's terms. A key's comments are the key's, as in the peer.
local function translate(text, node)
  local out = { kind = node.kind, tag = node.tag, anchor = node.anchor }
  if node.kind == "alias" then
    out.alias, out.value = node.value, node.value
  elseif node.kind == "scalar" then
    out.value = node.value
  end
  local style = {}
  style[#style + 1] = node.tagged and "tagged" or nil
  style[#style + 1] = node.style
  out.style = #style > 0 and style or nil
  if node.kind ~= "document" then
    out.line, out.column = place(text, node.from)
  end
  for from, to in pairs(COMMENTS) do
    out[to] = node[from]
  end
  for i, child in ipairs(node.content or {}) do
    out.content = out.content or {}
    out.content[i] = translate(text, child)
  end
  return out
end

-- The first difference of two trees of nodes, or nil.
local function differ(got, want, path)
  if want.kind ~= "scalar" and want.value == "" then
    want.value = nil
  end
  local names = {}
  for _, t in ipairs({ got, want }) do
    for name in pairs(t) do
      names[name] = true
    end
  end
  for name in pairs(names) do
    local a, b = got[name], want[name]
    local both = type(a) == "table" and type(b) == "table"
    if both then
      local found = differ(a, b, path .. "/" .. name)
      if found then
        return found
      end
    elseif a ~= b then
      return ("%s/%s is %s, expected %s"):format(path, name, yaml.encode(a), yaml.encode(b))
    end
  end
end

local function check_node(case)
  local text = case:file("text")
  local json, _, message = probe.read(text)
  if not json then
    return false, message
  end
  local got = translate(text, yaml.from_json(json)[1])
  local want = yaml.from_json(case:file("node"))
  want.line, want.column = nil, nil
  local difference = differ(got, want, "")
  return difference == nil, difference
end

M["goyaml.node"] = function(case)
  if not case:param("decode") then
    local got = assert(resources.write_described(case:file("node"),
      { wide = true, defects = true }))
    local text = case:file("text")
    return got == text, ("written as\n%s\nexpected\n%s"):format(got, text)
  end
  local ok, why = check_node(case)
  if not ok then
    return ok, why
  end
  if case:param("encode") then
    local text = case:file("text")
    local got = probe.rewrite(text, true)
    return got == text, ("written as\n%s\nexpected\n%s"):format(got, text)
  end
  return true
end

-- --- values ------------------------------------------------------------------------------

M["goyaml.decode"] = function(case)
  local json, _, message = data.yaml(case:file("text"))
  if not json then
    return false, message
  end
  local expected = case:file("value")
  return yaml.equal(json, expected), json .. " expected " .. expected
end

-- The regular expressions are texts with `\[`, `\{` … and a leading `.*`.
local function matches(message, regex)
  local plain = regex:gsub("^%.%*", ""):gsub("\\(.)", "%1")
  return message:find(plain, 1, true) ~= nil
end

M["goyaml.error"] = function(case)
  local json, _, message = data.yaml(case:file("text"))
  if json then
    return false, "accepted as " .. json
  end
  local regex = case:param("error_regex")
  if regex:find("invalid map key", 1, true) then
    local refused = message:find("a map key must be a scalar", 1, true) ~= nil
    return refused, refused and nil or message, "yaml-map-key"
  end
  return matches(message, regex), ("error '%s', expected '%s'"):format(message, regex)
end

return M
