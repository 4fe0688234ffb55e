-- SPDX-License-Identifier: Apache-2.0
--
-- Where packages are: the argument of `pkg get` taken apart, and which commit a ref means
-- (cad-library.md §2.2). Questions to a repository go through `remote`, whose functions the caller
-- brings: refs(url), default_branch(url), commit(url, name).

local lanai = require("lanai")

local M = {}

local AMBIGUOUS = "ambiguous repo/dir@version specify '.git' in argument"

local function fail(text)
  return nil, { kind = "invalid", message = text }
end

--- Cleans a path of slashes and dots as Go's path.Clean does.
--- @param path string
--- @return string
function M.clean(path)
  local rooted, parts = path:sub(1, 1) == "/", {}
  for part in path:gmatch("[^/]+") do
    if part == ".." and #parts > 0 and parts[#parts] ~= ".." then
      parts[#parts] = nil
    elseif part ~= "." and not (part == ".." and rooted) then
      parts[#parts + 1] = part
    end
  end
  local text = (rooted and "/" or "") .. table.concat(parts, "/")
  return text == "" and "." or text
end

--- The last element of a path as Go's path.Base gives it.
--- @param path string
--- @return string
function M.base(path)
  return path == "" and "." or path:match("([^/]+)/*$") or "/"
end

--- Splits "directory@version"; either may be empty.
--- @param text string
--- @return string|nil, string|lanai.Error
function M.parse_version(text)
  local directory, version, more = text:match("^([^@]*)@?([^@]*)(.*)$")
  if more ~= "" then
    return nil, { kind = "invalid", message = "at most 1 version permitted" }
  end
  return directory, version
end

--- Refuses what git would take for an option.
--- @param what string "repo URI", "ref", "commit"
--- @param value string
--- @return true|nil, lanai.Error?
function M.check_argument(what, value)
  if value:sub(1, 1) == "-" then
    return fail(("invalid git %s %q: must not begin with '-'"):format(what, value))
  end
  return true
end

-- Position of the first ".git" that ends the repository, and where the rest begins.
local function git_suffix(url)
  local from = 1
  while true do
    local at, last = url:find(".git", from, true)
    if not at then
      return nil
    end
    local following = url:sub(last + 1, last + 1)
    if following == "" or following == "/" then
      return at, last + (following == "/" and 2 or 1)
    end
    from = last + 1
  end
end

--- Takes apart a URL that has `.git`: repository, directory ("" when there is none) and ref ("").
--- @param url string
--- @return string, string, string
function M.parse_url(url)
  local at, rest_at = git_suffix(url)
  local repo, rest = url:sub(1, at and at - 1), at and url:sub(rest_at) or ""
  if rest == "" then
    return repo, "", ""
  end
  local parts = lanai.split(rest, "@")
  return repo, "/" .. parts[1], parts[2] and (parts[2]:gsub("/$", "")) or ""
end

local function ambiguous_branch(version, refs)
  for name in pairs(refs) do
    local branch = name:match("^refs/heads/(.*)")
    if branch and branch:find(version .. "/", 1, true) then
      return true
    end
  end
  return false
end

--- Turns the address of a page on github.com into a URL with `.git`.
--- @param address string
--- @param remote table
--- @return string|nil, lanai.Error?
function M.from_github(address, remote)
  address = address:gsub("/$", "")
  local scheme, rest = address:match("^(.-)://(.*)$")
  if not scheme or rest:sub(1, 10) ~= "github.com" then
    return fail("invalid GitHub url: " .. address)
  end
  local parts = lanai.split(rest, "/")
  if #parts < 3 then
    return fail("invalid GitHub pkg url: " .. address)
  end
  local repo = scheme .. "://" .. M.clean(table.concat(parts, "/", 1, 3))
  if #parts == 3 then
    return repo .. ".git"
  elseif parts[4] == "tree" and #parts > 4 then
    local version, directory = parts[5], table.concat(parts, "/", 6)
    local refs, err = remote.refs(repo)
    if not refs then
      return nil, err
    elseif ambiguous_branch(version, refs) then
      return fail(AMBIGUOUS .. ": " .. address)
    end
    directory = directory ~= "" and "/" .. M.clean(directory) or ""
    return repo .. ".git" .. directory .. "@" .. version
  end
  return repo .. ".git/" .. M.clean(table.concat(parts, "/", 4))
end

-- Other URLs without `.git/`: they need it somewhere.
local function parse_plain(address)
  local _, schemes = address:gsub("://", "")
  local _, ats = address:gsub("@", "")
  if schemes > 1 or ats > 2 then
    return fail(AMBIGUOUS)
  end
  local uri, ref = address:match("^(.-)@(.*)$")
  uri = uri or address
  if not uri:find("://", 1, true) or not uri:find("%.git$") then
    return fail(AMBIGUOUS)
  end
  return { repo = uri:sub(1, -5), directory = "/", ref = ref or "" }
end

--- Takes an argument of `pkg get` apart; a missing version is the default branch.
--- @param address string
--- @param remote table
--- @return {repo: string, directory: string, ref: string}|nil, lanai.Error?
function M.parse(address, remote)
  local git, err
  if not git_suffix(address) and address:find("github.com", 1, true) then
    address, err = M.from_github(address, remote)
    if not address then
      return nil, err
    end
  end
  if git_suffix(address) or address:find("github.com", 1, true) then
    local repo, directory, ref = M.parse_url(address)
    if repo:find("@", 1, true) and ref == "" and address:find("%.git@") then
      repo, ref = repo:match("^(.*)%.git@(.*)$")
    end
    git = { repo = repo, directory = directory == "" and "/" or directory, ref = ref }
  else
    git, err = parse_plain(address)
    if not git then
      return nil, err
    end
  end
  local ok
  ok, err = M.check_argument("repo URI", git.repo)
  if ok and git.ref ~= "" then
    ok, err = M.check_argument("ref", git.ref)
  end
  if not ok then
    return nil, err
  end
  if git.ref == "" then
    git.ref, err = remote.default_branch(git.repo)
    if git.ref == false then
      return fail("unable to detect default branch in repo")
    elseif not git.ref then
      return nil, err
    end
  end
  git.directory = M.clean(git.directory)
  return git
end

-- Tags that belong to a package: "a/b/v1", "a/v1" for directory "a/b" and ref "v1".
local function package_tag(directory, ref, refs)
  local parts = {}
  for part in directory:gmatch("[^/]+") do
    parts[#parts + 1] = part
  end
  for n = #parts, 0, -1 do
    local tag = table.concat(parts, "/", 1, n) .. (n > 0 and "/" or "") .. ref
    if refs["refs/tags/" .. tag:gsub("^refs/tags/", "")] then
      return tag
    end
  end
end

--- Finds the commit of a ref: a tag of the package, a branch, a tag, or a commit id. Gives the name
--- that was found and the commit.
--- @param git {repo: string, directory: string, ref: string}
--- @param remote table
--- @return string|nil, string|lanai.Error
function M.resolve(git, remote)
  local ok, err = M.check_argument("repo URI", git.repo)
  if ok then
    ok, err = M.check_argument("ref", git.ref)
  end
  local refs
  if ok then
    refs, err = remote.refs(git.repo)
  end
  if not refs then
    return nil, err
  end
  local ref = package_tag(git.directory or "", git.ref, refs) or git.ref
  for _, full in ipairs { "refs/heads/" .. ref:gsub("^refs/heads/", ""),
    "refs/tags/" .. ref:gsub("^refs/tags/", ""), ref } do
    local commit, failure = remote.commit(git.repo, full)
    if commit then
      return ref, commit
    elseif commit == nil then
      return nil, failure
    end
  end
  return nil, { kind = "not-found", code = "unknown-ref", message =
    ("Unknown ref %q. Please verify that the reference exists in upstream repo %q."):format(
      git.ref, git.repo) }
end

return M
