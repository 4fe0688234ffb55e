-- SPDX-License-Identifier: Apache-2.0
--
-- Where a package comes from: a registered revision, or a directory of any git repository. Gives
-- its content and the place as a Kptfile names it (upstream, upstreamLock).

local creation = require("lanai.creation")
local derive = require("lanai.derive")
local lanai = require("lanai")
local merge = require("lanai.report")
local repositories = require("lanai.repository")
local revision = require("lanai.revision")
local tree = require("lanai.tree")
local yaml = require("lanai.yaml")

local M = {}

--- What is known about an upstream.
--- @class lanai.Upstream
--- @field package lanai.Package its files
--- @field locator {repo: string, directory: string?, ref: string, commit: string}
--- @field revision lanai.Node|nil the registered revision that it is

local function trim_slashes(directory)
  return (directory:gsub("^/+", ""):gsub("/+$", ""))
end

-- Kptfiles name repositories with .git and directories without a leading slash.
local function locator(repo, directory, ref, commit)
  return {
    repo = repo:find("%.git$") and repo or repo .. ".git",
    directory = directory ~= "" and directory or nil,
    ref = ref,
    commit = commit,
  }
end

--- Opens a registered revision. The second error value is the bare cause, without a frame.
--- @param ctx lanai.Ctx
--- @param name string
--- @param namespace string
--- @return lanai.Upstream|nil, string?
function M.registered(ctx, name, namespace)
  local object = name ~= "" and ctx.get("packagerevisions", name)
  if not object then
    return nil, creation.missing(ctx, namespace, name)
  end
  local package, err = ctx.package(object)
  if not package then
    return nil, err.message
  end
  local git = lanai.at(object, "status.selfLock.git") or {}
  return {
    package = package,
    revision = object,
    locator = locator(git.repo or "", git.directory or "", git.ref or "", git.commit or ""),
  }
end

-- Names that a ref may stand for, in the order in which Porch tries them: its text for the error,
-- and the full names of refs or the id it looks up.
local function candidates(directory, ref)
  local texts, refs = {}, {}
  local function try(name)
    texts[#texts + 1] = name
    texts[#texts + 1] = "refs/remotes/origin/" .. name
    refs[#refs + 1] = name:find("^refs/tags/") and name or "refs/tags/" .. name
    if name:find("^%x+$") then
      refs[#refs + 1] = name
    end
    refs[#refs + 1] = "refs/heads/" .. name
  end
  if directory ~= "" then
    try(directory .. "/" .. ref)
  end
  try(ref)
  return texts, refs
end

--- Opens a directory of a git repository.
--- @param ctx lanai.Ctx
--- @param git lanai.Node {repo, ref, directory, secretRef}
--- @return lanai.Upstream|nil, table?
function M.git(ctx, git)
  local repo, ref = git.repo or "", git.ref or ""
  local directory = trim_slashes(git.directory or "")
  local texts, refs = candidates(directory, ref)
  local package, commit = ctx.fetch {
    repo = repo,
    refs = refs,
    ref = ref,
    directory = directory,
    secret = lanai.at(git, "secretRef.name"),
  }
  if package == nil then
    return creation.fail(ctx, "create-clone-git", commit.message)
  end
  if package == false or not package:file("Kptfile") then
    local cause = commit == "reference"
      and lanai.message("create-clone-reference", table.concat(texts, " "))
      or ("cannot find package %s@%s"):format(directory, ref)
    return creation.fail(ctx, "create-clone-package", directory, ref, cause)
  end
  return { package = package, locator = locator(repo, directory, ref, commit) }
end

-- Package path that the package context of a deployed package names: parents first.
local function context_path(ctx, spec)
  local parent = spec.parent and ctx.get("packagerevisions", spec.parent.name)
  if not parent then
    return spec.packageName
  end
  local package = ctx.package(parent)
  local text = package and package:file("package-context.yaml")
  local above = text and lanai.at(yaml.parse(text), "data.package-path")
  return (above and above .. "/" or "") .. parent.spec.packageName .. "/" .. spec.packageName
end

--- How a package of the revision is derived from an upstream.
--- @param ctx lanai.Ctx
--- @param spec lanai.Node of the revision
--- @param upstream lanai.Upstream
--- @return lanai.Derivation
function M.derivation(ctx, spec, upstream)
  local repository = ctx.get("repositories", spec.repository)
  return {
    name = spec.packageName,
    compat = repositories.compat(ctx, repository),
    locator = upstream.locator,
    context_path = lanai.at(repository, "spec.deployment") and context_path(ctx, spec) or nil,
  }
end

--- Gives a draft the files of a tree.
--- @param draft lanai.Draft
--- @param before lanai.Tree what it holds
--- @param after lanai.Tree
--- @return true|nil, lanai.Error?
function M.write(draft, before, after)
  return tree.changes(before, after, function(path, bytes, kind)
    return draft:set(path, bytes, kind)
  end)
end

--- Opens a draft with a clone of the upstream.
--- @param ctx lanai.Ctx
--- @param upstream lanai.Upstream
--- @param spec lanai.Node of the revision to be made
--- @return lanai.Draft|nil, table?
function M.adopt(ctx, upstream, spec)
  local draft = ctx.draft(upstream.package)
  local files = tree.load(draft)
  local ok, err = derive.clone(files, M.derivation(ctx, spec, upstream))
  if ok then
    ok, err = M.write(draft, tree.load(draft), files)
  end
  if not ok then
    return ctx.fail("internal", err.message)
  end
  return draft
end

--- Opens a draft with the local revision brought to another version of its upstream.
--- @param ctx lanai.Ctx
--- @param sources {base: lanai.Upstream, ours: lanai.Upstream, theirs: lanai.Upstream}
--- @param strategy string
--- @return lanai.Draft|nil, table # the report, or the error
function M.upgrade(ctx, sources, strategy)
  local spec = sources.ours.revision.spec
  local draft = ctx.draft(sources.ours.package)
  local files = tree.load(draft)
  local d = M.derivation(ctx, spec, sources.theirs)
  local report, err = derive.upgrade({ ours = files, base = tree.load(sources.base.package),
    theirs = tree.load(sources.theirs.package) }, strategy, d)
  local ok = report
  if ok then
    ok, err = merge.condition(files, d.compat, report)
  end
  if ok then
    ok, err = M.write(draft, tree.load(draft), files)
  end
  if not ok then
    return nil, err
  end
  return draft, report
end

-- A package inside has the name of its directory and no deployment context.
local function derivation_below(ctx, spec, directory, upstream)
  local d = M.derivation(ctx, spec, upstream)
  d.name, d.context_path = directory:match("[^/]+$"), nil
  return d
end

--- Clones the upstream into a directory of a draft that is not there yet.
--- @param ctx lanai.Ctx
--- @param draft lanai.Draft changed in place
--- @param directory string
--- @param upstream lanai.Upstream
--- @param spec lanai.Node of the draft
--- @return true|nil, lanai.Error?
function M.clone_into(ctx, draft, directory, upstream, spec)
  if tree.load(draft):directory(directory) or draft:kind(directory) then
    return nil, { message = ("directory %q already exists in the package"):format(directory) }
  end
  local files = tree.load(upstream.package)
  local ok, err = derive.clone(files, derivation_below(ctx, spec, directory, upstream))
  if not ok then
    return nil, err
  end
  for _, path in ipairs(files:files()) do
    ok, err = draft:set(directory .. "/" .. path, files:file(path), files:kind(path))
    if not ok then
      return nil, err
    end
  end
  return true
end

--- Upgrades the package in a directory of a draft.
--- @param ctx lanai.Ctx
--- @param draft lanai.Draft changed in place
--- @param directory string
--- @param sources {base: lanai.Upstream, theirs: lanai.Upstream}
--- @param strategy string
--- @param spec lanai.Node of the draft
--- @return table[]|nil, lanai.Error? the report
function M.upgrade_in(ctx, draft, directory, sources, strategy, spec)
  local files = tree.load(draft)
  local ours = files:directory(directory)
  local text = ours and ours:file("Kptfile")
  if not text or not lanai.at(yaml.parse(text), "upstream") then
    return nil, { message = ("directory %q holds no package with an upstream"):format(directory) }
  end
  local report, err = derive.upgrade({ ours = ours, base = tree.load(sources.base.package),
    theirs = tree.load(sources.theirs.package) }, strategy,
    derivation_below(ctx, spec, directory, sources.theirs))
  local ok = report
  if ok then
    ok, err = M.write(draft, tree.load(draft), files)
  end
  if not ok then
    return nil, err
  end
  for _, entry in ipairs(report) do
    entry.package = directory
  end
  return report
end

-- A registered revision as the source of a clone.
local function clone_of_registered(ctx, name, namespace)
  if name == "" then
    return creation.fail(ctx, "create-clone-name")
  end
  local upstream, cause = M.registered(ctx, name, namespace)
  if not upstream then
    return creation.fail(ctx, "create-clone-fetch", name, cause)
  end
  if revision.is_placeholder(ctx, upstream.revision) then
    return creation.fail(ctx, "create-clone-placeholder", upstream.revision.spec.repository, name)
  end
  return upstream
end

--- Opens what a clone task names.
--- @param ctx lanai.Ctx
--- @param source lanai.Node clone.upstreamRef
--- @param namespace string
--- @return lanai.Upstream|nil, table?
function M.of_clone(ctx, source, namespace)
  if lanai.at(source, "oci") then
    return creation.fail(ctx, "create-clone-oci")
  end
  if lanai.at(source, "git") then
    return M.git(ctx, source.git)
  end
  if lanai.at(source, "upstreamRef") then
    return clone_of_registered(ctx, source.upstreamRef.name or "", namespace)
  end
  return creation.fail(ctx, "create-clone-nothing")
end

return M
