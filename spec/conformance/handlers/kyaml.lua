-- SPDX-License-Identifier: Apache-2.0
-- kyaml: reading and writing resources (core/krm/resources.h, stream.h, annotation.h), comments and
-- order given back (core/krm/heal.h), and what scalars mean to old readers (core/data/yaml_text.c).
local bydefault = require("spec.conformance.lib.bydefault")
local resources = require("probe_resources")
local shell = require("spec.conformance.lib.shell")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local function trim(text)
  return (text:gsub("^%s+", ""):gsub("%s+$", ""))
end

local function equal(got, expected, what)
  if got ~= expected then
    return false, ("%s\n%s\nexpected\n%s"):format(what or "text", got, expected)
  end
  return true
end

-- The texts of a list of files of a case.
local function texts(case, name)
  local list = {}
  for i, file in ipairs(case.spec.files[name] or {}) do
    list[i] = assert(shell.read(case.dir .. "/" .. file))
  end
  return list
end

local function instance(case)
  return case:param("instance") or {}
end

-- --- reading -----------------------------------------------------------------------------

-- Fails as expected: the peer's text is in ours.
local function failed(got, message, expected)
  if got then
    return false, "no error, expected '" .. expected .. "'"
  end
  return message:find(expected, 1, true) ~= nil, ("error '%s', expected '%s'"):format(message,
    expected)
end

M["kyaml.byte-reader"] = function(case)
  local o = instance(case)
  if o.SetAnnotations then
    return nil, "annotations of a reader's caller: nobody sets any"
  end
  local items, config, results, kind, version = resources.read_stream(case:file("input"),
    { annotate = not o.OmitReaderAnnotations })
  local err = case:param("err")
  if err then
    return failed(items, results, err)
  elseif not items then
    return false, results
  end
  local expected = texts(case, "expectedItems")
  if #items ~= #expected then
    return false, ("%d items, expected %d"):format(#items, #expected)
  end
  for i, text in ipairs(expected) do
    local ok, why = equal(trim(items[i]), trim(text), "item " .. i)
    if not ok then
      return false, why
    end
  end
  if case.spec.files.expectedFunctionConfig then
    local ok, why = equal(trim(config), trim(case:file("expectedFunctionConfig")), "config")
    if not ok then
      return false, why
    end
  end
  if kind ~= (case:param("wrappingAPIKind") or kind)
    or version ~= (case:param("wrappingAPIVersion") or version) then
    return false, ("wrapped in %s %s"):format(version, kind)
  end
  return true
end

M["kyaml.from-bytes"] = function(case)
  local exp = case:param("exp")
  local items, _, message = resources.read_stream(case:file("input"), {})
  if exp.isErr then
    return items == nil, "no error"
  elseif not items then
    return false, message
  end
  if case:file("input"):find("&", 1, true) then
    return nil, "aliases expanded while reading: kustomize's reader, not kpt's"
  elseif #items ~= #exp.sOut then
    return false, ("%d items, expected %d"):format(#items, #exp.sOut)
  end
  for i, text in ipairs(exp.sOut) do
    local ok, why = equal(trim(items[i]), trim(text), "item " .. i)
    if not ok then
      return false, why
    end
  end
  return true
end

-- --- round trips -------------------------------------------------------------------------

local function stream(case, o, expected)
  o.defects = true
  local got, _, message = resources.stream(case:file("input"), o)
  if not got then
    return false, message
  end
  return equal(trim(got), trim(case:file(expected)))
end

M["kyaml.byte-readwriter"] = function(case)
  return stream(case, { annotate = true, unwrap = instance(case).NoWrap }, "expectedOutput")
end

M["kyaml.retain-seqindent"] = function(case)
  return stream(case, { annotate = true, detect_wide = true, unwrap = true }, "expectedOutput")
end

M["kyaml.bare-seq"] = function(case)
  local o = { annotate = true, detect_wide = true, unwrap = true,
    wrap_lists = case:param("wrapBareSeqNode") }
  local expected = case:param("readerErr")
  if expected then
    local got, _, message = resources.stream(case:file("input"), o)
    return failed(got, message, expected)
  end
  return stream(case, o, "expectedOutput")
end

M["kyaml.resourcelist-wrapping"] = function(case)
  if case:unresolved("want") then
    return nil, "its expected text could not be recorded"
  end
  return stream(case, { annotate = true, unwrap = case:param("noWrap"),
    kind = case:param("wrapKind"), api_version = case:param("wrapAPIVersion") }, "want")
end

M["kyaml.byte-writer"] = function(case)
  local o = instance(case)
  local config = case.spec.files.functionConfig and case:file("functionConfig")
  local text = table.concat(texts(case, "items"), "\n---\n")
  local got, _, message = resources.stream(text, { sort = o.Sort, defects = true, config = config,
    keep_annotations = o.KeepReaderAnnotations, kind = o.WrappingKind,
    api_version = o.WrappingAPIVersion })
  if not got then
    return false, message
  end
  return equal(trim(got), trim(case:file("expectedOutput")))
end

M["kyaml.seqindent-annotation"] = function(case)
  if case:param("err") then
    return nil, "a contradiction of options that ours cannot express"
  end
  local items = assert(resources.read_stream(case:file("input"),
    { annotate = true, detect_wide = true }))
  local style = items[1]:match("internal%.config%.kubernetes%.io/seqindent: '(%a+)'")
  return equal(style, case:param("expectedAnnoValue"))
end

M["kyaml.derive-seqindent"] = function(case)
  local wide = resources.is_wide(case:file("input"))
  return equal(wide and "wide" or "compact", case:param("expectedOutput"))
end

M["kyaml.copy-legacy-annotations"] = function(case)
  local got, _, message = resources.mirror(case:file("input"))
  return equal(trim(got or message), trim(case:file("expected")))
end

-- --- comments, order, format -------------------------------------------------------------

M["kyaml.copy-comments"] = function(case)
  local from, to, expected = case:file("from"), case:file("to"), trim(case:file("expected"))
  local got, _, message = resources.heal(from, to, { kpt = true })
  local ok, why = equal(trim(got or message), expected)
  if not ok then
    return false, why
  end
  local by_default = assert(resources.heal(from, to, {}))
  return bydefault.check(case, { ["resource.yaml"] = expected .. "\n" },
    { ["resource.yaml"] = trim(by_default) .. "\n" })
end

M["kyaml.sync-order"] = function(case)
  local got, _, message = resources.heal(case:file("from"), case:file("to"),
    { kpt = true, order = true, order_only = true })
  return equal(got or message, case:file("expected"))
end

local function format(case, expected)
  local got, _, message = resources.format(case:file("input"))
  if case:param("expect_error") or case:param("expectError") then
    return got == nil, "no error"
  end
  return equal(trim(got or message), trim(case:file(expected)))
end

M["kyaml.format"] = function(case)
  if case:param("use_schema") then
    return nil, "scalars typed by schemas: the function format is not part of this version"
  end
  return format(case, "expected")
end

M["kyaml.format-file"] = function(case)
  return format(case, "expectedOutput")
end

-- --- scalars and JSON --------------------------------------------------------------------

M["kyaml.is-yaml11-nonstring"] = function(case)
  local text = case.spec.files and case:file("val") or case.spec.params.val
  local got = resources.is_11_word(text)
  return got == case.spec.params.expected, ("'%s' is one: %s"):format(text, got)
end

M["kyaml.to-json"] = function(case)
  local got = yaml.to_json(case:file("ydoc"))
  return equal(yaml.encode(yaml.from_json(got)), yaml.encode(yaml.from_json(case:file("want"))))
end

M["goyaml.encode"] = function(case)
  local got, _, message = resources.write_values(case:file("value"),
    { four = case:param("indent") == 4, wide = case:param("seqindent") == "wide", defects = true,
      sort = true })
  return equal(got or message, case:file("text"))
end

M["goyaml.node-from-value"] = function(case)
  local value = case:file("value")
  local got, _, message = resources.write_values(value, {})
  if not got or not yaml.equal(yaml.to_json(got), value) then
    return false, ("%s for %s"):format(got or message, value)
  end
  -- of a list the peer's text is what it was decoded from
  local text = trim(case:file("text"))
  return text:find("^%[") ~= nil or trim(got) == text, ("%s, expected %s"):format(got, text)
end

-- Keys that are numbers or words come from maps that only Go has; ours are strings.
M["goyaml.sort"] = function(case)
  local order, members = {}, {}
  for _, key in ipairs(case:param("order")) do
    if type(key) == "string" then
      order[#order + 1] = key
      table.insert(members, 1 + #key % (#members + 1), ("%q:1"):format(key))
    end
  end
  local got = assert(resources.write_values("{" .. table.concat(members, ",") .. "}",
    { sort = true }))
  local keys = {}
  for key in got:gmatch("([^\n]*): 1\n") do
    keys[#keys + 1] = key:match("^['\"](.*)['\"]$") or key
  end
  return equal(table.concat(keys, " "), table.concat(order, " "))
end

M["kyaml.from-json"] = function(case)
  local got, _, message = resources.write_values(case:file("input"), { sort = true })
  return equal(trim(got or message), trim(case:file("output")))
end

return M
