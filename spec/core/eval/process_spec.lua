-- SPDX-License-Identifier: Apache-2.0
--
-- Programs as functions: what they get, what they give, and that they end.

local probe = require("probe_programs")

local function shell(script, options)
  options = options or {}
  options.argv = { "/bin/sh", "-c", script }
  options.timeout_ms = options.timeout_ms or 20000
  return probe.run(options)
end

describe("a program", function()
  it("gets its input and gives output, log and exit code", function()
    local code, text, log = shell("cat; echo why >&2; exit 3", { input = "resources\n" })
    assert.same({ 3, "resources\n", "why\n" }, { code, text, log })
  end)

  it("gets more input than a pipe holds while it writes as much", function()
    local input = ("0123456789abcdef"):rep(1 << 16)
    local code, text = shell("cat", { input = input })
    assert.equal(0, code)
    assert.is_true(text == input)
  end)

  it("may end without reading its input", function()
    assert.equal(0, (shell("exec true", { input = ("x"):rep(1 << 20) })))
  end)

  it("runs where it is told", function()
    local _, text = shell("pwd", { directory = "/usr" })
    assert.equal("/usr\n", text)
  end)

  it("has no descriptors but its three", function()
    local _, text = shell("ls /proc/self/fd | wc -l")
    assert.equal("4", text:match("%d+")) -- and the one that ls reads
  end)

  it("ended by a signal has no exit code", function()
    assert.equal(-1, (shell("kill -KILL $$")))
  end)

  it("that is not there is named", function()
    local code, kind, message = probe.run({ argv = { "/nowhere/fn" } })
    assert.is_nil(code)
    assert.same({ "not-found", "cannot run '/nowhere/fn': No such file or directory" },
      { kind, message })
  end)

  it("is killed at its deadline with all its children", function()
    local name = os.tmpname()
    local code, kind, message = shell(
      ("(sleep 60; echo late > %s) & echo $! > %s; wait"):format(name, name), { timeout_ms = 300 })
    assert.is_nil(code)
    assert.same({ "timeout", "'/bin/sh' did not end in time" }, { kind, message })
    local file = assert(io.open(name))
    local pid = file:read("n")
    file:close()
    os.remove(name)
    -- Its parent is gone: init reaps it, at the latest when its state is asked for.
    local stat = io.open(("/proc/%d/stat"):format(pid))
    assert.is_true(not stat or stat:read("a"):match("%) (%a)") == "Z")
    if stat then
      stat:close()
    end
  end)

  it("leaves no children that hold its output open", function()
    local code, text = shell("echo done; sleep 60 &", { timeout_ms = 20000 })
    assert.same({ 0, "done\n" }, { code, text })
  end)

  it("that writes without end is stopped", function()
    local code, kind, message = shell("yes", { max_output = 100000 })
    assert.is_nil(code)
    assert.same({ "too-large", "'/bin/sh' wrote more than 100000 bytes" }, { kind, message })
  end)

  it("may write as much to its log as it likes; the first MiB is kept", function()
    local code, _, log = shell("head -c 3000000 /dev/zero >&2")
    assert.same({ 0, true }, { code, #log <= 1 << 20 })
  end)

  it("gets no more memory than its limit", function()
    if os.getenv("LD_PRELOAD") then
      pending("programs with a sanitizer reserve more memory than any limit")
      return
    end
    local grow = "exec lua5.4 -e 'local t = {} for i = 1, 1e9 do t[i] = (\"x\"):rep(1000) .. i end'"
    local code, _, log = shell(grow, { max_memory = 64 << 20 })
    assert.is_true(code ~= 0)
    assert.matches("not enough memory", log)
  end)
end)

describe("a command line", function()
  local function check(line, ...)
    local words = { ... }
    it(("is split: %s"):format(line), function()
      assert.same(words, probe.words(line))
    end)
  end

  check("sed -e 's/foo/bar/'", "sed", "-e", "s/foo/bar/")
  check([[a "b c" d\ e 'f"g']], "a", "b c", "d e", 'f"g')
  check([[a"b"'c'd ""]], "abcd", "")
  check([["a\"b\\c\d" '\n']], [[a"b\c\d]], [[\n]])
  check("a # b c", "a")
  check("a#b", "a#b")
  check(" \t\n")

  it("with an open quote is an error", function()
    for _, line in ipairs({ "a 'b", 'a "b', [[a \]] }) do
      local words, kind = probe.words(line)
      assert.same({ nil, "invalid" }, { words, kind })
    end
  end)
end)
