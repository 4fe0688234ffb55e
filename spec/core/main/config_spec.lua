-- SPDX-License-Identifier: Apache-2.0
-- Configuration of `lanai serve` as an operator meets it: one list of settings for flags, variables
-- and the file, and a precise answer to each mistake.
local BUILD = os.getenv("LANAI_BUILD") or "build"
local PROGRAM = os.getenv("LANAI") or BUILD .. "/lanai"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

describe("lanai", function()
  local dir

  before_each(function()
    local pipe = io.popen("mktemp -d")
    dir = pipe:read("l")
    pipe:close()
  end)

  after_each(function()
    os.execute("rm -rf " .. quote(dir))
  end)

  -- Output and status; the variables are set for this run only.
  local function lanai(words, variables)
    local env = {}
    for name, value in pairs(variables or {}) do
      env[#env + 1] = name .. "=" .. quote(value)
    end
    local pipe = io.popen(("env %s timeout 10 %s %s 2>&1"):format(table.concat(env, " "),
      quote(PROGRAM), words))
    local out = pipe:read("a")
    local _, _, code = pipe:close()
    return out, code
  end

  local function file(text)
    local path = dir .. "/lanai.yaml"
    local f = assert(io.open(path, "w"))
    f:write(text)
    f:close()
    return path
  end

  local function refused(text, words, variables)
    local out, code = lanai("serve --data " .. quote(dir .. "/data") .. " " .. words, variables)
    assert.are.equal(2, code, out)
    assert.are.equal("lanai serve: " .. text .. "\n", out)
  end

  it("lists its verbs, and refuses others", function()
    local out, code = lanai("--help")
    assert.are.equal(0, code)
    for _, verb in ipairs({ "serve", "kubeconfig", "token", "workflow", "version" }) do
      assert.is_truthy(out:find("\n  " .. verb .. " ", 1, true), verb)
      local help, status = lanai(verb .. " --help")
      assert.are.equal(0, status, verb)
      assert.is_truthy(#help > 0, verb)
    end
    out, code = lanai("dance")
    assert.are.equal(2, code)
    assert.is_truthy(out:find("unknown verb 'dance'", 1, true))
    assert.are.equal(2, select(2, lanai("")))
  end)

  it("serve --help names every setting, its default and its variable", function()
    local out, code = lanai("serve --help")
    assert.are.equal(0, code)
    local source = assert(io.open("core/main/config.c")):read("a")
    local settings = source:match("SETTINGS%[%] = {(.-)\n};")
    local n = 0
    for name, rest in settings:gmatch('\n    {"([%w-]+)",(.-)},') do
      n = n + 1
      assert.is_truthy(out:find("\n  --" .. name .. "[ \n]", 1) ~= nil
        or out:find("\n  --" .. name .. " ", 1, true) ~= nil, name)
      assert.is_truthy(out:find("LANAI_" .. name:upper():gsub("-", "_"), 1, true), name)
      assert.is_truthy(#rest > 0)
    end
    assert.is_true(n >= 16, n .. " settings found")
    assert.is_truthy(out:find("(default 7443)", 1, true))
    assert.is_truthy(out:find("SIGHUP", 1, true))
    local width = 0
    for line in out:gmatch("[^\n]+") do
      width = math.max(width, #line)
    end
    assert.is_true(width <= 120, width .. " columns")
  end)

  it("names the flag that is wrong", function()
    refused("unknown flag '--nope'", "--nope 1")
    refused("flag --port needs a value", "--port")
    refused("flag --port: 'http' is not a whole number", "--port http")
    refused("flag --port: 65536 is not between 0 and 65535", "--port=65536")
    refused("flag --log-level: 'loud' is not one of debug, info, warn, error", "--log-level loud")
    refused("flag --log-format: 'xml' is not one of auto, text, json", "--log-format xml")
    refused("flag --strict-conflict: 'maybe' is neither true nor false", "--strict-conflict=maybe")
    refused("flag --address: must not be empty", "--address=")
    refused("unexpected argument 'port'", "port")
  end)

  it("takes lists from flags, the environment and the file", function()
    local flags, items = {}, {}
    for i = 1, 17 do
      flags[i], items[i] = "--retryable-git-errors=" .. i, tostring(i)
    end
    refused("flag --retryable-git-errors: more than 16 values", table.concat(flags, " "))
    refused("environment variable LANAI_RETRYABLE_GIT_ERRORS: more than 16 values", "",
      { LANAI_RETRYABLE_GIT_ERRORS = table.concat(items, ",") })
    local path = file("retryable-git-errors: [" .. table.concat(items, ", ") .. "]\n")
    refused(path .. ":1: retryable-git-errors: more than 16 values", "--config " .. quote(path))
  end)

  it("names the variable that is wrong", function()
    refused("environment variable LANAI_WORKERS: 0 is not between 1 and 256", "",
      { LANAI_WORKERS = "0" })
    refused("environment variable LANAI_STRICT_CONFLICT: 'yes' is neither true nor false", "",
      { LANAI_STRICT_CONFLICT = "yes" })
  end)

  it("names file and line of what is wrong", function()
    local function in_file(text, message)
      local path = file(text)
      refused(path .. message, "--config " .. quote(path))
    end
    in_file("port: 7443\n\n# more\nport-number: 1\n", ":4: unknown setting 'port-number'")
    in_file("log-level: info\nport: many\n", ":2: port: 'many' is not a whole number")
    in_file("threads: 65\n", ":1: threads: 65 is not between 1 and 64")
    in_file("host: [a, {b: c}]\n", ":1: host: must be one plain value")
    in_file("port: [1]\n", ":1: port: must be one plain value")
    in_file("- port\n", ":1: must be a map of settings")
    in_file("config: other.yaml\n", ":1: unknown setting 'config'")
    in_file("port: 1\nport: 2\n", ':2: mapping key "port" already defined at line 1')
    local path = file("address: a\nport: {\n")
    local out, code = lanai("serve --config " .. quote(path))
    assert.are.equal(2, code)
    assert.is_truthy(out:find("^lanai serve: " .. path:gsub("%p", "%%%0") .. ":%d+: "), out)
    out, code = lanai("serve --config " .. quote(dir .. "/none.yaml"))
    assert.are.equal(2, code)
    assert.is_truthy(out:find(dir .. "/none.yaml: No such file", 1, true), out)
  end)

  it("flags win over the environment, the environment over the file", function()
    local path = file("port: bad\n")
    -- each source is checked, so a wrong one shows which is read
    refused(path .. ":1: port: 'bad' is not a whole number", "--config " .. quote(path),
      { LANAI_PORT = "1" })
    refused(path .. ":1: port: 'bad' is not a whole number", "", { LANAI_CONFIG = path })
    -- the winner decides where the server tries to listen
    path = file("address: 240.0.0.1\n")
    local serve = ("serve --port 0 --log-format text --data %s --config %s"):format(
      quote(dir .. "/data"), quote(path))
    local out, code = lanai(serve)
    assert.are.equal(1, code)
    assert.is_truthy(out:find("240.0.0.1", 1, true), out)
    out = lanai(serve, { LANAI_ADDRESS = "240.0.0.2" })
    assert.is_truthy(out:find("240.0.0.2", 1, true), out)
    out = lanai(serve .. " --address 240.0.0.3", { LANAI_ADDRESS = "240.0.0.2" })
    assert.is_truthy(out:find("240.0.0.3", 1, true), out)
  end)

  it("says why it cannot start", function()
    local out, code = lanai("serve --port 0 --log-format text --data /proc/nope")
    assert.are.equal(1, code)
    assert.is_truthy(out:find("/proc/nope", 1, true), out)
    local f = assert(io.open(dir .. "/plain", "w"))
    f:close()
    out, code = lanai("serve --port 0 --log-format text --data " .. quote(dir .. "/plain"))
    assert.are.equal(1, code)
    assert.is_truthy(out:find("plain", 1, true), out)
    out, code = lanai("kubeconfig --user x --data " .. quote(dir .. "/none"))
    assert.are.equal(1, code)
    assert.is_truthy(out:find("run `lanai serve` first", 1, true), out)
  end)
end)
