-- SPDX-License-Identifier: Apache-2.0
--
-- Who a client is: certificates of the server's own authority, tokens, nobody.
local probe = require "probe_auth"

local dirs, opened = {}, {}

local function run(command)
  local pipe = assert(io.popen("LD_PRELOAD= " .. command .. " 2>&1"))
  local out = pipe:read("a")
  return out, pipe:close()
end

local function new_dir()
  local dir = os.tmpname()
  os.remove(dir)
  assert(select(2, run("mkdir " .. dir)))
  dirs[#dirs + 1] = dir
  return dir
end

local function open(dir, hosts)
  local a, why = probe.open(dir or new_dir(), hosts or {})
  opened[#opened + 1] = a
  return a, why
end

local function read_file(path)
  local f <close> = assert(io.open(path))
  return f:read("a")
end

local function write_file(path, text)
  local f <close> = assert(io.open(path, "w"))
  f:write(text)
end

local function openssl(text, pem)
  local path = new_dir() .. "/x.pem"
  write_file(path, pem)
  return run("openssl " .. text:format(path))
end

after_each(function()
  for _, a in ipairs(opened) do
    a:close()
  end
  for _, dir in ipairs(dirs) do
    run("rm -r " .. dir)
  end
  dirs, opened = {}, {}
end)

describe("authority", function()
  it("is made once and kept, in files that only the server reads", function()
    local dir = new_dir()
    local a = open(dir)
    local ca, cert, key = a:pem()
    a:close()
    assert.equal("600 600 600 600\n", (run(("cd %s/pki && stat -c %%a * | xargs"):format(dir))))
    assert.equal("ca.crt ca.key server.crt server.key\n",
      (run(("ls -A %s/pki | xargs"):format(dir))))
    local again = open(dir)
    assert.same({ ca, cert, key }, { again:pem() })
  end)

  it("signs a server certificate for the local names and the configured ones", function()
    local a = open(nil, { "lanai.example.com", "10.1.2.3", "localhost" })
    local ca, cert = a:pem()
    local text = openssl("x509 -in %s -noout -ext subjectAltName,extendedKeyUsage", cert)
    for _, name in ipairs { "DNS:localhost", "IP Address:127.0.0.1",
      "IP Address:0:0:0:0:0:0:0:1", "DNS:lanai.example.com", "IP Address:10.1.2.3",
      "TLS Web Server Authentication" } do
      assert.is_truthy(text:find(name, 1, true), name .. " in " .. text)
    end
    local path = new_dir() .. "/ca.pem"
    write_file(path, ca)
    local verify = "verify -x509_strict -purpose sslserver -CAfile " .. path
    assert.matches("OK", (openssl(verify .. " %s", cert)))
  end)

  it("makes the server certificate anew when names change, it expires or is damaged", function()
    local dir = new_dir()
    local a = open(dir)
    local ca, cert = a:pem()
    a:close()
    a = open(dir, { "other.example.com" })
    local ca2, cert2 = a:pem()
    assert.equal(ca, ca2)
    assert.is_true(cert ~= cert2)
    local old = a:odd_cert { name = "lanai", seconds = 3600, usage = "serverAuth" }
    a:close()
    write_file(dir .. "/pki/server.crt", old)
    a = open(dir, { "other.example.com" })
    local _, cert3 = a:pem()
    assert.is_true(cert3 ~= old)
    a:close()
    write_file(dir .. "/pki/server.key", "nonsense")
    a = open(dir, { "other.example.com" })
    local ca4, cert4, key4 = a:pem()
    assert.equal(ca, ca4)
    assert.is_true(cert4 ~= cert3)
    assert.equal(key4, read_file(dir .. "/pki/server.key"))
    a:close()
    a = open(dir, { "other.example.com" })
    assert.equal(cert4, (select(2, a:pem())))
    a:close()
    a = assert(probe.open(dir)) -- whoever only reads does not say which names it has
    assert.equal(cert4, (select(2, a:pem())))
    a:close()
  end)

  it("is never replaced silently", function()
    local dir = new_dir()
    open(dir):close()
    local key = read_file(dir .. "/pki/ca.key")
    os.remove(dir .. "/pki/ca.key")
    local a, why = open(dir)
    assert.is_nil(a)
    assert.matches("'ca.crt' is there but 'ca.key' is missing", why)
    write_file(dir .. "/pki/ca.key", read_file(dir .. "/pki/server.key"))
    a, why = open(dir)
    assert.is_nil(a)
    assert.matches("they do not belong together", why)
    write_file(dir .. "/pki/ca.key", key)
    assert.is_truthy(open(dir))
  end)

  it("refuses host names that are none", function()
    for _, name in ipairs { "", "a,DNS:b", "a b" } do
      local a, why = open(nil, { name })
      assert.is_nil(a)
      assert.matches("is not a host name or address", why)
    end
  end)
end)

describe("client certificate", function()
  it("gives the user and the groups", function()
    local a = open()
    local long = ("n"):rep(200)
    for _ = 1, 2 do
      local cert = a:issue("ann", { "dev", "system:masters", "grün" })
      assert.same({ "ann", "dev system:masters grün system:authenticated", false },
        { a:who(cert) })
      assert.same({ "ann", "dev system:masters grün system:authenticated", false },
        { a:who(cert, "Bearer wrong") })
    end
    assert.equal(long, (a:who((a:issue(long, {})))))
  end)

  it("has a random serial number and the client purpose only", function()
    local a = open()
    local seen = {}
    for _ = 1, 5 do
      local text = openssl("x509 -in %s -noout -serial -ext extendedKeyUsage",
        (a:issue("ann", {})))
      local serial = text:match("serial=(%x+)")
      assert.is_true(#serial == 32 and not seen[serial], serial)
      assert.matches("TLS Web Client Authentication", text)
      assert.is_nil(text:find("Server"))
      seen[serial] = true
    end
  end)

  it("is valid from a day before, so that clocks may be set back", function()
    local a = open()
    for _, pem in ipairs { (select(2, a:pem())), (a:issue("ann", {})) } do
      local text = openssl("x509 -in %s -noout -startdate", pem)
      local from = run(("date -u -d '%s' +%%s"):format(text:match("notBefore=([^\n]+)")))
      assert.is_true(math.abs(os.time() - 86400 - tonumber(from)) < 60, text)
    end
  end)

  it("of another authority, expired, or for other purposes is refused", function()
    local a = open()
    local odd = {
      { name = "eve", usage = "clientAuth", foreign = true },
      { name = "eve", usage = "clientAuth", seconds = -60 },
      { name = "eve", usage = "serverAuth" },
      { name = "eve" },
    }
    for i, spec in ipairs(odd) do
      local cert = a:odd_cert(spec)
      local name, why, kind = a:who(cert)
      assert.same({ nil, "Unauthorized", "unauthorized", i }, { name, why, kind, i })
    end
    assert.equal("eve", (a:who((a:odd_cert { name = "eve", usage = "clientAuth" }))))
    for _, pem in ipairs { "garbage", (a:pem()), (select(2, a:pem())) } do
      assert.same({ nil, "Unauthorized", "unauthorized" }, { a:who(pem) })
    end
  end)

  it("that is not ours does not hide a valid token", function()
    local a = open()
    local _, token = a:token("bot", {})
    local cert = a:odd_cert { name = "eve", usage = "clientAuth", foreign = true }
    assert.equal("bot", (a:who(cert, "Bearer " .. token)))
  end)

  it("needs a name and a lifetime", function()
    local a = open()
    assert.same({ nil, "a user needs a name", "invalid" }, { a:issue("", {}) })
    assert.same({ nil, "a certificate is valid for 1 to 36500 days", "invalid" },
      { a:issue("ann", {}, 0) })
  end)
end)

describe("token", function()
  it("is known until it is revoked", function()
    local a = open()
    local id, token = a:token("ci", { "g1", "g2" })
    assert.matches("^lanai%-" .. id .. "%.%x+$", token)
    assert.same({ "ci", "g1 g2 system:authenticated", false }, { a:who(nil, "Bearer " .. token) })
    assert.equal("ci", (a:who(nil, "bearer  " .. token)))
    assert.is_true(a:revoke(id))
    assert.same({ nil, "Unauthorized", "unauthorized" }, { a:who(nil, "Bearer " .. token) })
    assert.same({ nil, "token '" .. id .. "' not found", "not-found" }, { a:revoke(id) })
  end)

  it("survives a restart", function()
    local dir = new_dir()
    local a = open(dir)
    local _, token = a:token("ci", {})
    a:close()
    assert.equal("ci", (open(dir):who(nil, "Bearer " .. token)))
  end)

  it("that is wrong in any part is refused, never taken for nobody", function()
    local a = open()
    local id, token = a:token("ci", {})
    local last = token:sub(-1) == "0" and "1" or "0"
    for _, t in ipairs { "x", "lanai-.", "lanai-" .. id .. ".", "lanai-" .. id, token .. "0",
      token:sub(1, -2) .. last, token:sub(7), "lanai-" .. ("0"):rep(16) .. token:match("%..*"),
      "a b" } do
      local name, why, kind = a:who(nil, "Bearer " .. t)
      assert.same({ nil, "Unauthorized", "unauthorized", t }, { name, why, kind, t })
    end
  end)

  it("ends at its time", function()
    local a = open()
    local _, token = a:token("ci", {}, 3600)
    assert.equal("ci", (a:who(nil, "Bearer " .. token)))
    local id = token:match("lanai%-(%x+)")
    local json = a:get("tokens", "", id)
    assert(a:put("tokens", "", id, (json:gsub('"expires":"[^"]*"',
      '"expires":"2020-01-01T00:00:00Z"'))))
    assert.same({ nil, "Unauthorized", "unauthorized" }, { a:who(nil, "Bearer " .. token) })
  end)

  it("is listed without its secret, and stored as a hash", function()
    local a = open()
    local id, token = a:token("ci", {}, 60)
    a:token("bot", {})
    local all = a:tokens()
    assert.equal(2, #all)
    table.sort(all, function(x, y) return x[2] < y[2] end)
    assert.equal("bot", all[1][2])
    assert.equal("", all[1][4])
    assert.equal(id, all[2][1])
    assert.matches("^%d+%-%d+%-%d+T", all[2][3])
    assert.matches("^%d+%-%d+%-%d+T", all[2][4])
    assert.is_nil(a:get("tokens", "", id):find(token:match("%.(.*)"), 1, true))
  end)
end)

describe("nobody", function()
  it("is anonymous, also with a scheme that is not ours", function()
    local a = open()
    for _, authorization in ipairs { "", "Basic dTpw", "Bearer", "Bearer " } do
      assert.same({ "system:anonymous", "system:unauthenticated", true },
        { a:who(nil, authorization) })
    end
  end)
end)

describe("kubeconfig", function()
  it("holds all that a client needs", function()
    local a = open()
    local text = a:kubeconfig("https://127.0.0.1:7443", "ad\"min: x", { "system:masters" })
    local path = new_dir() .. "/config"
    write_file(path, text)
    local function at(key)
      local b64 = text:match(key .. ": (%S+)\n")
      return (run("echo " .. b64 .. " | base64 -d"))
    end
    assert.equal((a:pem()), at("certificate%-authority%-data"))
    assert.equal("ad\"min: x", (a:who(at("client%-certificate%-data"))))
    assert.matches("BEGIN PRIVATE KEY", at("client%-key%-data"))
    assert.matches("^apiVersion: v1\nkind: Config\n", text)
    assert.matches('server: "https://127.0.0.1:7443"\n', text)
    assert.matches("namespace: default\ncurrent%-context: lanai\n$", text)
  end)
end)
