-- SPDX-License-Identifier: Apache-2.0
-- Git: what approvals write (core/engine/push.c, core/repo), and what a mirror knows.
local corpus = require("spec.conformance.lib.corpus")
local repo = require("probe_repo")
local shell = require("spec.conformance.lib.shell")
local world = require("spec.conformance.lib.world")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

-- A bare repository with one commit on main.
local function make_remote(dir)
  local work = shell.quote(dir .. "/work")
  shell.sh("git init -q --bare -b main " .. shell.quote(dir .. "/remote.git") .. " && git init -q "
    .. "-b main " .. work)
  shell.git(dir .. "/work", "commit -q --allow-empty -m first")
  shell.git(dir .. "/work", "push -q ../remote.git main")
end

-- Creates a package, lets change(w, name) at it, publishes it, and calls fn(w) with the remote
-- at w.dir .. "/remote.git".
local function publish(git, change, user, fn)
  return world.with({}, function(w)
    make_remote(w.dir)
    git.repo, git.branch = "file://" .. w.dir .. "/remote.git", "main"
    w:repository("repo", git)
    local n, failed = w.engine:sync(world.NS, "repo")
    if not n then
      error(failed.message)
    end
    assert(w:create { repository = "repo", packageName = "p", workspaceName = "w1",
      tasks = { { type = "init", init = { description = "first" } } } })
    change(w, "repo.p.w1")
    for _, step in ipairs { { "Proposed" }, { "Published", "approval" } } do
      local ok, err = w:lifecycle("repo.p.w1", step[1], step[2], user)
      if not ok then
        error(err.message)
      end
    end
    return fn(w)
  end)
end

local function log(w, format)
  return shell.lines(shell.git(w.dir .. "/remote.git",
    "log --topo-order --format=" .. shell.quote(format) .. " p/v1"))
end

-- Says that the revision came into being by a task of this type.
local function set_task(kind)
  return function(w, name)
    local data = require("probe_data")
    local tasks = kind ~= "" and yaml.encode { { type = kind, [kind] = { note = "conformance" } } }
    local json = data.set_at(w:get(name), "spec.tasks", tasks or nil)
    local _, private = w.engine:get("packagerevisions", world.NS, name)
    assert(w.engine:put("packagerevisions", json, private))
  end
end

-- A content change after the creation: the peer writes a commit for it.
local function save_again(w, name)
  local files = w:files(name)
  files["README.md"] = "# changed\n"
  assert(w:save(name, files))
end

M["porch.git.commit-message"] = function(case)
  local kind, want = case:param("changeType") or "", case:param("want")
  local render = kind == "render"
  local change = render and save_again or set_task(kind)
  return publish({}, change, "tester", function(w)
    local subjects = log(w, "%s")
    if render and want == "Rendering package" then
      for _, subject in ipairs(subjects) do
        if subject == want then
          return true
        end
      end
      local as_described = #subjects == 3 and subjects[2] == "Creating new empty revision"
      return as_described, table.concat(subjects, "\n"), "one-commit-per-draft"
    end
    return subjects[2] == want, table.concat(subjects, "\n")
  end)
end

M["porch.git.commit-author"] = function(case)
  local git = { author = case:param("author"), email = case:param("email") }
  return publish(git, function() end, "", function(w)
    local want = case:param("expected")
      or { Name = "Package Orchestration Service", Email = "porch@kpt.dev" }
    local author = log(w, "%an|%ae")[1]
    return author == want.Name .. "|" .. want.Email, author
  end)
end

M["porch.git.branch-commit-hash"] = function(case)
  local tar, missing = corpus.file("porch-fixtures/git/" .. case:param("tarfile"))
  if not tar then
    return nil, missing
  end
  return shell.with_tmp(function(dir)
    shell.sh(("tar -xf %s -C %s"):format(shell.quote(tar), shell.quote(dir)))
    shell.sh("mkdir " .. shell.quote(dir .. "/data"))
    local pool = assert(repo.open(dir .. "/data"))
    local r, refused = pool:repo { url = "file://" .. dir .. "/.git",
      branch = case:param("branch") }
    if not r then
      pool:close()
      return case:param("expectError") == true, refused.message
    end
    r:fetch() -- fails for a missing branch; the question is what is known then
    local state, err = r:state()
    local head = shell.sh(("cd %s && git rev-parse -q --verify refs/heads/%s || true"):format(
      shell.quote(dir), case:param("branch")))
    r:close()
    pool:close()
    if case:param("expectError") then
      return not state, "no error"
    elseif not state then
      return false, err.message
    elseif not case:param("expectHash") then
      return state.head == nil, "head " .. tostring(state.head)
    end
    return state.head == head, ("head %s, branch %s"):format(tostring(state.head), head)
  end)
end

M["porch.git.retryable-errors"] = function()
  return nil, "lanai has no setting that adds patterns to its list of errors worth a retry"
end

return M
