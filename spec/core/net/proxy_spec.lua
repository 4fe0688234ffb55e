-- SPDX-License-Identifier: Apache-2.0
-- core/net/proxy.c: which proxy a URL takes.
local probe = require("probe_net")

local PROXIES = { http = "http://plain:3128", https = "http://secure:3128" }

local function with(none)
  return { http = PROXIES.http, https = PROXIES.https, none = none }
end

describe("proxies", function()
  it("are chosen by the scheme of the URL", function()
    assert.equal("http://plain:3128", probe.proxy(PROXIES, "http://git.example.com/x.git"))
    assert.equal("http://secure:3128", probe.proxy(PROXIES, "https://git.example.com/x.git"))
    assert.equal("", probe.proxy({ http = "http://plain:3128" }, "https://git.example.com/x.git"))
    assert.equal("", probe.proxy({ https = "" }, "https://git.example.com/x.git"))
  end)

  it("may be given without a scheme, and leave names to a SOCKS proxy", function()
    assert.equal("http://p:8080", probe.proxy({ http = "p:8080" }, "http://a.example/"))
    assert.equal("socks5h://p:1080", probe.proxy({ http = "socks5://p:1080" }, "http://a.example/"))
    assert.equal("https://u:s@p", probe.proxy({ http = "https://u:s@p" }, "http://a.example/"))
  end)

  it("are never asked for this machine", function()
    for _, host in ipairs({ "localhost", "LOCALHOST:81", "127.0.0.1", "127.9.9.9:80", "[::1]" }) do
      assert.equal("", probe.proxy(PROXIES, "http://" .. host .. "/x.git"), host)
    end
    assert.equal("http://plain:3128", probe.proxy(PROXIES, "http://localhost.example.com/"))
    assert.equal("http://plain:3128", probe.proxy(PROXIES, "http://128.0.0.1/"))
  end)

  local EXCEPT = {
    -- NO_PROXY, URL, goes straight
    { "*", "https://any.example/", true },
    { "example.com", "http://example.com/", true },
    { "example.com", "http://git.Example.COM/", true },
    { "example.com", "http://notexample.com/", false },
    { ".example.com", "http://git.example.com/", true },
    { ".example.com", "http://example.com/", false },
    { "*.example.com", "http://git.example.com/", true },
    { "*.example.com", "http://example.com/", false },
    { "a.example, example.com", "http://example.com/", true },
    { "example.com:8080", "http://example.com:8080/", true },
    { "example.com:8080", "http://example.com/", false },
    { "example.com:443", "https://example.com/", true },
    { "10.1.2.3", "http://10.1.2.3:3000/", true },
    { "10.1.2.3", "http://10.1.2.30/", false },
    { "10.1.2.3:80", "http://10.1.2.3/", true },
    { "10.1.2.3:80", "http://10.1.2.3:81/", false },
    { "10.0.0.0/8", "http://10.200.3.4/", true },
    { "10.0.0.0/8", "http://11.0.0.1/", false },
    { "192.168.4.0/22", "http://192.168.7.255/", true },
    { "192.168.4.0/22", "http://192.168.8.0/", false },
    { "10.0.0.0/8", "http://ten.example/", false },
    { "0.0.0.0/0", "http://8.8.8.8/", true },
    { "fd00::/8", "http://[fd12::1]/", true },
    { "fd00::/8", "http://[fe80::1]/", false },
    { "fd12::1", "http://[fd12::1]:8080/", true },
    { "[fd12::1]:80", "http://[fd12::1]/", true },
    { "[fd12::1]:80", "http://[fd12::1]:81/", false },
    { "10.0.0.0/99, /, :80, ,", "http://10.0.0.1/", false },
  }
  for _, case in ipairs(EXCEPT) do
    it("follow NO_PROXY=" .. case[1] .. " for " .. case[2], function()
      assert.equal(case[3], probe.proxy(with(case[1]), case[2]) == "")
    end)
  end
end)
