-- SPDX-License-Identifier: Apache-2.0
--
-- A field with a default and a column are added by changing one file: everything that is made
-- from a copy of api/ with such a change must show both.

local dkjson = require("dkjson")
local support = require("spec.api.support")

local COMPILE = "-std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla"
  .. " -Wformat=2 -Wno-unused-parameter -Wno-missing-field-initializers -Werror -Icore -I."

-- Prints field and column of the generated table as a program of the tree would read them.
local CHECKER = [[
#include <stdio.h>
#include "api/kinds.h"
int main(void)
{
    for (size_t i = 0; i < api_n_kinds; i++) {
        const struct api_kind *k = &api_kinds[i];
        if (!str_eqz(STR("Repository"), k->kind)) {
            continue;
        }
        const struct api_schema *spec = k->schema->fields[3].object;
        for (size_t j = 0; j < spec->n_fields; j++) {
            if (str_eqz(STR("colour"), spec->fields[j].name)) {
                printf("%s ", spec->fields[j].default_json);
            }
        }
        for (size_t j = 0; j < k->n_columns; j++) {
            if (str_eqz(STR("Colour"), k->columns[j].name)) {
                printf("%s %zu of %zu\n", k->columns[j].source, j + 1, k->n_columns);
            }
        }
    }
}
]]

-- Inserts text before the first line that holds a string; there must be one.
local function insert_before(text, anchor, addition)
  local at = assert(text:find(anchor, 1, true), "no " .. anchor)
  local line = at
  while text:sub(line - 1, line - 1) ~= "\n" do
    line = line - 1
  end
  return text:sub(1, line - 1) .. addition .. text:sub(line)
end

describe("a field with a default and a column, added in one kind file", function()
  local dir, api, documents

  setup(function()
    dir = support.temporary()
    api = dir .. "/api"
    assert(support.run("cp -R api '" .. api .. "' && mkdir '" .. dir .. "/out'"))
    local path = api .. "/kinds/repository.lua"
    local text = support.read(path)
    text = insert_before(text, '{ "sync", "object"',
      '      { "colour", "string", "Colour of the roof.", default = "red" },\n')
    text = insert_before(text, '{ "Age", "date", "age" }',
      '    { "Colour", "string", ".spec.colour" },\n')
    support.write(path, text)
    local ok, output = support.generate(api, dir .. "/out")
    assert(ok, output)
    ok, output = support.generate(api, dir .. "/out", "--crds")
    assert(ok, output)
    documents = support.documents(api)
  end)

  teardown(function()
    support.remove(dir)
  end)

  it("is in the C table, which compiles without warnings", function()
    local program = dir .. "/check"
    support.write(program .. ".c", CHECKER)
    local ok, output = support.run(("cc %s -o '%s' '%s.c' '%s/out/api_kinds.c'"):format(COMPILE,
      program, program, dir))
    assert(ok, output)
    ok, output = support.run(program)
    assert.is_true(ok)
    assert.equal('"red" .spec.colour 9 of 10\n', output)
  end)

  it("is in OpenAPI 2 and 3", function()
    local expected = { type = "string", description = "Colour of the roof." }
    local name = "dev.kpt.porch.config.v1alpha1.Repository"
    local v2 = dkjson.decode(documents["/openapi/v2"].body).definitions
    assert.same(expected, v2[name].properties.spec.properties.colour)
    expected.default = "red" -- version 2 has no defaults
    local v3 = dkjson.decode(documents["/openapi/v3/apis/config.porch.kpt.dev/v1alpha1"].body)
    assert.same(expected, v3.components.schemas[name].properties.spec.properties.colour)
    assert.truthy(documents["/openapi/v2 pb"].body:find("Colour of the roof.", 1, true))
    assert.truthy(documents["crd:repositories.config.porch.kpt.dev"].body
      :find('"jsonPath":".spec.colour"', 1, true))
  end)

  it("is in the CRD", function()
    local text = support.read(dir .. "/out/repositories.config.porch.kpt.dev.yaml")
    assert.matches("colour:\n +description: Colour of the roof.\n +type: string\n +default: red\n",
      text)
    assert.matches('%- name: Colour\n +type: string\n +jsonPath: "%.spec%.colour"\n', text)
  end)

  it("changes the ETag of what it changes and of nothing else", function()
    local before = support.documents("api")
    local changed = {}
    for key, document in pairs(before) do
      if document.body ~= documents[key].body then
        changed[#changed + 1] = key
      end
    end
    table.sort(changed)
    assert.same({
      "/openapi/v2", "/openapi/v2 pb", "/openapi/v3",
      "/openapi/v3/apis/config.porch.kpt.dev/v1alpha1", "crd:repositories.config.porch.kpt.dev",
    }, changed)
  end)
end)

describe("the generator", function()
  local dir

  before_each(function()
    dir = support.temporary()
    assert(support.run("cp -R api '" .. dir .. "/api' && mkdir '" .. dir .. "/out'"))
  end)

  after_each(function()
    support.remove(dir)
  end)

  local function broken(from, to)
    local path = dir .. "/api/kinds/repository.lua"
    local text = support.read(path)
    local at, last = assert(text:find(from, 1, true))
    support.write(path, text:sub(1, at - 1) .. to .. text:sub(last + 1))
    local ok, output = support.generate(dir .. "/api", dir .. "/out")
    assert.is_false(ok)
    return output
  end

  it("says where a kind file is wrong", function()
    assert.matches("repository.lua: unknown member 'colour'",
      broken('crd = true', 'crd = true, colour = 1'))
  end)

  it("refuses a type that does not exist", function()
    assert.matches("repository.lua.spec.type: no type 'strnig'",
      broken('"type", "string"', '"type", "strnig"'))
  end)

  it("refuses a default of another type", function()
    assert.matches("spec.content: default must be a string",
      broken('default = "Package"', 'default = 5'))
  end)

  it("refuses a pattern of values without a limit", function()
    assert.matches("spec.type: a pattern needs a max_length",
      broken('"git or oci."', '"git or oci.", pattern = "^(git|oci)$"'))
  end)

  it("refuses an age column that is not the last", function()
    assert.matches("age must be the last",
      broken('{ "Age", "date", "age" },', '{ "Age", "date", "age" }, { "X", "string", ".x" },'))
  end)

  it("refuses an unknown verb", function()
    assert.matches("unknown name 'destroy'", broken('"delete",', '"destroy",'))
  end)

  it("writes the same bytes every time", function()
    assert(support.generate(dir .. "/api", dir .. "/out"))
    local first = support.read(dir .. "/out/api_documents.c")
      .. support.read(dir .. "/out/api_kinds.c") .. support.read(dir .. "/out/api_messages.c")
    assert(support.generate(dir .. "/api", dir .. "/out"))
    assert.equal(first, support.read(dir .. "/out/api_documents.c")
      .. support.read(dir .. "/out/api_kinds.c") .. support.read(dir .. "/out/api_messages.c"))
  end)
end)
