-- SPDX-License-Identifier: Apache-2.0

describe("workflows/README.md", function()
  it("is current", function()
    local make = assert(loadfile("core/host/readme.lua"))("module")
    local file = assert(io.open("workflows/README.md", "rb"))
    assert.equal(make(), file:read("a"), "run lua5.4 core/host/readme.lua > workflows/README.md")
    file:close()
  end)
end)

describe("Lua sources", function()
  it("are clean for luacheck", function()
    local pipe = io.popen("command -v luacheck")
    local have = pipe:read("a") ~= ""
    pipe:close()
    if not have then
      pending("luacheck is not installed")
      return
    end
    pipe = io.popen("luacheck --no-color -q lua workflows core/script core/host 2>&1")
    local text = pipe:read("a")
    assert.is_true(pipe:close(), text)
  end)

  it("of workflows stay short", function()
    local pipe = assert(io.popen("find workflows -name '*.lua'"))
    for path in pipe:lines() do
      local n = 0
      for _ in io.lines(path) do
        n = n + 1
      end
      assert.is_true(n <= 200, ("%s has %d lines"):format(path, n))
    end
    pipe:close()
  end)
end)
