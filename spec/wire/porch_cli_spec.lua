-- SPDX-License-Identifier: Apache-2.0
-- Porch's own command line suites: the recorded commands run with the real porchctl, and output,
-- errors and exit codes are compared as the corpus describes (LANAI_CONFORMANCE names the corpus).
-- Steps of a suite that run kpt on the pulled package are made by the edits below.
local cjson = require("cjson")
local data = require("probe_data")

local clients = require("spec.wire.clients")
local lib = require("spec.lib.server")
local shell, quote = lib.shell, lib.quote

local CORPUS = os.getenv("LANAI_CONFORMANCE")
local GITEA = "http://gitea.gitea.svc.cluster.local:3000"

local function edit(path, from, to)
  local text, n = clients.read(path):gsub(from, to)
  assert(n > 0, path .. " has no " .. from)
  clients.write(path, text)
end

-- Instead of a command: what has the same effect on the package.
local INSTEAD = {
  ["rpkg-push"] = {
    [6] = function(run)
      edit(run.scratch .. "/rpkg-push-git.test-package.push/Kptfile", "sample description",
        "Updated Test Package Description")
    end,
  },
  ["rpkg-unready"] = {
    [4] = function(run)
      edit(run.scratch .. "/pkg-unready-git.unready-edit.clone-1/Kptfile", 'status: "False"',
        'status: "True"')
    end,
  },
}

local SUITES = { "repo-register", "rpkg-clone", "rpkg-get", "rpkg-init", "rpkg-lifecycle",
  "rpkg-nested-package", "rpkg-push", "rpkg-unready", "rpkg-upgrade" }

local function load_suite(name)
  local json = assert(data.yaml(clients.read(CORPUS .. "/porch-cli/" .. name .. "/config.yaml")))
  return cjson.decode(json)
end

-- The texts of the corpus with the addresses of this run, and back.
local function localise(run, text)
  text = text:gsub(GITEA:gsub("%p", "%%%0"), (run.address:gsub("%%", "%%%%")))
  return (text:gsub("/tmp/porch%-e2e", run.scratch))
end

-- Like Porch's harness, which also ends the last line.
local function sorted_rows(text)
  text = text == "" and text or (text:gsub("\n?$", "\n", 1))
  local first, rest = text:match("^([^\n]*\n)(.*)$")
  if not first then
    return text
  end
  local rows = {}
  for row in rest:gmatch("[^\n]*\n?") do
    rows[#rows + 1] = row
  end
  table.sort(rows)
  return first .. table.concat(rows)
end

-- One YAML document without what differs from run to run, with sorted keys.
local function document(text)
  local kept = {}
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    if not line:find("resourceVersion:", 1, true) and
        not line:find("creationTimestamp:", 1, true) then
      kept[#kept + 1] = line
    end
  end
  return data.yaml(table.concat(kept, "\n") .. "\n") or text
end

local function same_stdout(command, want, got)
  if command.yaml then
    want, got = document(want), document(got)
    return want == got or data.equal(want, got), want, got
  end
  want, got = sorted_rows(want), sorted_rows(got)
  if command.ignoreWhitespace then
    want, got = want:gsub("[ \t]+", " "), got:gsub("[ \t]+", " ")
  end
  return want == got, want, got
end

local function same_stderr(command, want, got)
  local kept = got:gsub("[^\n]*%[PASS%][^\n]*\n", "")
  if command.stdErrTabToWhitespace then
    kept = kept:gsub("\t", "  ")
  end
  if kept ~= "" and kept:sub(-1) ~= "\n" then
    kept = kept .. "\n" -- Porch's harness works on lines
  end
  if command.containsErrorString then
    return kept:find(want, 1, true) ~= nil, want, kept
  end
  return kept == want, want, kept
end

-- The value after a flag, or of `flag=value`.
local function flag(args, name)
  for i, word in ipairs(args) do
    if word == "--" .. name then
      return args[i + 1]
    elseif word:sub(1, #name + 3) == "--" .. name .. "=" then
      return word:sub(#name + 4)
    end
  end
end

local function includes(list, word)
  for _, one in ipairs(list) do
    if one == word then
      return true
    end
  end
  return false
end

local function run_command(run, command)
  local args = {}
  for i, word in ipairs(command.args) do
    args[i] = localise(run, word)
  end
  local stdin = command.stdin and localise(run, command.stdin)
  local r
  if args[1] == "porchctl" then
    args[#args + 1] = { stdin = stdin }
    r = run.porchctl(table.unpack(args, 2))
  elseif args[1] == "kubectl" then
    r = run.kubectl(table.unpack(args, 2))
  elseif args[1] == "sleep" then
    return -- the suite's own patience: what it waits for is asked for below
  else
    r = clients.run(args, { stdin = stdin, cwd = CORPUS .. "/porch-cli" })
  end
  if r.code == 0 and includes(args, "register") then
    clients.ready(run.server, run.name, flag(args, "name") or "git")
  end
  return r
end

local function differences(run, i, command)
  local r = run_command(run, command)
  if not r then
    return
  end
  local found = {}
  local function compare(what, same, want, got)
    if not same then
      found[#found + 1] = ("%s: expected\n%s\ngot\n%s"):format(what, want, got)
    end
  end
  local want = command.exitCode or 0
  compare("exit code", r.code == want, want, r.code)
  compare("stdout", same_stdout(command, localise(run, command.stdout or ""), r.out))
  compare("stderr", same_stderr(command, localise(run, command.stderr or ""), r.err))
  if #found > 0 then
    return ("command %d: %s\n%s"):format(i, table.concat(command.args, " "),
      table.concat(found, "\n"))
  end
end

local function namespace(run, method, path, body)
  return run.server:request(method, "/api/v1/namespaces" .. path, body)
end

local function run_suite(run, suite)
  local status, text = namespace(run, "POST", "",
    ('{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"%s"}}'):format(run.name))
  assert.are.equal(201, status, text)
  if suite.usesPorchTestRepo then
    run.git:make("nephio/porch-test")
  end
  local failures = {}
  for i, command in ipairs(suite.commands) do
    local instead = (INSTEAD[run.name] or {})[i]
    if instead then
      instead(run)
    else
      failures[#failures + 1] = differences(run, i, command)
    end
  end
  namespace(run, "DELETE", "/" .. run.name)
  clients.until_answer(run.server, "/api/v1/namespaces/" .. run.name, function(code)
    return code == 404
  end)
  assert.are.equal("", table.concat(failures, "\n\n"))
end

describe("Porch's command line suite", function()
  local missing
  for _, name in ipairs { "porchctl", "kubectl" } do
    missing = missing or select(2, clients.find(name))
  end
  missing = missing or (not CORPUS and "LANAI_CONFORMANCE names no corpus")
  if missing then
    pending(missing)
    return
  end

  local run = {}

  setup(function()
    run.server = lib.start()
    run.git = clients.git({ user = "nephio", password = "secret" })
    run.git:unbundle(CORPUS .. "/porch-fixtures/gitea/test-blueprints.bundle",
      "nephio/test-blueprints.git")
    clients.write(run.git.root .. "/nephio/test-blueprints.git/.public", "")
    run.address = run.git:url(""):gsub("/$", "")
    run.home = clients.temporary()
  end)

  teardown(function()
    run.server:stop()
    run.git:stop()
    shell("rm -rf " .. quote(run.home))
  end)

  before_each(function()
    run.scratch = clients.temporary()
    run.porchctl = clients.new("porchctl", run.server.kubeconfig, run.home)
    run.kubectl = clients.new("kubectl", run.server.kubeconfig, run.home)
  end)

  after_each(function()
    shell("rm -rf " .. quote(run.scratch))
  end)

  for _, name in ipairs(SUITES) do
    local suite = load_suite(name)
    it(name, function()
      run.name = name
      run_suite(run, suite)
    end)
  end
end)
