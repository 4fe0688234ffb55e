-- SPDX-License-Identifier: Apache-2.0
-- What the repository specs share: temporary directories, the git command line as the other side,
-- servers on loopback.
local probe = require("probe_repo")

local M = {}

local made = {}
local ENV = "env -i PATH=\"$PATH\" HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 LC_ALL=C "
  .. "GIT_AUTHOR_NAME=Outside GIT_AUTHOR_EMAIL=outside@example.com "
  .. "GIT_COMMITTER_NAME=Outside GIT_COMMITTER_EMAIL=outside@example.com "

local function quote(s)
  return "'" .. s:gsub("'", "'\\''") .. "'"
end
M.quote = quote

--- Runs a shell command; returns its output, raises when it fails.
function M.sh(command)
  local pipe = assert(io.popen("(" .. command .. ") 2>&1", "r"))
  local text = pipe:read("a")
  local ok = pipe:close()
  if not ok then
    error(command .. "\n" .. text, 2)
  end
  return text
end

--- Runs git in a repository.
function M.git(dir, args)
  return M.sh(ENV .. "git -C " .. quote(dir) .. " " .. args)
end

function M.line(text)
  return (text:gsub("%s+$", ""))
end

function M.tmp()
  local dir = M.line(M.sh("mktemp -d"))
  made[#made + 1] = dir
  return dir
end

function M.write(path, bytes)
  local f = assert(io.open(path, "wb"))
  f:write(bytes)
  f:close()
end

function M.read(path)
  local f = assert(io.open(path, "rb"))
  local bytes = f:read("a")
  f:close()
  return bytes
end

--- A bare repository; opts.empty leaves out the first commit on main.
function M.bare(opts)
  opts = opts or {}
  local dir = M.tmp() .. "/remote.git"
  M.sh(ENV .. "git init -q --bare -b main " .. quote(dir))
  if not opts.empty then
    M.commit(dir, "main", { ["README.md"] = "readme\n" }, "first commit")
  end
  return dir
end

--- Commits files to a branch of a bare repository as an outsider would; returns the id.
function M.commit(dir, branch, files, message, opts)
  local work = M.tmp()
  local index = "GIT_INDEX_FILE=" .. quote(work .. "/index")
  local function git(args)
    return M.line(M.sh(ENV .. index .. " git -C " .. quote(dir) .. " " .. args))
  end
  local ref = "refs/heads/" .. branch
  local parent = M.line(M.sh(ENV .. "git -C " .. quote(dir) .. " rev-parse -q --verify "
    .. ref .. " || true"))
  if parent ~= "" then
    git("read-tree " .. parent)
  end
  local lines = {}
  for path, bytes in pairs(files) do
    M.write(work .. "/blob", bytes)
    local id = git("hash-object -w " .. quote(work .. "/blob"))
    lines[#lines + 1] = ((opts or {}).mode or "100644") .. " " .. id .. "\t" .. path .. "\n"
  end
  M.write(work .. "/list", table.concat(lines))
  git("update-index --index-info < " .. quote(work .. "/list"))
  local tree = git("write-tree")
  M.write(work .. "/message", message)
  local id = git("commit-tree " .. tree .. (parent ~= "" and " -p " .. parent or "")
    .. " < " .. quote(work .. "/message"))
  git("update-ref " .. ref .. " " .. id)
  return id
end

--- refs of a bare repository as {name = id}.
function M.refs(dir)
  local refs = {}
  for id, name in M.git(dir, "for-each-ref --format='%(objectname) %(refname)'")
    :gmatch("(%x+) (%S+)") do
    refs[name] = id
  end
  return refs
end

function M.message(dir, rev)
  return (M.git(dir, "cat-file commit " .. rev):gsub("^.-\n\n", "", 1))
end

function M.files(dir, rev)
  local files = {}
  for mode, path in M.git(dir, "ls-tree -r --format='%(objectmode) %(path)' " .. rev)
    :gmatch("(%d+) ([^\n]+)") do
    files[path] = mode
  end
  return files
end

--- Raises when the repository has anything that git finds wrong.
function M.fsck(dir)
  return M.git(dir, "fsck --strict --no-dangling")
end

local servers = {}

--- Starts a server that prints "<port>" when it listens; returns the port and a stop function.
function M.serve(command)
  local dir = M.tmp()
  M.sh(("(sh -c %s >%s/out 2>%s/err & echo $! >%s/pid)"):format(quote(command), dir, dir, dir))
  local port
  local until_ms = probe.mono_ms() + 15000
  repeat
    port = M.read(dir .. "/out"):match("^(%d+)\n")
  until port or probe.mono_ms() > until_ms
  local pid = M.line(M.read(dir .. "/pid"))
  assert(port, "no server: " .. M.read(dir .. "/err"))
  servers[pid] = true
  return tonumber(port), function()
    if servers[pid] then
      servers[pid] = nil
      os.execute("kill " .. pid .. " 2>/dev/null")
    end
  end
end

function M.http(root, options)
  return M.serve("exec python3 spec/wire/git_http.py " .. quote(root) .. " " .. (options or ""))
end

function M.dirname(path)
  return (path:gsub("/[^/]+$", ""))
end

function M.have(program)
  return os.execute("command -v " .. program .. " >/dev/null 2>&1") == true
end

M.KPTFILE = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: pkg\n"

--- A package's files in the store; returns the tree id.
function M.package(pool, files, repo)
  local list = { { path = "Kptfile", bytes = M.KPTFILE } }
  for path, bytes in pairs(files or {}) do
    list[#list + 1] = { path = path, bytes = bytes }
  end
  return assert(pool:make(repo, list))
end

function M.publish(package, revision, tree, extra)
  local op = {
    type = "publish",
    package = package,
    workspace = "ws" .. revision,
    revision = revision,
    tree = tree,
    subject = "Creating new empty revision",
    task = '{"type":"init","init":{"description":"a package"}}',
    author_name = "user",
    author_email = "user",
    time = 1700000000 + revision,
  }
  for k, v in pairs(extra or {}) do
    op[k] = v
  end
  return op
end

--- Removes everything that was made and ends the servers.
function M.clean()
  for pid in pairs(servers) do
    os.execute("kill " .. pid .. " 2>/dev/null")
  end
  servers = {}
  for _, dir in ipairs(made) do
    os.execute("rm -rf " .. quote(dir))
  end
  made = {}
end

return M
