-- SPDX-License-Identifier: Apache-2.0
--
-- lanai-starlark, the helper process for Starlark functions.

local cjson = require("cjson")
local probe = require("probe_programs")

local PROGRAM = (os.getenv("LANAI_BUILD") or "build") .. "/lanai-starlark"

local file = io.open(PROGRAM)
if not file then
  describe("lanai-starlark", function()
    pending("is not built: golang-go, golang-starlark-dev or golang-gopkg-yaml.v3-dev is missing")
  end)
  return
end
file:close()

local function helpers(max_memory)
  return probe.helpers({ argv = { PROGRAM }, max = 2, max_calls = 1000,
    max_memory = max_memory or 256 << 20, max_output = 64 << 20 })
end

local h = helpers()

local function config(source, data)
  data = data or {}
  data.source = source
  return { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "fn" }, data = data }
end

-- Exit code, answer and log.
local function call(function_config, items, timeout_ms)
  local text = cjson.encode({ apiVersion = "config.kubernetes.io/v1", kind = "ResourceList",
    items = items or {}, functionConfig = function_config })
  text = text:gsub('"items":{}', '"items":[]')
  local code, answer, log = h:run(text, timeout_ms or 20000)
  return code, code and cjson.decode(answer), code and log or answer
end

local function printed(source, data)
  local code, answer, log = call(config(source, data))
  assert.equal(0, code, answer and answer.results and answer.results[1].message)
  return log
end

local function failure(source)
  local code, answer, log = call(config(source))
  assert.equal(1, code)
  return answer.results[#answer.results].message, log
end

describe("a starlark function", function()
  it("changes items in place", function()
    local code, answer = call(config([[
for r in ctx.resource_list["items"]:
  r["spec"] = {"replicas": int(ctx.resource_list["functionConfig"]["data"]["n"])}
]], { n = "3" }), { { kind = "A" }, { kind = "B" } })
    assert.equal(0, code)
    local spec = { replicas = 3 }
    assert.same({ { kind = "A", spec = spec }, { kind = "B", spec = spec } }, answer.items)
  end)

  it("puts a new list in their place", function()
    local source = 'ctx.resource_list["items"] = [{"kind": "N"}]'
    local _, answer = call(config(source), { { kind = "A" } })
    assert.same({ { kind = "N" } }, answer.items)
  end)

  it("reads a StarlarkRun", function()
    local run = { apiVersion = "fn.kpt.dev/v1alpha1", kind = "StarlarkRun",
      metadata = { name = "r" }, params = { x = 5 },
      source = 'print(ctx.resource_list["functionConfig"]["params"]["x"])' }
    local code, _, log = call(run)
    assert.same({ 0, "5\n" }, { code, log })
  end)

  it("names what is wrong with the functionConfig", function()
    local function message(c)
      local code, answer, log = call(c)
      assert.same({ 1, "failed to evaluate function: error: function failure\n" }, { code, log })
      return answer.results[1].message
    end
    assert.equal("FunctionConfig is missing. Expect `ConfigMap` or `StarlarkRun`", message(nil))
    assert.equal("`source` must not be empty", message(config("")))
    assert.equal("`source` must not be empty", message({ apiVersion = "fn.kpt.dev/v1alpha1",
      kind = "StarlarkRun", metadata = { name = "x" } }))
    assert.equal("`functionConfig` must be either `ConfigMap` or `StarlarkRun`, but we got: "
      .. "apps/v1, Kind=Deployment", message({ apiVersion = "apps/v1", kind = "Deployment" }))
  end)

  it("has sets, while, recursion and globals that change", function()
    assert.equal('set(["a"])\n3\n13\n', printed([[
x = set(["a"])
print(x)
x = 0
while x < 3:
  x += 1
print(x)
def fib(n):
  return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(7))
]]))
  end)

  it("sees kinds and environment", function()
    assert.equal("Deployment True\n", printed([[
d = ctx.open_api["definitions"]["io.k8s.api.apps.v1.Deployment"]
print(d["x-kubernetes-group-version-kind"][0]["kind"], "PATH" in ctx.environment)
]]))
  end)

  it("fails with the message and, from inside a function, a traceback", function()
    assert.equal("fail: no", (failure("fail('no')")))
    local code, answer = call(config("def f():\n  return {}['x']\nf()\n"))
    assert.same({ 1, 'key "x" not in dict' }, { code, answer.results[1].message })
    assert.matches("Traceback (most recent call last):\n  fn:3:2: in <toplevel>\n  fn:2:",
      answer.traceback, 1, true)
    assert.equal("fn:1:6: got newline, want primary expression", (failure("é =  \nx\n")))
  end)

  it("keeps the log of what it printed before it failed", function()
    local _, log = failure("print('seen')\nfail('no')")
    assert.equal("seen\nfailed to evaluate function: error: function failure\n", log)
  end)

  it("cannot put what is no value of a resource into one", function()
    assert.matches("cannot hold a value of type function",
      failure('ctx.resource_list["items"] = [lambda: 1]'))
    assert.matches("a key of a resource must be a string",
      failure('ctx.resource_list["items"] = [{1: 2}]'))
    assert.matches("nested too deeply",
      failure("x = []\nx.append(x)\nctx.resource_list['items'] = x"))
    assert.matches("cannot hold the number", failure('ctx.resource_list["items"] = [float("nan")]'))
  end)

  it("writes whole floats without a fraction, long integers whole, texts as they are", function()
    local text = '{"functionConfig":{"kind":"ConfigMap","apiVersion":"v1","data":{"source":'
      .. '"ctx.resource_list[\\"items\\"] = [2.0, 0.5, 123456789012345678901234567890, '
      .. '\\"\\\\n\\\\\\"é\\"]"}},"items":[]}'
    local _, answer = h:run(text, 20000)
    assert.matches('"items":[2,0.5,123456789012345678901234567890,"\\u000a\\"é"]', answer, 1, true)
  end)
end)

describe("modules:", function()
  local function check(name, source, expected)
    it(name, function()
      assert.equal(expected .. "\n", printed(source))
    end)
  end

  check("krmfn", [[
load("krmfn.star", "krmfn")
r = {"apiVersion": "v1", "kind": "A", "metadata": {"name": "n", "namespace": "s"}}
print(krmfn.match_gvk(r, "v1", "A"), krmfn.match_gvk(r, "v2", "A"), krmfn.match_name(r, "n"),
      krmfn.match_name({}, "n"), krmfn.match_namespace(r, "s"))]], "True False True False True")
  check("base64", [[
load("encoding/base64.star", "base64")
print(base64.encode("a?>"), base64.encode("a?>", encoding="url_raw"), base64.decode("YT8+"))]],
    "YT8+ YT8- a?>")
  check("csv", [=[
load("encoding/csv.star", "csv")
print(csv.read_all("a,b\n1,2\n", skip=1), csv.write_all([["x", 1], ["y,", None]]))]=],
    '[["1", "2"]] x,1\n"y,",None\n')
  check("json", [[
load("encoding/json.star", "json")
print(json.encode({"b": 1}), json.decode("[1, 2.5]"))]], '{"b":1} [1, 2.5]')
  check("yaml", [[
load("encoding/yaml.star", "yaml")
print(yaml.loads("b: [1, x, 1.5, null, true]\na: &k {c: 0x10}\nd: *k"),
      yaml.dumps({"b": 1, "a": []}))]],
    '{"b": [1, "x", 1.5, None, True], "a": {"c": 16}, "d": {"c": 16}} a: []\nb: 1\n')
  check("hash", [[
load("hash.star", "hash")
print(hash.md5("x"), hash.sha1("x")[:8], hash.sha256("x")[:8])]],
    "9dd4e461268c8034f5c8564e155c67a6 11f6ad8e 2d711642")
  check("math", [[
load("math.star", "math")
print(math.ceil(1.2), math.floor(-1.2), math.sqrt(4), math.pow(2, 3), math.log(8, 2))]],
    "2 -2 2.0 8.0 3.0")
  check("re", [[
load("re.star", "re")
p = re.compile("(a)(b?)")
print(re.findall("a+", "aa b a"), re.match("(a)(b?)", "ab a"), re.split(",", "a,b,c", 2),
      re.sub("a", "x", "aba"), p.sub("<$1>", "ab"), p.search("cab"), re.search("z", "a"))]],
    '("aa", "a") [("ab", "a", "b"), ("a", "a", "")] ("a", "b,c") xbx <a> (1, 3) None')
  check("time", [[
load("time.star", "time")
t = time.parse_time("2021-03-04T05:06:07Z")
d = time.parse_duration("90m")
print(t.year, t.unix, (t + d).format("15:04"), d.hours, (t + d) - t == d, time.hour * 2 > d,
      time.now() > t)]], "2021 1614834367 06:36 1.5 True True True")
  check("zipfile", [[
load("encoding/base64.star", "base64")
load("zipfile.star", "ZipFile")
z = ZipFile(base64.decode("UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="))
print(z.namelist())]], "[]")

  it("that need the network or are not supported say so when they are called", function()
    printed([[
load('bsoup.star', 'bsoup')
load('geo.star', 'geo')
load('html.star', 'html')
load('http.star', 'http')
load('xlsx.star', 'xlsx')]])
    assert.equal("http.get: functions have no network",
      (failure("load('http.star', 'http')\nhttp.get('http://127.0.0.1')")))
    assert.equal("html: not supported by lanai", (failure("load('html.star', 'html')\nhtml('')")))
  end)

  it("that are unknown or files", function()
    for _, name in ipairs({ "x.star", "/etc/passwd", "../main.go" }) do
      assert.matches("cannot load " .. name .. ": invalid module",
        failure(("load(%q, 'x')"):format(name)), 1, true)
    end
  end)
end)

describe("a hostile starlark function", function()
  it("that loops is killed, and the next one runs", function()
    local code, kind = h:run(cjson.encode({ items = { {} },
      functionConfig = config("while True:\n  pass") }), 300)
    assert.same({ nil, "timeout" }, { code, kind })
    assert.equal("ok\n", printed("print('ok')"))
  end)

  it("that takes memory without end is ended by its limit", function()
    local one = helpers(200 << 20)
    local source = "x = ['y' * 1000000]\nwhile True:\n  x.append(x[-1] + 'y')"
    local code, kind, message = one:run(cjson.encode({ items = { {} },
      functionConfig = config(source) }), 20000)
    assert.same({ nil, "unavailable" }, { code, kind }, message)
  end)

  it("that recurses without end", function()
    local one = helpers()
    local code, kind = one:run(cjson.encode({ items = { {} },
      functionConfig = config("def f():\n  return f()\nf()") }), 20000)
    assert.is_true(code == 1 or kind == "unavailable" or kind == "timeout")
    assert.equal("ok\n", printed("print('ok')"))
  end)

  it("leaves nothing for the next one", function()
    printed("leak = 1\nctx.environment['leak'] = '1'")
    assert.matches("undefined: leak", failure("print(leak)"))
    assert.equal("False\n", printed("print('leak' in ctx.environment)"))
  end)

  it("has no rights left", function()
    printed("pass")
    local n = 0
    for pid in io.popen("LD_PRELOAD= pgrep -P $PPID -x lanai-starlark"):lines() do
      for task in io.popen(("cat /proc/%s/task/*/status | grep -E '^(Seccomp|NoNewPrivs):'")
        :format(pid)):lines() do
        n = n + 1
        assert.matches(task:match("Seccomp") and "2$" or "1$", task)
      end
      local limits = assert(io.open("/proc/" .. pid .. "/limits")):read("a")
      assert.matches("Max open files%s+0 ", limits)
    end
    assert.is_true(n > 0)
  end)
end)
