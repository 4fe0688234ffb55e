-- SPDX-License-Identifier: Apache-2.0
-- What tasks make of a package: init, saves and updates through the shipped workflows.
local ask = require("spec.conformance.lib.ask")
local data = require("probe_data")
local world = require("spec.conformance.lib.world")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local function compare_files(got, want)
  local paths = {}
  for path in pairs(want) do
    paths[#paths + 1] = path
  end
  table.sort(paths)
  for _, path in ipairs(paths) do
    if got[path] ~= want[path] then
      return false, ("%s is\n%s\nexpected\n%s"):format(path, tostring(got[path]), want[path])
    end
  end
  return true
end

-- The tables compare packages before the render that ends every task: without what it says at the
-- end of the Kptfile.
local function unrendered(kptfile)
  local text = kptfile:gsub("\n  renderStatus:\n.*$", "\n"):gsub("\n *%- type: Rendered\n *status: [^\n]*\n *reason: [^\n]*", "")
  return (text:gsub("\nstatus:\n  conditions:\n$", "\n"))
end

M["porch.task.init"] = function(case)
  return world.with({}, function(w)
    w:repository("repo")
    local object, err = w:create { repository = "repo", packageName = case:param("packageName"),
      workspaceName = "w1", tasks = { { type = "init", init = {
        description = case:param("description"), keywords = case:param("keywords"),
        site = case:param("site") } } } }
    if not object then
      return false, err.message
    end
    local files = w:files(object.metadata.name)
    files.Kptfile = unrendered(files.Kptfile)
    return compare_files(files, case:tree("expected"))
  end)
end

-- A draft whose files are these; calls fn(w, name).
local function with_draft(files, fn)
  return world.with({}, function(w)
    w:repository("repo")
    local name = assert(w:create { repository = "repo", packageName = "p",
      workspaceName = "w1" }).metadata.name
    local ok, err = w:save(name, files)
    if not ok then
      error(err.message)
    end
    return fn(w, name)
  end)
end

-- --- comments come back ---

-- The text without comments, sequences at the indentation of their parent, as the peer's test
-- writes it: the product's emitter on plain data.
local function plain(text)
  local out = {}
  for document in (text .. "\n---\n"):gmatch("(.-)\n%-%-%-\n") do
    out[#out + 1] = assert(data.yaml_emit(yaml.to_json(document .. "\n")))
  end
  return table.concat(out, "---\n")
end

local function is_yaml(path)
  return path:find("%.ya?ml$") ~= nil or path:find("Kptfile$") ~= nil
end

M["porch.task.replace-resources"] = function(case)
  local files = case:tree("input")
  local stripped, changed = {}, false
  for path, text in pairs(files) do
    stripped[path] = is_yaml(path) and plain(text) or text
    changed = changed or stripped[path] ~= text
  end
  assert(changed, "the input has no comments to lose")
  local got = ask.run("heal", yaml.encode { before = files, files = stripped })
  return compare_files(got.files, files)
end

-- --- metadata in the Kptfile ---

local KPTFILE = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: p\n"

local function kptfile_with(labels)
  local object = yaml.parse(KPTFILE)
  if labels and next(labels) then
    object.metadata.labels = labels
  end
  return assert(data.yaml_emit(yaml.encode(object)))
end

M["porch.task.apply-map-metadata"] = function(case)
  local desired = case:param("desired")
  local got = ask.run("labels", yaml.encode {
    kptfile = kptfile_with(case:param("cur")), replace = case:param("replace") == true,
    object = { spec = { packageMetadata = { labels = desired } }, status = {} } })
  local labels = yaml.parse(got.kptfile).metadata.labels or {}
  local want = case:param("wantMap") or {}
  if got.changed ~= case:param("want") then
    return false, "changed is " .. tostring(got.changed) .. "\n" .. got.kptfile
  end
  return yaml.equal(yaml.encode(labels), yaml.encode(want)), got.kptfile
end

-- A PUT whose gates and conditions are the table's.
M["porch.task.kptfile-patch"] = function(case)
  local before = case:file("kptfile")
  local wanted = yaml.to_json(case:file("packagerevision"))
  return with_draft({ Kptfile = before }, function(w, name)
    local json = w:get(name)
    for _, path in ipairs { "spec.readinessGates", "status.conditions" } do
      json = data.set_at(json, path, (data.at(wanted, path)))
    end
    local object, err = w:update(name, json)
    if not object then
      return false, err.message
    end
    local after = unrendered(w:files(name).Kptfile)
    if not case:param("changed") then
      return after == before, after
    end
    return yaml.equal(yaml.to_json(after), yaml.to_json(case:file("expected"))), after
  end)
end

-- --- what needs functions or merging ---

M["porch.task.clone"] = function()
  return nil, "needs clone"
end

M["porch.package-context"] = function()
  return nil, "needs the built-in function that writes package-context.yaml"
end

M["porch.task.render"] = function()
  return nil, "needs built-in functions"
end

return M
