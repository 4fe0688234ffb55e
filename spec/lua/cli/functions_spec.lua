-- SPDX-License-Identifier: Apache-2.0

local support = require("spec.lua.support")

local KPTFILE = [[
# about the package
apiVersion: kpt.dev/v1
kind: Kptfile # by hand
metadata:
  name: app
pipeline:
  mutators:
    - image: set-namespace:v0.4.1
      configMap: {namespace: prod}
    - image: set-labels:v0.2 # what it is
      configMap:
        tier: web
      selectors:
        - kind: Service
]]
local SUB = [[
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: db
]]
local SERVICE = [[
apiVersion: v1
kind: Service # of the app
metadata:
  name: web

spec:
  ports:
    - port: 80
]]
local CONFIG = [[
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  a: x # kpt-set: ${a}
]]
local ADD = [[
#!/bin/sh
sed -e 's/a: x/a: y/'
cat <<END
results:
- message: hello
  resourceRef: {apiVersion: v1, kind: ConfigMap, name: settings}
  field: {path: data.a}
END
echo one >&2
echo two >&2
]]
local FAIL = [[
#!/bin/sh
cat
echo cannot >&2
exit 3
]]

describe("lanai fn", function()
  local dir

  -- Programs have a limit of memory, which a preloaded sanitizer does not keep.
  local function fn(words, env, below)
    return support.lanai(dir .. (below or ""), "fn " .. words, "LD_PRELOAD= " .. (env or ""))
  end

  before_each(function()
    dir = support.directory()
    support.write(dir, { ["app/Kptfile"] = KPTFILE, ["app/service.yaml"] = SERVICE,
      ["app/db/Kptfile"] = SUB, ["app/db/config.yaml"] = CONFIG, ["add"] = ADD, ["fail"] = FAIL })
    support.shell("chmod +x " .. dir .. "/add " .. dir .. "/fail")
  end)

  after_each(support.clean)

  describe("render", function()
    it("runs the pipelines, says what happens and leaves the outcome in the Kptfile", function()
      local code, out, err = fn("render app --results-dir results")
      assert.equal("", out)
      assert.equal([[
Package "app/db":

Package "app":
[RUNNING] "ghcr.io/kptdev/krm-functions-catalog/set-namespace:v0.4.1" on package "app"
[PASS] "ghcr.io/kptdev/krm-functions-catalog/set-namespace:v0.4.1" in 0s
  [Results]:
    [info]: namespace [default] updated to "prod", 2 value(s) changed
    [info]: all `depends-on` annotations are up-to-date. no `namespace` changed
[RUNNING] "ghcr.io/kptdev/krm-functions-catalog/set-labels:v0.2" on 1 resource(s) on package "app"
[PASS] "ghcr.io/kptdev/krm-functions-catalog/set-labels:v0.2" in 0s
  [Results]:
    [info]: set 2 labels in total

Successfully executed 2 function(s) in 2 package(s).
For complete results, see results/results.yaml
]], (err:gsub("\" in %S+\n", "\" in 0s\n")))
      assert.equal(0, code)
      local files = support.tree(dir .. "/app")
      assert.equal("apiVersion: v1\nkind: Service # of the app\nmetadata:\n  name: web\n"
        .. "  namespace: prod\n  labels:\n    tier: web\n\nspec:\n  ports:\n    - port: 80\n"
        .. "  selector:\n    tier: web\n", files["service.yaml"])
      assert.equal((CONFIG:gsub("settings\n", "settings\n  namespace: prod\n")),
        files["db/config.yaml"])
      assert.equal(KPTFILE, files.Kptfile:sub(1, #KPTFILE))
      assert.matches('\nstatus:\n  conditions:\n    %- type: Rendered\n      status: "True"\n',
        files.Kptfile)
      assert.matches("^apiVersion: kpt.dev/v1\nkind: FunctionResultList\nmetadata:\n"
        .. "  name: fnresults\nexitCode: 0\nitems:\n  %- image: ghcr.io",
        support.read(dir .. "/results/results.yaml"))
    end)

    it("changes no byte the second time", function()
      fn("render app")
      local first = support.tree(dir .. "/app")
      assert.equal(0, (fn("render app")))
      local again = support.tree(dir .. "/app")
      again.Kptfile = again.Kptfile:gsub("\nstatus:.*", "")
      first.Kptfile = first.Kptfile:gsub("\nstatus:.*", "")
      assert.same(first, again)
    end)

    it("puts resources elsewhere and leaves the package as it is", function()
      local before = support.tree(dir .. "/app")
      local code, out = fn("render app -o unwrap")
      assert.equal(0, code)
      assert.matches("\n%-%-%-\napiVersion: v1\nkind: Service # of the app\n", out)
      assert.not_matches("config.kubernetes.io", out)
      code, out = fn("render app -o stdout")
      assert.equal(0, code)
      assert.matches("^apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n%- ", out)
      assert.matches("config.kubernetes.io/path: 'db/config.yaml'", out)
      assert.equal(0, (fn("render app -o new")))
      assert.matches("namespace: prod", support.read(dir .. "/new/db/config.yaml"))
      local _, _, err = fn("render app -o new")
      assert.equal('error: directory "new" already exists, please delete the directory and '
        .. "retry\n", err)
      assert.same(before, support.tree(dir .. "/app"))
    end)

    it("runs programs when they are allowed, and says how one failed", function()
      support.write(dir, { ["app/Kptfile"] = SUB .. "pipeline:\n  mutators:\n    - exec: ../add\n"
        .. "  validators:\n    - exec: ../fail\n" })
      local code, _, err = fn("render app")
      assert.equal(1, code)
      assert.matches("\nError: must run with `%-%-allow%-exec` option", err)
      code, _, err = fn("render --allow-exec --results-dir ../r", "", "/app")
      assert.equal(1, code)
      assert.matches('%[PASS%] "../add" in %S+\n  %[Results%]:\n'
        .. "    %[info%] v1/ConfigMap/settings data.a: hello\n"
        .. "  Stderr:\n    one\n    two\n    \n", err)
      assert.matches('%[FAIL%] "../fail" in %S+\n  Stderr:\n    cannot\n    \n  Exit code: 3\n\n'
        .. "For complete results, see ../r/results.yaml\n$", err)
      assert.equal(CONFIG, support.read(dir .. "/app/db/config.yaml"))
      assert.matches("reason: RenderFailed", support.read(dir .. "/app/Kptfile"))
      assert.matches("exitCode: 1\n.*%- exec: ../fail\n    stderr: |\n      cannot\n"
        .. "    exitCode: 3",
        support.read(dir .. "/r/results.yaml"))
    end)

    it("explains what cannot be rendered", function()
      local _, _, err = fn("render none")
      assert.equal("error: lstat none: no such file or directory\n", err)
      support.shell("mkdir " .. dir .. "/empty")
      _, _, err = fn("render empty")
      assert.matches('^Error: No Kptfile found at ".*/empty"', err)
      support.write(dir, { ["app/Kptfile"] = SUB .. "pipeline:\n  mutators:\n"
        .. "    - image: nobody\n" })
      local code
      code, _, err = fn("render app")
      assert.equal(1, code)
      assert.matches('function "ghcr.io/[%w/-]+/nobody:latest" not found', err)
      _, _, err = fn("render app --image-pull-policy sometimes")
      assert.matches("must be one of: Always, IfNotPresent, Never", err)
    end)
  end)

  describe("eval", function()
    it("runs one function over all resources, or those that flags select", function()
      local code, out, err = fn("eval app -i set-labels:v0.2.1 --match-kind Service "
        .. "--exclude-name other -- tier=web")
      assert.equal(0, code)
      assert.equal("", out)
      assert.matches('^%[RUNNING%] "ghcr.io/[%w/-]+/set%-labels:v0.2.1" on 1 resource%(s%)\n', err)
      local files = support.tree(dir .. "/app")
      assert.matches("labels:\n    tier: web\n\nspec:", files["service.yaml"])
      assert.equal(KPTFILE, files.Kptfile)
      assert.equal(CONFIG, files["db/config.yaml"])
    end)

    it("reads a ResourceList and writes one", function()
      local _, list = fn("source app")
      support.write(dir, { list = list })
      local code, out = fn("eval - -i set-labels --match-name settings -- a=b <list")
      assert.equal(0, code)
      assert.matches("^apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n", out)
      assert.matches("\n    labels:\n      a: b\n", out)
    end)

    it("gives a program its functionConfig, arguments and kind", function()
      support.write(dir, { keep = "#!/bin/sh\ntee seen\n" })
      support.shell("chmod +x " .. dir .. "/keep")
      assert.equal(0, (fn("eval app --exec ./keep -- MyKind a=1 b=x=y")))
      assert.matches('functionConfig:\n  metadata:\n    name: function%-input\n'
        .. '  data: {a: "1", b: x=y}\n  kind: MyKind\n  apiVersion: v1\n$',
        support.read(dir .. "/seen"))
    end)

    it("saves the function to the Kptfile, whose comments stay", function()
      local code, _, err = fn("eval app -s -t mutator -i set-labels:v0.2.1 --match-name web "
        .. "--exclude-annotations x=y -- tier=api")
      assert.equal(0, code, err)
      assert.matches('Updated "ghcr.io/[%w/-]+/set%-labels:v0.2.1" as mutator in the Kptfile.\n',
        err)
      local text = support.read(dir .. "/app/Kptfile")
      assert.matches("^# about the package\n.*kind: Kptfile # by hand\n", text)
      assert.matches("      configMap: {namespace: prod}\n    %- image: ghcr.io/[%w/-]+/"
        .. "set%-labels:v0.2.1.-\n      configMap:\n        tier: api\n      selectors:\n"
        .. "        %- name: web\n      exclude:\n        %- annotations:\n"
        .. "            x: \"?y\"?\n$",
        text)
      _, _, err = fn("eval app -s -t validator --exec ../add")
      assert.matches("%[FAIL%]", err)
      assert.equal(text, support.read(dir .. "/app/Kptfile"))
      _, _, err = fn("eval app -s -t validator --exec ./add")
      assert.matches('Added "./add" as validator in the Kptfile.\n', err)
      assert.equal(text .. "  validators:\n    - exec: ./add\n",
        support.read(dir .. "/app/Kptfile"))
      support.shell("rm " .. dir .. "/app/Kptfile")
      _, _, err = fn("eval app -s -t mutator -i set-labels -- a=b")
      assert.matches("function not added: Kptfile not exists\n$", err)
    end)

    it("deletes the file of resources that are gone, and keeps files without any", function()
      support.write(dir, { ["app/notes.yaml"] = "# nothing\n", none = "#!/bin/sh\ncat >/dev/null\n"
        .. "printf 'apiVersion: v1\\nkind: ResourceList\\nitems: []\\n'\n" })
      support.shell("chmod +x " .. dir .. "/none")
      local code, _, err = fn("eval app --exec ./none --match-kind ConfigMap")
      assert.equal(0, code, err)
      local files = support.tree(dir .. "/app")
      assert.is_nil(files["db/config.yaml"])
      assert.equal("# nothing\n", files["notes.yaml"])
    end)

    it("refuses what cannot be meant", function()
      for words, text in pairs {
        ["eval app"] = "must specify --image or --exec",
        ["eval app x -i a"] = "0 or 1 arguments supported, function arguments go after '--'",
        ["eval app -i a -- a b"] = "args must have keys and values separated by =",
        ["eval app -i a --fn-config x -- a=b"] = "function arguments can only be specified "
          .. "without function config file",
        ["eval app -i a --fn-config x"] = "missing function config file: x",
        ["eval app --exec ./add --network"] = "--mount, --as-current-user, --network and --env "
          .. "can only be used with container functions",
        ["eval app -i a -s"] = "--type must be specified if saving functions to Kptfile "
          .. "(--save=true)",
        ["eval app -i a -s -t both"] = "--type must be either `mutator` or `validator`",
        ["eval app -i a --match-labels x"] = '--match-labels must be given as key=value, not "x"',
        ["eval app -i a --results-dir add"] = 'cannot read or create results dir "add": ',
      } do
        local code, out, err = fn(words)
        assert.equal(1, code)
        assert.equal("", out)
        assert.equal("error: " .. text, err:sub(1, #text + 7))
      end
    end)
  end)

  describe("new, test and doc", function()
    it("write a function whose cases pass, run it and show its manual", function()
      local code, _, err = fn("new owner")
      assert.equal(0, code)
      assert.equal("writing owner.lua\nwriting owner_test.yaml\n", err)
      local out
      code, out = fn("test owner.lua")
      assert.equal("ok   says who owns a resource, and keeps comments\n"
        .. "ok   leaves resources alone that have an owner\nok   fails without an owner\n"
        .. "3 passed, 0 failed\n", out)
      assert.equal(0, code)
      code, _, err = fn("eval app --functions . -i owner -- owner=me")
      assert.equal(0, code, err)
      assert.matches("example.com/owner: me", support.read(dir .. "/app/service.yaml"))
      code, out = fn("doc owner", "LANAI_FUNCTIONS=.")
      assert.equal(0, code)
      assert.matches("^owner %- Says who owns a resource.\n", out)
      assert.equal(1, (fn("new owner")))
      assert.equal(1, (fn("new Bad_Name")))
    end)

    it("say what of a case is wrong", function()
      fn("new owner")
      support.shell(("sed -i 's/owner: team-a$/owner: team-x/; s/should not be empty/is/' "
        .. "%s/owner.lua; sed -i '0,/owner: team-a/s//owner: team-x/' %s/owner_test.yaml")
        :format(dir, dir))
      local code, out = fn("test owner_test.yaml")
      assert.equal(1, code)
      assert.matches("FAIL says who owns.-\n       the output is\n.*team%-x.*expected\n.*team%-a",
        out)
      assert.matches("FAIL fails without an owner\n       the error is\n"
        .. "       `data.owner` is\n", out)
      assert.matches("\n1 passed, 2 failed\n$", out)
    end)

    it("name the place of what breaks the contract, and what is no function", function()
      support.write(dir, { ["bad.lua"] = "return { api = 1, name = \"other\" }\n" })
      local code, _, err = fn("test bad.lua")
      assert.equal(1, code)
      assert.matches("bad.lua: field 'name': must be the file name", err)
      _, _, err = fn("test add")
      assert.equal('error: "add" is not the file of a function: NAME.lua\n', err)
      _, _, err = fn("doc nobody", "LANAI_FUNCTIONS=")
      assert.matches('no function is called "nobody"', err)
    end)

    it("list the functions that ship", function()
      local code, out = fn("doc")
      assert.equal(0, code)
      assert.matches("\nset%-namespace +%S", out)
      local _, manual = fn("doc -i ghcr.io/kptdev/krm-functions-catalog/set-labels:v0.2.1")
      assert.matches("^set%-labels %- ", manual)
    end)
  end)
end)
