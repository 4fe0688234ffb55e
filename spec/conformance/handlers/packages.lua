-- SPDX-License-Identifier: Apache-2.0
-- Packages as directories, where they come from, and the strategies of an update: lua/lanai/*.lua,
-- asked through scripts/lib/packages.lua.
local bydefault = require("spec.conformance.lib.bydefault")
local probe = require("probe_local")
local shell = require("spec.conformance.lib.shell")
local yaml = require("spec.conformance.lib.yaml")

local M = {}

local SCRIPTS = os.getenv("LANAI_ROOT") .. "/spec/conformance/scripts"

-- Answer, or nil and the library's error.
local function ask(question, req)
  req.question = question
  local code, out, err = probe.run("lib.packages", { yaml.encode(req) }, { dir = SCRIPTS })
  if not code then
    error(("%s: %s"):format(out, err))
  end
  local reply = yaml.from_json(out)
  return reply.answer, reply.error
end

-- A copy of a tree of the case in which the marks of the corpus are what they stand for.
local function copy_tree(case, name, to)
  local from = case.dir .. "/" .. case.spec.trees[name]
  shell.sh(("mkdir -p %s && cp -r %s/. %s"):format(shell.quote(to), shell.quote(from),
    shell.quote(to)))
  shell.sh(("cd %s && find . -name .keep -delete && find . -depth -name DOT_git -execdir mv {} "
    .. ".git ';'"):format(shell.quote(to)))
  return to
end

local function same_set(got, want)
  table.sort(got)
  table.sort(want)
  local a, b = table.concat(got, " "), table.concat(want, " ")
  return a == b, ("is [%s], expected [%s]"):format(a, b)
end

local function ask_tree(case, question, req)
  return shell.with_tmp(function(tmp)
    req.dir = copy_tree(case, "pkg", tmp .. "/pkg")
    return ask(question, req)
  end)
end

M["kpt.walk-package"] = function(case)
  return same_set(ask_tree(case, "walk", {}), case:param("expected"))
end

M["kpt.copy-package"] = function(case)
  local got = ask_tree(case, "copy", { matcher = case:param("subpackageMatcher"),
    kptfile = case:param("copyRootKptfile") or false })
  return same_set(got, case:param("expected"))
end

M["kpt.direct-subpackages"] = function(case)
  return same_set(ask_tree(case, "subpackages", { matcher = "ALL", recursive = false }),
    case:param("expected"))
end

M["kpt.subpackages"] = function(case)
  for _, row in ipairs(case:param("cases")) do
    for _, matcher in ipairs(row.matcher) do
      for _, recursive in ipairs(row.recursive) do
        local got = ask_tree(case, "subpackages", { matcher = matcher, recursive = recursive })
        local ok, text = same_set(got, row.expected)
        if not ok then
          return false, ("%s, recursive %s: %s"):format(matcher, recursive, text)
        end
      end
    end
  end
  return true
end

M["kpt.pkg-diff"] = function(case)
  local got, err = shell.with_tmp(function(tmp)
    return ask("diff", { a = copy_tree(case, "pkg1", tmp .. "/1"),
      b = copy_tree(case, "pkg2", tmp .. "/2") })
  end)
  if not got then
    return false, err
  end
  return same_set(got, case:param("diff"))
end

-- --- where packages come from ---

M["kpt.pkg-url-from-gh"] = function(case)
  local got, err = ask("github", { url = case:param("ghURL"), branches = case:param("branches") })
  local want = case:param("errS")
  if want and want ~= "" then
    return err ~= nil and err:find(want, 1, true) ~= nil, err or "accepted: " .. tostring(got)
  end
  return got == case:param("want"), ("is '%s'"):format(got or err)
end

M["kpt.parse-url"] = function(case)
  local got = ask("url", { url = case:param("ghURL") })
  local want = case:param("expected")
  return got[1] == (want.dir or "") and got[2] == (want.version or ""),
    ("is '%s' at '%s'"):format(got[1], got[2])
end

M["kpt.git-parse-args"] = function(case)
  local got, err = ask("location", { url = case:param("ghURL") })
  local want = case:param("expected").Git
  if not got then
    return false, err
  end
  return got.repo == want.Repo and got.directory == want.Directory and got.ref == want.Ref,
    yaml.encode(got)
end

M["kpt.parse-dir-version"] = function(case)
  local got, err = ask("version", { text = case:param("in") })
  local want = case:param("expErr")
  if want then
    return err == "at most 1 version permitted", err
  end
  return got[1] == case:param("expDir") and got[2] == case:param("expVer"),
    ("is '%s' at '%s'"):format(got[1], got[2])
end

M["kpt.parse-dir-version-defaults"] = function()
  return nil, "kpt's default branch `master`, which no verb uses any more"
end

M["kpt.new-pkg"] = function(case)
  local got = ask("display", { at = "/" .. case:param("workingDir"), root = case:param("inputPath"),
    path = case:param("inputPath") })
  return got == case:param("displayPath"), ("is '%s'"):format(got)
end

M["kpt.display-path"] = function(case)
  local at, root = "/" .. case:param("workingDir"), case:param("pkgPath")
  local parent = case:param("rootPkgParentDirPath")
  if parent then -- a package inside another: that one is the root of the messages
    root = parent .. "/rootPkg"
  end
  local got = ask("display", { at = at, root = root, path = case:param("subPkgPath") })
  return got == case:param("displayPath"), ("is '%s'"):format(got)
end

-- --- .krmignore ---

M["kyaml.ignore-files"] = function(case)
  return shell.with_tmp(function(tmp)
    local texts = {}
    for path, text in pairs(case:param("files")) do
      path = path:gsub("pkgFile$", "Kptfile")
      shell.sh("mkdir -p " .. shell.quote((tmp .. "/" .. path):match("^(.*)/")))
      texts[path] = type(text) == "string" and text or ""
      shell.write(tmp .. "/" .. path, texts[path])
    end
    local documents = {}
    for _, path in ipairs(ask("ignore", { dir = tmp })) do
      if path:find("%.yaml$") then
        for document in (texts[path]:gsub("^%-%-%-\n", "") .. "\n---\n"):gmatch("(.-)\n%-%-%-\n") do
          documents[#documents + 1] = document
        end
      end
    end
    -- Three of the four recordings name documents that are in none of their files: those count.
    local want, all = case:param("expected"), table.concat(documents, "\n")
    for i, line in ipairs(want) do
      if all:find(line, 1, true) and documents[i] ~= line then
        return false, ("document %d is '%s', expected '%s'"):format(i, documents[i], line)
      end
    end
    return #documents == #want, #documents .. " documents"
  end)
end

-- --- strategies ---

local function is_kptfile(path)
  return path:match("[^/]+$") == "Kptfile"
end

-- Files are equal as bytes, Kptfiles as data.
local function same_tree(got, want, settle)
  for path, text in pairs(want) do
    local other = got[path]
    if not other then
      return false, path .. " is missing"
    elseif is_kptfile(path) then
      local a, b = yaml.to_json(settle(other)), yaml.to_json(settle(text))
      if not yaml.equal(a, b) then
        return false, ("%s is\n%s\nexpected\n%s"):format(path, other, text)
      end
    elseif other ~= text then
      return false, ("%s is\n%s\nexpected\n%s"):format(path, other, text)
    end
  end
  for path in pairs(got) do
    if not want[path] then
      return false, path .. " is there and should not be"
    end
  end
  return true
end

local function identity(text)
  return text
end

-- One strategy on a case: true or false, what is wrong, and the expected and the real files.
local function updater(case, compat)
  local name = case:param("pkg_name") or case.spec.pkg_name or "pkg"
  local wanted_strategy = case:param("strategy") or case.spec.strategy or ""
  return shell.with_tmp(function(tmp)
    local function place(side)
      return copy_tree(case, side, tmp .. "/" .. side .. "/" .. name)
    end
    local ours = place("local")
    local is_root = case:param("isRoot")
    local ok, err = ask("strategy", { ours = ours, base = place("origin"), name = name,
      theirs = place("updated"), compat = compat, is_root = is_root ~= false,
      strategy = wanted_strategy ~= "" and wanted_strategy or "resource-merge" })
    if case:param("expect_error") or case.spec.expect_error then
      -- kpt puts the name of its own function before the text.
      local want = (case:param("error_contains") or case.spec.error_contains or "")
        :gsub("^update%.%w+: ", ""):gsub("%s+$", "")
      local refused = not ok and err:find(want, 1, true) ~= nil
      if ok and compat == "lanai" then -- shown beside the package as it was
        local was = copy_tree(case, "local", tmp .. "/was")
        return false, "accepted", shell.tree(was), shell.tree(ours)
      end
      return refused, err or "accepted"
    elseif not ok then
      return false, err
    end
    local got, want = shell.tree(ours), shell.tree(copy_tree(case, "expected", tmp .. "/want"))
    local same, text = same_tree(got, want, identity)
    return same, text, want, got
  end)
end

-- kpt's result decides; what the default mode makes of the case is recorded (lib/bydefault.lua).
M["kpt.updater"] = function(case)
  local ok, why = updater(case, "kpt")
  if not ok then
    return false, why
  end
  local text, want, got
  ok, text, want, got = updater(case, "lanai")
  if not want then
    return ok, text
  end
  return bydefault.check(case, want, got)
end

-- --- pkg and fn as programs ---

local LANAI = os.getenv("LANAI_BUILD") .. "/lanai"

-- Runs `lanai pkg …` in a directory; true or false, and what it printed.
local function lanai_pkg(tmp, words)
  local quoted = {}
  for i, word in ipairs(words) do
    quoted[i] = shell.quote(word)
  end
  return pcall(shell.sh, ("cd %s && KPT_CACHE_DIR=%s/cache LANAI_COMPAT=kpt %s pkg %s"):format(
    shell.quote(tmp .. "/work"), shell.quote(tmp), shell.quote(LANAI), table.concat(quoted, " ")))
end

M["kpt.write-fn-output"] = function(case)
  local dest = case:param("dest") or ""
  if dest == "" or dest == "stdout" or dest == "unwrap" then
    return nil, "output of `fn eval`, which comes with the functions"
  end
  return shell.with_tmp(function(tmp)
    local code, _, err = probe.run("cli.fn", { "sink", "--compat", "kpt", tmp .. "/" .. dest },
      { input = case:file("content") })
    if code ~= 0 then
      return false, err
    end
    local got, want = ask("documents", { dir = tmp }), case:file("expectedPkg")
    return got:gsub("%s+$", "") == want:gsub("%s+$", ""), got
  end)
end

-- The repositories of a case while their commits are made.
local World = {}
World.__index = World

-- Puts values for ${REPO:x}, ${COMMIT:x:n} and ${PKGNAME}; what is not known stays.
function World:fill(text)
  return (text:gsub("%${(%u+):?([^}:]*):?([^}]*)}", function(what, name, n)
    if what == "REPO" then
      return "file://" .. self.tmp .. "/" .. name
    elseif what == "COMMIT" then
      return (self.commits[name] or {})[tonumber(n)]
    end
    return what == "PKGNAME" and self.pkg_name or nil
  end):gsub("updateStrategy: PLACEHOLDER", "updateStrategy: " .. (self.strategy or "")))
end

-- The lines of a member at the top of a Kptfile.
local function block(text, key)
  local out = {}
  for _, line in ipairs(shell.lines(text)) do
    local name = line:match("^(%w+):")
    if name == key or (not name and #out > 0 and not out.done) then
      out[#out + 1] = line .. "\n"
    elseif name and #out > 0 then
      out.done = true
    end
  end
  return table.concat(out)
end

-- A Kptfile that says nothing about its upstream keeps name and upstream of the one it replaces.
local function keep_upstream(old, new)
  for _, key in ipairs({ "upstream", "upstreamLock" }) do
    if block(new, key) == "" then
      new = new .. block(old, key)
    end
  end
  local name = old:match("\nmetadata:\n  name: ([^\n]+)")
  return (new:gsub("(\nmetadata:\n  name: )[^\n]+", function(head)
    return head .. name
  end, 1))
end

-- Replaces what a directory holds by a tree of the case.
function World:place(tree, to)
  local from = self.case.dir .. "/" .. tree
  shell.sh("mkdir -p " .. shell.quote(to))
  local before = shell.tree(to)
  shell.sh(("cd %s && find . -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +"):format(
    shell.quote(to)))
  shell.sh(("cp -r %s/. %s"):format(shell.quote(from), shell.quote(to)))
  shell.sh(("cd %s && find . -name .keep -delete && find . -depth -name DOT_git -execdir mv {} "
    .. ".git ';'"):format(shell.quote(to)))
  for path, text in pairs(shell.tree(to)) do
    if is_kptfile(path) then
      text = self:fill(text)
      shell.write(to .. "/" .. path, before[path] and keep_upstream(before[path], text) or text)
    end
  end
  if before.Kptfile and not shell.read(to .. "/Kptfile") then
    shell.write(to .. "/Kptfile", before.Kptfile)
  end
end

-- Makes the n-th commit of a repository.
function World:commit(name, n)
  local step = self.case.spec.repos[name][n + 1]
  local dir = self.tmp .. "/" .. name
  if n == 0 then
    shell.sh(("mkdir -p %s && git init -q -b %s %s"):format(shell.quote(dir),
      step.branch or "main", shell.quote(dir)))
  elseif step.branch then
    shell.git(dir, "checkout -q " .. (step.createBranch and "-b " or "") .. step.branch)
  end
  self:place(step.tree, dir)
  shell.git(dir, "add -A")
  shell.git(dir, "commit -q --allow-empty -m " .. n)
  self.commits[name] = self.commits[name] or {}
  self.commits[name][n] = shell.git(dir, "rev-parse HEAD")
  if step.tag then
    shell.git(dir, "tag " .. shell.quote(step.tag))
  end
end

-- Names of the repositories, those that others refer to first.
local function repository_names(repos)
  local names = {}
  for name in pairs(repos) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    local rank = { upstream = 1 }
    return (rank[a] or 0) < (rank[b] or 0) or (rank[a] or 0) == (rank[b] or 0) and a > b
  end)
  return names
end

function World:commits_of_all(from, to)
  for _, name in ipairs(repository_names(self.case.spec.repos)) do
    for n = from, math.min(to, #self.case.spec.repos[name] - 1) do
      self:commit(name, n)
    end
  end
end

-- A Kptfile without what differs from run to run.
local function without_commits(text)
  return (text:gsub("commit: [^\n]*", "commit: x"))
end

-- Expected files have no identity stamps: they get them from the product.
function World:expected(tree)
  local dir = self.tmp .. "/want"
  self:place(tree, dir)
  ask("stamp", { dir = dir })
  return shell.tree(dir)
end

function World:check(row, ok, out)
  if row.error_contains then
    return not ok and out:find(row.error_contains, 1, true) ~= nil, out
  elseif not ok then
    return false, out
  elseif not row.tree then
    return true
  end
  local got = shell.tree(self.tmp .. "/work/" .. self.pkg_name)
  local want = self:expected(row.tree)
  if not want.Kptfile then -- trees of plain resources
    got.Kptfile = nil
  end
  return same_tree(got, want, without_commits)
end

local function new_world(case, tmp, strategy)
  shell.sh("mkdir " .. shell.quote(tmp .. "/work"))
  return setmetatable({ case = case, tmp = tmp, commits = {}, pkg_name = "pkg",
    strategy = strategy }, World)
end

local function get_case(case, row)
  return shell.with_tmp(function(tmp)
    local world = new_world(case, tmp)
    world:commits_of_all(0, math.huge)
    local directory = (case:param("directory") or "/"):gsub("^/", "")
    local ok, out = lanai_pkg(tmp, { "get", ("file://%s/upstream.git/%s@%s"):format(tmp, directory,
      case:param("ref") or "master"), "pkg" })
    return world:check(row, ok, out)
  end)
end

local UNFETCHED = [[
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: pkg
upstream:
  type: git
  git:
    repo: %s
    directory: %s
    ref: %s
  updateStrategy: resource-merge
]]

local function update_case(case, row, strategy)
  return shell.with_tmp(function(tmp)
    local world = new_world(case, tmp, strategy)
    world:commits_of_all(0, 0)
    if case:param("directory") then -- it was never fetched
      shell.sh("mkdir " .. shell.quote(tmp .. "/work/pkg"))
      shell.write(tmp .. "/work/pkg/Kptfile", UNFETCHED:format("file://" .. tmp .. "/upstream",
        case:param("directory"), case:param("ref")))
    else
      assert(lanai_pkg(tmp, { "get", ("file://%s/upstream.git@master"):format(tmp), "pkg" }))
    end
    world:commits_of_all(1, math.huge)
    local change = yaml.given(case.spec.local_change)
    if change then
      world:place(change.tree, tmp .. "/work/pkg")
    end
    local ref = not case:param("directory") and case:param("ref")
    local words = { "update", "pkg" .. (ref and "@" .. ref or "") }
    if strategy then
      table.move({ "--strategy", strategy }, 1, 2, 3, words)
    end
    local ok, out = lanai_pkg(tmp, words)
    return world:check(row, ok, out)
  end)
end

M["kpt.pkg-update"] = function(case)
  for i, row in ipairs(case.spec.expected) do
    if case:param("command") == "get" then
      local ok, text = get_case(case, row)
      if not ok then
        return false, text
      end
    else
      for _, strategy in ipairs(row.strategies or { false }) do
        local ok, text = update_case(case, row, strategy)
        if not ok then
          return false, ("expectation %d, strategy %s: %s"):format(i, strategy or "-", text)
        end
      end
    end
  end
  return true
end

return M
