-- SPDX-License-Identifier: Apache-2.0
-- core/krm/resources.h: reading and writing the resources of files, as kpt does it and with every
-- untouched byte kept. Golden cases: roundtrip.jsonl, lines of [name, input, output]; output null:
-- the input, {error}: reading fails. The corpus of real packages is in LANAI_CONFORMANCE.
local cjson = require("cjson")
local resources = require("probe_resources")

local KPT = { annotate = true, detect_wide = true, wrap_lists = true, defects = true }
local KEEP = { annotate = true, detect_wide = true, wrap_lists = true, keep = true }

local function with(options, more)
  local o = {}
  for k, v in pairs(options) do
    o[k] = v
  end
  for k, v in pairs(more) do
    o[k] = v
  end
  return o
end

-- The text of the only file, "" when it is gone.
local function rewrite(text, options)
  local files, kind, message = resources.rewrite({ { "f.yaml", text } }, options)
  if not files then
    return nil, message, kind
  end
  assert(#files <= 1)
  return files[1] and files[1][2] or ""
end

describe("resources written anew", function()
  for line in io.lines("spec/core/krm/roundtrip.jsonl") do
    local name, input, output = table.unpack(cjson.decode(line), 1, 3)
    it("do as kpt: " .. name, function()
      local got, message = rewrite(input, KPT)
      if type(output) == "table" then
        assert.is_nil(got)
        message = message:gsub("^f.yaml: ", ""):gsub(" %(document.*%)$", ""):gsub("\n$", "")
        assert.equal(output.error, message)
      else
        local want = output == cjson.null and input or output
        assert.equal(want, got)
        -- the second time nothing changes but what kpt is known to change each time
        if not want:find(">", 1, true) then
          assert.equal(rewrite(want, KPT), (rewrite(rewrite(want, KPT), KPT)))
        end
      end
    end)
  end
end)

describe("resources of unchanged files", function()
  for line in io.lines("spec/core/krm/roundtrip.jsonl") do
    local name, input, output = table.unpack(cjson.decode(line), 1, 3)
    if type(output) ~= "table" then
      it("keep their bytes: " .. name, function()
        local got = assert(rewrite(input, KEEP))
        assert(got == input or got == "" and #resources.read({ { "f.yaml", input } }, KEEP) == 0)
      end)
    end
  end

  it("keep CR LF, separators, comments of no document and a missing line feed", function()
    for _, text in ipairs { "a: 1\r\n---\r\nb: 2\r\n", "---\na: 1\n--- # two\nb: 2",
      "\239\187\191a: 1\n",
      "# only\n---\na: 1\n---\n# c\n---\n\n---\nb: {x:   1}\n...\n" } do
      assert.equal(text, (rewrite(text, KEEP)))
    end
  end)
end)

describe("resources that changed", function()
  local TEXT = "# top\n\na:   1 # one\n\n\nb:\n    - x: 1   # c\n    - y\n---\nk: 1\n"
    .. "--- # third\nz:  {q: 1}\n"

  it("change their own lines only", function()
    local files = assert(resources.change({ { "f.yaml", TEXT } }, KEEP, 1, { "a" }, "two"))
    assert.equal((TEXT:gsub("a:   1", "a: two")), files[1][2])
    files = assert(resources.change({ { "f.yaml", TEXT } }, KEEP, 2, { "k" }, "x"))
    assert.equal((TEXT:gsub("k: 1", "k: x")), files[1][2])
  end)
end)

describe("errors", function()
  it("name the file, document, line and column", function()
    local items, kind, message, broken = resources.read({ { "a.yaml", "a: 1\n" },
      { "d/b.yaml", "a: 1\n---\nb:\n  c: [\n" } }, KPT)
    assert.is_nil(items)
    assert.equal("bad-request", kind)
    assert.equal(2, broken)
    assert.matches("^d/b.yaml: MalformedYAMLError: yaml: line %d+: .*"
      .. " %(document 2, line %d, column %d+%)$", message)
  end)

  it("tell what cannot be a path", function()
    local function fail(path, text)
      local doc = "metadata:\n  annotations:\n    config.kubernetes.io/path: '" .. path .. "'\n"
      local files, _, message = resources.rewrite({ { "f.yaml", doc } }, { defects = true })
      assert.is_nil(files)
      assert.equal(text, message)
    end
    fail("/x.yaml", "package paths may not be absolute paths")
    fail("a/../../x.yaml", "resource must be written under package pkg: a/../../x.yaml")
    fail("x/", "config.kubernetes.io/path cannot be a directory: x/")
  end)
end)

describe("places", function()
  local function doc(name, path, index)
    return "kind: Some\nmetadata:\n  name: " .. name .. "\n  annotations:\n"
      .. (path and "    config.kubernetes.io/path: " .. path .. "\n" or "")
      .. (index and "    internal.config.kubernetes.io/index: '" .. index .. "'\n" or "")
      .. "    x: y\n"
  end

  it("come from annotations, index by index, and else from kind and name", function()
    local files = assert(resources.rewrite({ { "f.yaml", table.concat({ doc("a", "d/x.yaml", "1"),
      doc("b", "d/x.yaml", "0"), doc("c", "d/x.yaml"), doc("d") }, "---\n") } }, {}))
    assert.equal(2, #files)
    assert.equal("d/x.yaml", files[1][1])
    local names = {}
    for name in files[1][2]:gmatch("name: (%w+)") do
      names[#names + 1] = name
    end
    assert.same({ "b", "a", "c" }, names)
    assert.equal("some_d.yaml", files[2][1])
  end)

  it("write a lone resource of a .json file as JSON with sorted keys", function()
    local text = '{"b": [1, {"z": true, "c": "<a>"}], "a": 1.50}'
    local files = assert(resources.rewrite({ { "x.json", text } },
      { annotate = true, json = true, defects = true }))
    assert.equal('{\n  "a": 1.50,\n  "b": [\n    1,\n    {\n      "c": "<a>",\n'
      .. '      "z": true\n    }\n  ]\n}\n', files[1][2])
  end)
end)

-- Real packages --------------------------------------------------------------------------------

local cases = os.getenv("LANAI_CONFORMANCE")
cases = cases and cases ~= "" and cases or "../shared/conformance"

local function read_file(path)
  local f = io.open(path, "rb")
  local text = f and f:read("a")
  if f then
    f:close()
  end
  return text
end

local table_text = read_file(cases .. "/corpus/expected/roundtrip.tsv")

describe("the corpus of real packages", function()
  if not table_text then
    pending("no corpus in '" .. cases .. "'")
    return
  end

  it("is written by kpt's rules as kpt writes it, and keeps every byte by ours", function()
    local tool = assert(io.popen("sha256sum --version 2>&1")):read("l")
    local sums = tool:find("sha256sum", 1, true) and os.tmpname()
    local list, seen = {}, 0
    local cell = "([^\t\n]*)"
    local row = cell .. "\t" .. cell .. "\t" .. cell .. "\t" .. cell .. "[^\n]*"
    for path, status, _, sum in table_text:gmatch(row) do
      local text = read_file(cases .. "/corpus/real/" .. path)
      -- a resource that names a path of its own was read without one when this was recorded
      if text and not text:find("config.kubernetes.io/path:", 1, true) then
        seen = seen + 1
        local got, _, message = resources.stream(text, with(KPT, { unwrap = true }))
        if status == "same" then
          assert(got == text, path)
        elseif status == "changed" then
          assert(got, message)
          assert(got ~= text, path)
          list[#list + 1] = { path = path, sum = sum, got = got }
        else
          assert.is_nil(got, path)
        end
        if got then
          local kept = assert(rewrite(text, with(KEEP, { json = true })))
          assert(kept == text or kept == "" and got == "", path)
        end
      end
    end
    assert.is_true(seen > 4000)
    if not sums then
      pending("no sha256sum to compare what changes")
      return
    end
    local dir = sums .. ".d"
    os.execute("mkdir " .. dir)
    for i, e in ipairs(list) do
      local f = assert(io.open(("%s/%05d"):format(dir, i), "wb"))
      f:write(e.got)
      f:close()
    end
    local i = 0
    for line in assert(io.popen("cd " .. dir .. " && sha256sum *")):lines() do
      i = i + 1
      assert(line:sub(1, 16) == list[i].sum, list[i].path)
    end
    os.execute("rm -r " .. dir .. " " .. sums)
    assert.equal(#list, i)
  end)

  it("changes the lines of one scalar only when that is what changed", function()
    local seen, missed, seed = 0, {}, 7
    for path in table_text:gmatch("([^\t\n]*)\t[^\n]*") do
      local text = read_file(cases .. "/corpus/real/" .. path)
      seed = seed * 31 % 1000003
      local plain = text and not text:find("\r") and not text:find("kubernetes.io/path:", 1, true)
      local got, from, to = resources.change_one(plain and text or "", seed)
      if got then
        seen = seen + 1
        local start = text:sub(1, from):match(".*\n()") or 1
        local stop = text:sub(to, to) == "\n" and to + 1 or (text:find("\n", to + 1, true)
          or #text) + 1
        local head, tail = text:sub(1, start - 1), text:sub(stop)
        if got:sub(1, #head) ~= head or (tail ~= "" and got:sub(-#tail) ~= tail) then
          missed[#missed + 1] = path
        end
        assert(got ~= text, path)
      end
    end
    assert.is_true(seen > 3000)
    assert(#missed == 0, table.concat(missed, "\n"))
  end)
end)
