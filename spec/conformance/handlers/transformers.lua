-- SPDX-License-Identifier: Apache-2.0
-- Functions that change fields or resources (lua/fn): each case is a run of the function. Resources
-- are compared as data, because the peer's tests print them sorted; what is written how is compared
-- where the peer does.
local cjson = require("cjson")
local functions = require("spec.lua.fn.functions")
local shell = require("spec.conformance.lib.shell")
local support = require("spec.lua.support")

local M = {}

-- JSON that the YAML reader takes: it knows no \/.
local function encode(value)
  return (cjson.encode(value):gsub("\\/", "/"))
end

-- Gives what of two texts of resources differs, or nothing. `only`: a member to compare.
local function difference(got, expected, only)
  local text = support.eval([[
    local resources = require("lanai.resources")
    local function read(text)
      local items = assert(resources.read({ { path = "f.yaml", text = text } }))
      for i = 1, #items do
        local metadata = items[i].metadata
        local annotations = metadata.annotations
        for _, key in ipairs({ "path", "index" }) do
          if annotations then
            node.remove(annotations, "config.kubernetes.io/" .. key)
            node.remove(annotations, "internal.config.kubernetes.io/" .. key)
          end
        end
        if annotations and #annotations == 0 then
          node.remove(metadata, "annotations")
        end
      end
      return items
    end
    local got, expected = read(value.got), read(value.expected)
    for i = 1, #expected do
      local found = false
      for j = #got, 1, -1 do
        local a, b = expected[i], got[j]
        if value.only then
          a, b = a[value.only], b[value.only]
        end
        if node.equal(a, b) then
          found = node.remove(got, j)
          break
        end
      end
      if not found then
        return "missing:\n" .. node.emit(expected[i])
      end
    end
    return #got > 0 and "too much:\n" .. node.emit(got[1]) or ""
  ]], { got = got, expected = expected, only = only })
  return text ~= "" and text .. "\nin\n" .. got or nil
end

local function all(files)
  local paths, texts = {}, {}
  for path in pairs(files) do
    paths[#paths + 1] = path
  end
  table.sort(paths)
  for i, path in ipairs(paths) do
    texts[i] = files[path]:gsub("\n*$", "\n")
  end
  return table.concat(texts, "---\n")
end

local function same(answer, expected, only)
  if not answer.ok then
    return false, answer.error
  end
  local text = difference(all(answer.files), expected, only)
  return text == nil, text
end

-- The messages of results against a list.
local function messages(answer, expected, front)
  for i = 1, math.max(#expected, #answer.results) do
    local got, wanted = answer.results[i] and answer.results[i].message, expected[i]
    if got ~= wanted and got ~= (front or "") .. (wanted or "") then
      return false, ("result %d is '%s', expected '%s'"):format(i, got, wanted)
    end
  end
  return true
end

local function texts(case, names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = shell.read(case.dir .. "/" .. name):gsub("%s+$", "")
  end
  return list
end

M["fn.set-annotations.filter"] = function(case)
  return same(functions.run("set-annotations", { ["f.yaml"] = case:file("input") },
    "apiVersion: fn.kpt.dev/v1alpha1\nkind: SetAnnotations\n" .. case:file("config")),
    case:file("expected"))
end

local function reported(name, front)
  return function(case)
    local answer = functions.run(name, { ["f.yaml"] = case:file("input") }, case:file("config"))
    return messages(answer, texts(case, case.spec.files.expectedResult), front)
  end
end

M["fn.delete-annotations.filter"] = reported("delete-annotations")
M["fn.set-enforcement-action.filter"] = reported("set-enforcement-action",
  "failed to process policies: ")

M["fn.remove-local-config-resources.filter"] = function(case)
  local files = {}
  for _, name in ipairs(case.spec.files.input) do
    files[name] = shell.read(case.dir .. "/" .. name)
  end
  return messages(functions.run("remove-local-config-resources", files),
    case:param("ExpectedResult"))
end

-- What the peer's test prints of the results.
local function printed(answer, put)
  local lines = {}
  for _, r in ipairs(answer.results) do
    local value = r.message:match('^M%a+ field value t?o? ?"(.*)"$')
    if value then
      lines[#lines + 1] = ("${filePath}\nfieldPath: %s\nvalue: %s\n\n"):format(r.field.path, value)
    end
  end
  lines[#lines + 1] = ("%s %d field(s)"):format(put and "Mutated" or "Matched", #lines)
  return table.concat(lines)
end

local function search(case)
  local config = case:file("config")
  local answer = functions.run("search-replace", { ["f.yaml"] = case:file("input") }, config)
  local message = case:param("errMsg")
  if message then
    return answer.error:find(message, 1, true) ~= nil, answer.error
  end
  local got = printed(answer, config:find("put-", 1, true))
  local expected = case:file("out"):gsub("%s+$", "")
  if got ~= expected then
    return false, got .. "\nexpected\n" .. expected
  end
  return same(answer, case:file("expectedResources"))
end

M["fn.search-replace.filter"] = search
M["fn.search-replace.put-comment"] = search

-- An object in which the path exists.
local function object_with(path)
  local root = { apiVersion = "v1", kind = "X", metadata = { name = "x" } }
  local parent, key = root, nil
  for name, index in (path .. "."):gmatch("([^.%[]+)%[?(%d*)%]?%.") do
    if key then
      parent[key] = {}
      parent = parent[key]
    end
    key = name
    if index ~= "" then
      parent[name] = {}
      for i = 1, tonumber(index) do
        parent[name][i] = "other"
      end
      parent, key = parent[name], tonumber(index) + 1
    end
  end
  parent[key] = "leaf"
  return encode(root)
end

M["fn.search-replace.path-match"] = function(case)
  local path = case:param("traversedPath")
  local answer = functions.run("search-replace", { ["f.yaml"] = object_with(path) },
    "data:\n  by-path: '" .. case:param("byPath") .. "'\n")
  local found = false
  for _, r in ipairs(answer.results) do
    found = found or (r.field and r.field.path == path) or false
  end
  return found == case:param("shouldMatch"), path .. " matched: " .. tostring(found)
end

-- The items of a ResourceList as documents.
local function items_of(text)
  return support.eval([[
    local texts = {}
    for i, item in pairs(node.parse(value).items) do
      texts[i] = node.emit(item)
    end
    return table.concat(texts, "---\n")
  ]], text)
end

local function set_image(case)
  return functions.run("set-image", { ["f.yaml"] = items_of(case:file("input")) },
    case:file("config"), { version = "v0.1.1" })
end

M["fn.set-image.filter"] = function(case)
  return same(set_image(case), case:file("expected"))
end

M["fn.set-image.results"] = function(case)
  local expected = {}
  for message in case:file("ExpectedResults"):gmatch("%[info%]: ([^\n]+)") do
    expected[#expected + 1] = message
  end
  return messages(set_image(case), expected)
end

M["fn.set-image.config-errors"] = function(case)
  local answer = functions.run("set-image", {}, case:file("config"), { version = "v0.1.1" })
  local expected = case:param("ExpectedError")
  return not answer.ok and answer.error:sub(1, #expected) == expected, answer.error
end

M["fn.upsert-resource.filter"] = function(case)
  return same(functions.run("upsert-resource", { ["f1.yaml"] = case:file("input") },
    case:file("fnconfig")), case:file("expectedResources"))
end

M["fn.upsert-resource.is-same"] = function(case)
  local there = case:file("resource2")
  local path = there:match("config%.kubernetes%.io/path: '?([%w.]+)") or "f.yaml"
  local answer = functions.run("upsert-resource", { [path] = there }, case:file("resource1"))
  local _, n = all(answer.files):gsub("apiVersion:", "")
  return (n == 1) == case:param("expected"), all(answer.files)
end

local function map_with(annotations, value)
  return encode({ apiVersion = "v1", kind = "ConfigMap", data = { k = value },
    metadata = { name = "m", annotations = annotations } })
end

M["fn.upsert-resource.annotations"] = function(case)
  return same(functions.run("upsert-resource",
    { ["foo.yaml"] = map_with(case:param("matchedResourceAnno"), "old") },
    map_with(case:param("inputResourceAnno"), "new")), map_with(case:param("expected"), "new"))
end

-- The peer's test leaves out what follows with references.
M["fn.ensure-name-substring.depends-on"] = function(case)
  return same(functions.run("ensure-name-substring", { ["f.yaml"] = case:file("Input") },
    case:file("Config")), case:file("Expected"), "metadata")
end

M["fn.ensure-name-substring.depends-on-value"] = function(case)
  local key = "config.kubernetes.io/depends-on"
  local files = { ["f.yaml"] = map_with({ [key] = case:file("Input") }, "substr") }
  for id in pairs((case:param("InputResourceLookup") or {}).resourceMap or {}) do
    local group, kind, name = id:match('Group:%s*"(.-)".*Kind:%s*"(.-)".*Name:%s*"(.-)"')
    files["g.yaml"] = encode({ apiVersion = (group ~= "" and group .. "/" or "") .. "v1",
      kind = kind, metadata = { name = name } })
  end
  local answer = functions.run("ensure-name-substring", files, encode({
    apiVersion = "fn.kpt.dev/v1alpha1", kind = "EnsureNameSubstring", substring = "substr",
    editMode = case:param("EditMode") }))
  local expected = case:file("Expected")
  return answer.files["f.yaml"]:find('"' .. expected .. '"', 1, true) ~= nil
    or answer.files["f.yaml"]:find(" " .. expected .. "\n", 1, true) ~= nil, answer.files["f.yaml"]
end

M["fn.enable-gcp-services.filter"] = function(case)
  local files, expected = {}, {}
  for path, name in pairs(case.spec.files.resourceMap) do
    files[path] = shell.read(case.dir .. "/" .. name)
  end
  local answer = functions.run("enable-gcp-services", files)
  for i, result in ipairs(case:param("results")) do
    expected[i] = result.args[1]
    local got = answer.results[i]
    if not got or got.file.path ~= result.args[4] or got.resourceRef.name ~= result.args[2] then
      return false, "result " .. i .. " is " .. encode(got or {})
    end
  end
  local ok, text = messages(answer, expected)
  if not ok then
    return false, text
  end
  return same(answer, case:file("expected"))
end

M["fn.enable-gcp-services.list"] = function(case)
  local answer = functions.run("enable-gcp-services", { ["f.yaml"] = encode({
    apiVersion = "blueprints.cloud.google.com/v1alpha1", kind = "ProjectServiceSet",
    metadata = { name = case:param("resName") },
    spec = { services = case:param("services"), projectID = case:param("projectID") } }) })
  local message = case:param("errMsg")
  if message then
    return answer.error == message, answer.error
  end
  for _, service in ipairs(case:param("want")) do
    local text = answer.files["service_" .. service.args[1] .. ".yaml"] or "none"
    if not text:find("resourceID: " .. service.args[2] .. "\n", 1, true)
      or not text:find("external: " .. service.args[3] .. "\n", 1, true) then
      return false, text
    end
  end
  return true
end

local MUTATIONS = "annotate-apply-time-mutations"

M["fn." .. MUTATIONS .. ".process"] = function(case)
  local files, expected = {}, {}
  for i, list in ipairs(case:param("configs")) do
    files[("file-%d.yaml"):format(i - 1)] = table.concat(list, "---\n")
  end
  for _, list in ipairs(case:param("expectedConfigs")) do
    expected[#expected + 1] = table.concat(list, "---\n")
  end
  local answer = functions.run(MUTATIONS, files)
  for i, result in ipairs(case:param("expectedResults")) do
    local got = answer.results[i] or {}
    if got.message ~= result.Message or got.file.path ~= result.File.Path
      or (got.file.index or 0) ~= result.File.Index
      or got.resourceRef.name ~= result.ResourceRef.NameMeta.Name then
      return false, "result " .. i .. " is " .. encode(got)
    end
  end
  return same(answer, table.concat(expected, "---\n"))
end

-- A resource with `before` fields whose comments refer to others, and one with that comment.
local function annotated(comment, before)
  local text = "apiVersion: v1\nkind: X\nmetadata:\n  name: x\n"
  for i = 1, before do
    text = text .. ("f%d: 0 # apply-time-mutation: ${g/K/n:$.x}\n"):format(i)
  end
  local answer = functions.run(MUTATIONS, { ["f.yaml"] = text .. "field: x # apply-time-mutation: "
    .. comment .. "\n" })
  return answer.files["f.yaml"]
end

M["fn." .. MUTATIONS .. ".reference"] = function(case)
  local text = annotated(case:param("s"), 0)
  local names = { APIVersion = "apiVersion", Group = "group", Kind = "kind", Name = "name",
    Namespace = "namespace" }
  for field, value in pairs(case:param("wantStruct")) do
    if not text:find(("          %s: %s\n"):format(names[field], value), 1, true) then
      return false, field .. " in\n" .. text
    end
  end
  return text:find("sourcePath: " .. case:param("wantPath") .. "\n", 1, true) ~= nil, text
end

M["fn." .. MUTATIONS .. ".token"] = function(case)
  local text = annotated(case:param("s"), case:param("givenIndex"))
  return text:find("field: " .. case:param("wantValue") .. " #", 1, true) ~= nil
    and text:find("token: " .. case:param("wantToken") .. "\n", 1, true) ~= nil, text
end

return M
