-- SPDX-License-Identifier: Apache-2.0
-- Strategic merge patches. The test schema has the lists `set` (merged as a set), `atomic`,
-- `items` (by name) and `ports` (by port and protocol); `one` and `byname.*` have a set `tags`.
local data = require "probe_data"

local function gives(target, patch, want)
  local got, kind, message = data.strategic(target, patch)
  assert.equal(want, got, message or kind)
end

describe("patch_strategic", function()
  it("merges maps and deletes with null", function()
    gives('{"a":{"b":1,"c":2},"d":3}', '{"a":{"b":null,"e":4},"d":5,"x":{"y":null,"z":1}}',
      '{"a":{"c":2,"e":4},"d":5,"x":{"z":1}}')
  end)

  it("replaces lists that the schema does not merge", function()
    gives('{"atomic":["a","b"],"unknown":[1]}', '{"atomic":["c"],"unknown":[2]}',
      '{"atomic":["c"],"unknown":[2]}')
  end)

  it("merges sets", function()
    gives('{"set":["a","b"]}', '{"set":["b","c"]}', '{"set":["a","b","c"]}')
    gives("{}", '{"set":["b","c","b"]}', '{"set":["b","c"]}')
  end)

  it("deletes from sets", function()
    gives('{"set":["a","b","c"]}', '{"$deleteFromPrimitiveList/set":["a","x"]}',
      '{"set":["b","c"]}')
    gives('{"set":["a","b"]}', '{"set":["c"],"$deleteFromPrimitiveList/set":["a"]}',
      '{"set":["c","b"]}')
  end)

  it("merges lists of objects by key", function()
    gives('{"items":[{"name":"a","v":1,"w":1},{"name":"b","v":2}]}',
      '{"items":[{"name":"c","v":3},{"name":"a","v":9}]}',
      '{"items":[{"name":"c","v":3},{"name":"a","v":9,"w":1},{"name":"b","v":2}]}')
  end)

  it("merges by composite keys", function()
    gives('{"ports":[{"port":1,"protocol":"TCP","n":1},{"port":1,"protocol":"UDP","n":2}]}',
      '{"ports":[{"port":1,"protocol":"UDP","n":3}]}',
      '{"ports":[{"port":1,"protocol":"TCP","n":1},{"port":1,"protocol":"UDP","n":3}]}')
  end)

  it("follows the schema into objects, maps and elements", function()
    gives('{"one":{"tags":["a"]},"byname":{"x":{"tags":["a"]}},'
      .. '"items":[{"name":"i","tags":["a"]}]}',
      '{"one":{"tags":["b"]},"byname":{"x":{"tags":["b"]}},"items":[{"name":"i","tags":["b"]}]}',
      '{"one":{"tags":["b","a"]},"byname":{"x":{"tags":["b","a"]}},'
      .. '"items":[{"name":"i","tags":["b","a"]}]}')
  end)

  it("obeys $patch in maps", function()
    gives('{"one":{"a":1,"b":2},"c":3}', '{"one":{"$patch":"replace","z":1}}',
      '{"one":{"z":1},"c":3}')
    gives('{"one":{"a":1}}', '{"one":{"$patch":"delete"}}', '{"one":{}}')
    gives('{"one":{"a":1}}', '{"one":{"$patch":"merge","b":2}}', '{"one":{"a":1,"b":2}}')
    gives('{"a":1}', '{"$patch":"replace","b":{"c":null,"d":1}}', '{"b":{"d":1}}')
  end)

  it("obeys $patch in list elements", function()
    gives('{"items":[{"name":"a"},{"name":"b"}]}', '{"items":[{"name":"a","$patch":"delete"}]}',
      '{"items":[{"name":"b"}]}')
    gives('{"items":[{"name":"a","v":1}]}',
      '{"items":[{"name":"a","$patch":"replace"},{"name":"c","x":{"y":null}}]}',
      '{"items":[{"name":"c","x":{}}]}')
    gives('{"items":[{"name":"a"},{"name":"b"}]}',
      '{"items":[{"name":"c"},{"$patch":"replace"}]}', '{"items":[{"name":"c"}]}')
  end)

  it("orders by $setElementOrder; what only the server has keeps its place", function()
    gives('{"items":[{"name":"a"},{"name":"x"},{"name":"b"}]}',
      '{"$setElementOrder/items":[{"name":"b"},{"name":"n"},{"name":"a"}],"items":[{"name":"n"}]}',
      '{"items":[{"name":"x"},{"name":"b"},{"name":"n"},{"name":"a"}]}')
    gives('{"set":["a","b","c"]}', '{"$setElementOrder/set":["c","b","a"]}',
      '{"set":["c","b","a"]}')
    gives('{"set":["a","s","b"]}', '{"$setElementOrder/set":["a","n","b"],"set":["n"]}',
      '{"set":["a","n","s","b"]}')
  end)

  it("keeps only $retainKeys", function()
    gives('{"one":{"a":1,"b":2,"c":3}}', '{"one":{"$retainKeys":["b","d"],"d":4}}',
      '{"one":{"b":2,"d":4}}')
  end)

  it("leaves no directive in the result", function()
    gives("{}", '{"x":{"$patch":"merge","$retainKeys":["a"],"$setElementOrder/l":[],'
      .. '"$deleteFromPrimitiveList/l":[1],"a":1,"l":[2]}}', '{"x":{"a":1}}')
  end)

  it("refuses unknown directives, missing keys and wrong shapes", function()
    for patch, problem in pairs {
      ['{"one":{"$patch":"upsert"}}'] = "unrecognized patch directive: upsert",
      ['{"items":[{"v":1}]}'] = "map does not contain declared merge key: name",
      ['{"items":[1]}'] = "list element is not an object",
      ["[1]"] = "must be an object",
    } do
      local got, kind, message = data.strategic("{}", patch)
      assert.is_nil(got)
      assert.equal("bad-request", kind)
      assert.matches("error decoding patch: ", message, 1, true)
      assert.matches(problem, message, 1, true)
    end
  end)

  it("uses the schemas of served kinds", function()
    assert.equal('{"metadata":{"finalizers":["b","a"],"ownerReferences":[{"uid":"2","name":"y"},'
      .. '{"uid":"1","name":"x"}]}}', (data.strategic(
        '{"metadata":{"finalizers":["a"],"ownerReferences":[{"uid":"1","name":"w"}]}}',
        '{"metadata":{"finalizers":["b"],"ownerReferences":[{"uid":"2","name":"y"},'
        .. '{"uid":"1","name":"x"}]}}', "v1", "Secret")))
  end)

  it("replaces all lists without a schema", function()
    assert.equal('{"set":["b"]}',
      (data.strategic('{"set":["a"]}', '{"set":["b"]}', "none/v1", "X")))
  end)
end)
