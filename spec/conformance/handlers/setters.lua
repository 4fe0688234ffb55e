-- SPDX-License-Identifier: Apache-2.0
-- Functions of setters and of whole packages (lua/fn/{apply,create,list}-setters.lua, fix.lua,
-- generate-kpt-pkg-docs.lua): each case is a run of the function, or of a part of its library.
local cjson = require("cjson")
local functions = require("spec.lua.fn.functions")
local shell = require("spec.conformance.lib.shell")
local support = require("spec.lua.support")

local M = {}

-- A text whose lists all have one indentation: the peer's tests write theirs wide, whatever it was.
local function compact(text)
  return support.eval([[
    local resources = require("lanai.resources")
    local items = assert(resources.read({ { path = "f.yaml", text = value } }))
    return assert(resources.text(items))
  ]], text)
end

local function equal(got, expected, what)
  if got ~= expected then
    return false, ("%s\n%s\nexpected\n%s"):format(what or "text", got, expected)
  end
  return true
end

-- The peer's test looks behind this error, which its program makes of a run without results.
local NO_MATCH = "no matches for the input list of setters"

-- A function that changes one file; the peer's error is a part of ours.
local function filter(name)
  return function(case)
    local answer = functions.run(name, { ["f.yaml"] = case:file("input") }, case:file("config"))
    local message = case:param("errMsg")
    if message then
      return answer.error == message, ("error '%s', expected '%s'"):format(answer.error, message)
    elseif not answer.ok and answer.error ~= NO_MATCH then
      return false, answer.error
    end
    return equal(compact(answer.files["f.yaml"]), compact(case:file("expectedResources")))
  end
end

M["fn.apply-setters.filter"] = filter("apply-setters")
M["fn.create-setters.filter"] = filter("create-setters")

-- What a pattern says of a text, as a map.
local function current(case)
  local got = support.eval([[
    local values = node.map()
    for k, v in pairs(require("lanai.setter").current(value.pattern, value.text)) do
      values[k] = v
    end
    return values
  ]], { pattern = case:param("pattern"), text = case:param("value") })
  local expected = case:param("expected") or {}
  for _, pair in ipairs({ { got, expected }, { expected, got } }) do
    for name, value in pairs(pair[1]) do
      if pair[2][name] ~= value then
        return false, ("%s is '%s', expected '%s'"):format(name, got[name], expected[name])
      end
    end
  end
  return true
end

M["fn.apply-setters.resolve-pattern"] = current
M["fn.list-setters.current-values"] = current

-- The setters of the peer's test, which its cases leave out.
local SETTERS = "data: {tag: 1.1.2, role: dev, stage: development, app: nginx, image: nginx-abc, "
  .. "ns: role, region: us-east, env: ubuntu}\n"

M["fn.create-setters.line-comment"] = function(case)
  local answer = functions.run("create-setters",
    { ["f.yaml"] = "apiVersion: v1\nkind: X\nspec: " .. case:param("value") .. "\n" }, SETTERS)
  local text = answer.files["f.yaml"] or ""
  return equal(text:match("# kpt%-set: ([^\n]*)") or "", case.params.comment)
end

M["fn.list-setters.filter"] = function(case)
  local files = {}
  for path, file in pairs(case.spec.files.resourceMap) do
    files[path] = assert(shell.read(case.dir .. "/" .. file))
  end
  local got, expected = {}, {}
  for i, r in ipairs(functions.run("list-setters", files).results) do
    got[i] = r.message
  end
  for i, r in ipairs(case:param("expectedResult") or {}) do
    expected[i] = ("Name: %s, Value: %s, Type: %s, Count: %d"):format(r.Name, r.Value, r.Type,
      r.Count)
  end
  expected[1] = expected[1] or "no setters found"
  table.sort(got)
  table.sort(expected)
  return equal(table.concat(got, "\n"), table.concat(expected, "\n"))
end

-- --- fix ---------------------------------------------------------------------------------

-- The peer's test is newer than its newest release, which names an older apply-setters.
local function released(text)
  return (text:gsub("gcr%.io/kpt%-fn/apply%-setters:v0%.2", "gcr.io/kpt-fn/apply-setters:v0.1"))
end

local function sorted_lines(text)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

-- The order of data in a file of setters is that of names in ours, and any in the peer's; Kptfiles
-- get the order that they had.
local function same_package(got, expected)
  for path, text in pairs(expected) do
    local want, is = released(compact(text)), released(compact(got[path] or ""))
    if path:find("setters%.yaml$") or path:find("Kptfile$") then
      want, is = sorted_lines(want), sorted_lines(is)
    end
    local ok, why = equal(is, want, path)
    if not ok then
      return false, why
    end
  end
  for path in pairs(got) do
    if not expected[path] then
      return false, "not expected: " .. path
    end
  end
  return true
end

M["fn.fix.package"] = function(case)
  for _, version in ipairs({ "v1alpha1", "v1alpha2" }) do
    local answer = functions.run("fix", case:tree(version))
    if not answer.ok then
      return false, answer.error
    end
    local ok, why = same_package(answer.files, case:tree("expected"))
    if not ok then
      return false, version .. ": " .. why
    end
  end
  return true
end

M["fn.fix.setters-node"] = function(case)
  local kptfile = "apiVersion: kpt.dev/v1alpha2\nkind: Kptfile\nmetadata:\n  name: p\npipeline:\n"
    .. "  mutators:\n  - image: gcr.io/kpt-fn/apply-setters:v0.2\n    configMap:\n"
  local setters = {}
  for name, file in pairs(case.spec.files.setters) do
    setters[name] = assert(shell.read(case.dir .. "/" .. file))
  end
  for name, text in pairs(setters) do
    kptfile = kptfile .. ("      %s: %s\n"):format(name, cjson.encode(text))
  end
  local answer = functions.run("fix", { Kptfile = kptfile })
  local expected = case:file("expected"):gsub("  annotations:\n    [^\n]*\n    [^\n]*\n", "")
  return equal(compact(answer.files["setters.yaml"] or ""), compact(expected))
end

-- --- generate-kpt-pkg-docs ---------------------------------------------------------------

M["fn.generate-kpt-pkg-docs.insert"] = function(case)
  local args = {}
  for name, file in pairs(case.spec.files.args) do
    args[name] = assert(shell.read(case.dir .. "/" .. file))
  end
  local got = support.eval([[
    return (assert(require("lanai.markdown").insert(value.current, value.title, value.generated)))
  ]], args)
  return equal(got, case:file("want"))
end

return M
