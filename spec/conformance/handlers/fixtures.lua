-- SPDX-License-Identifier: Apache-2.0
-- Git repositories as they are found: registered, synced, deleted from. core/repo, core/engine.
local blueprints = require("spec.conformance.lib.blueprints")
local shell = require("spec.conformance.lib.shell")
local world = require("spec.conformance.lib.world")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local BRANCHES = { "main", "feature", "nested/release" }
local SLASHES = "branch-names-with-slashes"

-- Unpacks the archive as a bare repository, with the branch made at main when it is missing.
local function unpack_archive(case, to, branch)
  shell.sh(("mkdir %s && tar -xf %s -C %s"):format(shell.quote(to),
    shell.quote(case.dir .. "/" .. case.spec.archive), shell.quote(to)))
  local dir = to .. "/.git"
  shell.git(dir, "config core.bare true")
  if case.spec.refs["refs/heads/main"] and branch ~= "main" then
    shell.git(dir, "branch " .. branch .. " main")
  end
  return dir
end

local function sync(w)
  local n, err = w.engine:sync(world.NS, "repo")
  if not n then
    error(err.message)
  end
end

local function revisions(w)
  local list = {}
  for _, json in ipairs(assert(w.engine:objects("packagerevisions", world.NS))) do
    list[#list + 1] = yaml.from_json(json)
  end
  return list
end

-- Calls fn(w, remote, revisions) with the archive registered for one expectation and branch.
local function register(case, expect, branch, fn)
  return world.with({}, function(w)
    local remote = unpack_archive(case, w.dir .. "/remote", branch)
    w:repository("repo", { repo = "file://" .. remote, branch = branch,
      directory = expect.directory, createBranch = next(case.spec.refs) == nil }, expect.deployment)
    sync(w)
    return fn(w, remote, revisions(w))
  end)
end

-- --- what is found ---

-- The workspace of a branch's placeholder: an object name has no slashes.
local function workspace_of(branch)
  return (branch:gsub("/", "-"))
end

-- Text lines of both sides must be the same set.
local function same_set(got, want)
  table.sort(got)
  table.sort(want)
  if table.concat(got, "\n") == table.concat(want, "\n") then
    return true
  end
  return false, "found:\n" .. table.concat(got, "\n") .. "\nexpected:\n"
    .. table.concat(want, "\n")
end

local function describe(package, workspace, revision, lifecycle)
  return ("%s %s %d %s"):format(package, workspace, revision, lifecycle)
end

local function describe_all(list)
  local lines = {}
  for i, o in ipairs(list) do
    lines[i] = describe(o.spec.packageName, o.spec.workspaceName, o.spec.revision or 0,
      o.spec.lifecycle)
  end
  return lines
end

local CHECKS = {}

function CHECKS.exact(_, want, branch, found)
  local lines = {}
  for i, entry in ipairs(want) do
    local workspace = entry.workspace:gsub("%${BRANCH}", workspace_of(branch))
    lines[i] = describe(entry.package, workspace, entry.revision, entry.lifecycle)
  end
  return same_set(describe_all(found), lines)
end

function CHECKS.packages_at_root(_, want, branch, found)
  local got, lines = {}, {}
  for _, o in ipairs(found) do
    if not o.spec.packageName:find("/", 1, true) then
      got[#got + 1] = o.spec.packageName .. "/" .. o.spec.workspaceName
    end
  end
  for i, text in ipairs(want) do
    lines[i] = text:gsub("%${BRANCH}", workspace_of(branch))
  end
  return same_set(got, lines)
end

function CHECKS.revisions(_, want, _, found)
  for _, o in ipairs(found) do
    local allowed = false
    for _, n in ipairs(want[o.spec.packageName] or {}) do
      allowed = allowed or n == (o.spec.revision or 0)
    end
    if not allowed then
      return false, ("%s has revision %d"):format(o.metadata.name, o.spec.revision or 0)
    end
  end
  return next(want) == nil or #found > 0, "nothing found"
end

-- Every tag Published, every draft and proposed branch what it says; placeholders are extra.
function CHECKS.rule(case, _, _, found)
  local got, want = {}, {}
  for _, o in ipairs(found) do
    if o.spec.revision ~= -1 then
      got[#got + 1] = ("%s/%s %s"):format(o.spec.packageName, o.spec.workspaceName,
        o.spec.lifecycle)
    end
  end
  local kinds = { ["refs/tags/"] = "Published", ["refs/heads/drafts/"] = "Draft",
    ["refs/heads/proposed/"] = "Proposed" }
  for ref in pairs(case.spec.refs) do
    for prefix, lifecycle in pairs(kinds) do
      if ref:sub(1, #prefix) == prefix then
        want[#want + 1] = ref:sub(#prefix + 1) .. " " .. lifecycle
      end
    end
  end
  return same_set(got, want)
end

-- Entries name a package (and workspace or revision) and who published it when.
function CHECKS.publish_info(_, want, _, found)
  for key, entry in pairs(want) do
    local package = entry.package or type(key) == "string" and key:match("^[^@]+")
    local revision = entry.revision or type(key) == "string" and tonumber(key:match("@(.*)$"))
    local seen = false
    for _, o in ipairs(found) do
      local status = o.status or {}
      if o.spec.packageName == package and (not revision or o.spec.revision == revision)
        and (not entry.workspace or o.spec.workspaceName == entry.workspace) then
        seen = true
        for _, field in ipairs { "publishedBy", "publishTimestamp" } do
          if entry[field] and entry[field] ~= status[field] then
            return false, ("%s: %s is %s"):format(o.metadata.name, field, tostring(status[field]))
          end
        end
      end
    end
    if not seen then
      return false, "not found: " .. tostring(package)
    end
  end
  return true
end

function CHECKS.deployment(_, _, _, found)
  for _, o in ipairs(found) do
    if o.status.deployment ~= true then
      return false, o.metadata.name .. " is no deployment"
    end
  end
  return true
end

-- --- what goes ---

local function refs_of(remote)
  local set = {}
  for _, ref in ipairs(shell.lines(shell.git(remote, "for-each-ref '--format=%(refname)'"))) do
    set[ref] = true
  end
  return set
end

local function delete(w, o)
  local name = o.metadata.name
  if o.spec.lifecycle == "Published" then
    local ok, err = w:lifecycle(name, "DeletionProposed")
    if not ok then
      return nil, name .. ": " .. err.message
    end
  end
  local ok, err = w:delete(name)
  return ok, err and name .. ": " .. err.message
end

-- Deletes every revision, tags and drafts before the placeholders.
local function delete_all(w, remote, found, want)
  table.sort(found, function(a, b)
    local x, y = a.spec.revision or 0, b.spec.revision or 0
    if x ~= y then
      return x > y
    end
    return a.metadata.name < b.metadata.name
  end)
  for _, o in ipairs(found) do
    local ok, text = delete(w, o)
    if not ok then
      return false, text
    end
    local package, revision = o.spec.packageName, o.spec.revision or 0
    local ref = revision >= 0 and want.deletes_refs
      and (want.deletes_refs[package .. "@" .. revision] or want.deletes_refs[package])
    if ref and refs_of(remote)[ref] then
      return false, ref .. " is still there"
    end
  end
  return true
end

function CHECKS.delete_all(_, want, branch, found, w, remote)
  local ok, text = delete_all(w, remote, found, want)
  if not ok then
    return false, text
  end
  local got, left = {}, {}
  for ref in pairs(refs_of(remote)) do
    got[#got + 1] = ref
  end
  local seen = { HEAD = true } -- not a ref of its own: it stays whatever it names
  for _, ref in ipairs(want.refs_left or {}) do
    ref = ref:gsub("%${BRANCH}", branch)
    if not seen[ref] then
      seen[ref] = true
      left[#left + 1] = ref
    end
  end
  ok, text = same_set(got, left)
  if ok and want.branch_tree_left == "empty" then
    text = shell.git(remote, "ls-tree -r --name-only " .. branch)
    ok = text == ""
  end
  if ok then
    sync(w)
    text = table.concat(describe_all(revisions(w)), "\n")
    ok = text == ""
  end
  return ok, text
end

-- Takes one ref away behind the server's back.
function CHECKS.removed_upstream_ref_drops_revision(_, _, _, found, w, remote)
  for _, o in ipairs(found) do
    local ref = o.status.selfLock.git.ref
    local full = o.spec.lifecycle == "Draft" and "refs/heads/" .. ref or "refs/tags/" .. ref
    if o.spec.revision ~= -1 then
      local before = #revisions(w)
      shell.git(remote, "update-ref -d " .. shell.quote(full))
      sync(w)
      if w.engine:get("packagerevisions", world.NS, o.metadata.name) then
        return false, o.metadata.name .. " is still there"
      elseif #revisions(w) ~= before - 1 then
        return false, "more than one revision went"
      end
    end
  end
  return true
end

-- Reading checks before those that take away.
local ORDER = { "exact", "packages_at_root", "revisions", "rule", "publish_info", "deployment",
  "removed_upstream_ref_drops_revision", "delete_all" }

local function known_keys(expect)
  local known = { directory = true }
  for _, name in ipairs(ORDER) do
    known[name] = true
  end
  for key in pairs(expect) do
    if not known[key] then
      return false, "no check for '" .. key .. "'"
    end
  end
  return true
end

-- Each taking check gets a registration of its own.
local function check(case, expect, branch)
  for _, name in ipairs(ORDER) do
    local want = yaml.given(expect[name])
    if want ~= nil then
      local ok, text = register(case, expect, branch, function(w, remote, found)
        return CHECKS[name](case, want, branch, found, w, remote)
      end)
      if not ok then
        return false, ("%s, branch %s, directory '%s':\n%s"):format(name, branch,
          expect.directory, tostring(text))
      end
    end
  end
  return true
end

M["porch.git-fixture"] = function(case)
  local slashes = false
  for _, expect in ipairs(case.spec.expect) do
    local ok, text = known_keys(expect)
    for i = 1, ok and #BRANCHES or 0 do
      ok, text = check(case, expect, BRANCHES[i])
      if not ok then
        break
      end
    end
    if not ok then
      return false, text
    end
    for _, entry in ipairs(yaml.given(expect.exact) or {}) do
      slashes = slashes or entry.workspace == "${BRANCH}"
    end
    for _, text_entry in ipairs(yaml.given(expect.packages_at_root) or {}) do
      slashes = slashes or text_entry:find("${BRANCH}", 1, true) ~= nil
    end
  end
  return true, nil, slashes and SLASHES or nil
end

-- --- the hosted repositories ---

M["porch.gitea"] = function(case)
  local heads = case.spec.repositories["nephio/test-blueprints"].heads
  return blueprints.with(function(_, list)
    local want, got, packages = {}, {}, {}
    for ref, commit in pairs(heads) do
      local package, revision = ref:match("^refs/tags/(.*)/v(%d+)$")
      if package then
        packages[package] = true
        want[#want + 1] = ("%s %s Published %s"):format(package, revision, commit)
      end
    end
    local placeholders = {}
    for _, json in ipairs(list) do
      local o = yaml.from_json(json)
      if o.spec.revision == -1 then
        placeholders[o.spec.packageName] = o.spec.workspaceName
      else
        got[#got + 1] = ("%s %d %s %s"):format(o.spec.packageName, o.spec.revision,
          o.spec.lifecycle, o.status.selfLock.git.commit)
      end
    end
    local ok, text = same_set(got, want)
    for package in pairs(packages) do
      if ok and placeholders[package] ~= "main" then
        ok, text = false, "no placeholder of " .. package
      end
    end
    return ok, text
  end)
end

return M
