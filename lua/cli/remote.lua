-- SPDX-License-Identifier: Apache-2.0
--
-- Packages in git repositories, for verbs that fetch: any URL, refs as kpt resolves them. Symbolic
-- links are left out with a warning.

local git = require("lanai.git")
local kptfile = require("lanai.kptfile")
local location = require("lanai.location")
local process = require("lanai.process")
local tree = require("lanai.tree")

local M = {}

-- Words about a repository that does not answer.
local function repository_error(url, err)
  local texts = {
    ["not-found"] = "Repository %q not found.",
    unauthorized = "Repository %q requires authentication.",
  }
  local text = texts[err.kind] or "Unable to access repository %q."
  return { kind = err.kind,
    message = text:format(url) .. "\n\nDetails:\n" .. err.message .. "\n" }
end

local function asking(fn)
  return function(url, ...)
    local result, err = fn(url, ...)
    if result == nil then
      return nil, repository_error(url, err)
    end
    return result
  end
end

--- What lanai.location asks a repository.
M.refs = asking(git.refs)
M.default_branch = asking(git.default_branch)
M.commit = asking(git.commit)

-- What of a git tree becomes part of a package.
local function usable(source)
  local kept = {}
  for _, path in ipairs(source:files()) do
    if source:kind(path) == "link" then
      process.warn(("[Warn] Ignoring symlink %q \n"):format(path))
    elseif not ("/" .. path):find("/.git/", 1, true) then
      kept[#kept + 1] = path
    end
  end
  return {
    files = function()
      return kept
    end,
    kind = function(_, path)
      return source:kind(path)
    end,
    file = function(_, path)
      return source:file(path)
    end,
  }
end

local function check_kptfile(package, where)
  local text = package:file("Kptfile")
  if text then
    local _, err = kptfile.parse(text)
    if err then
      err = kptfile.error_at(".", err)
      err.where = where
      return nil, err
    end
  end
  return true
end

--- Fetches a directory of a repository; gives its files, and where they were found.
--- @param wanted {repo: string, directory: string, ref: string}
--- @return lanai.Tree|nil, table
function M.fetch(wanted)
  local ref, commit = location.resolve(wanted, M)
  if not ref then
    return nil, commit
  end
  local directory = wanted.directory:gsub("^/+", "")
  local source, err = git.tree(wanted.repo, commit, directory == "." and "" or directory)
  if source == nil then
    return nil, repository_error(wanted.repo, err)
  elseif not source then
    return nil, { kind = "not-found", message = ("path %q does not exist in repo %q"):format(
      wanted.directory, wanted.repo) }
  end
  local package = tree.load(usable(source))
  local where = ("%s/%s@%s"):format(wanted.repo, directory, ref)
  local ok, failure = check_kptfile(package, where)
  if not ok then
    return nil, failure
  end
  return package, { repo = wanted.repo, directory = wanted.directory, ref = ref, commit = commit }
end

return M
