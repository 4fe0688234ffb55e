-- SPDX-License-Identifier: Apache-2.0
--
-- Runs a function of lua/fn on files, as the pipeline does.
local cjson = require("cjson")
local eval = require("probe_eval")

local M = {}

--- files: path → text; config: YAML or nil; opts: {version=, kpt=, deadline_ms=}. Gives {ok, error,
--- ns, results, files = path → text}; what no longer has resources is not in files.
function M.run(name, files, config, opts)
  local list, paths = {}, {}
  for path in pairs(files) do
    paths[#paths + 1] = path
  end
  table.sort(paths)
  for i, path in ipairs(paths) do
    list[i] = { path, files[path] }
  end
  local answer = assert(eval.run(list, { image = name, tag = opts and opts.version,
    config = config, kpt = opts and opts.kpt, deadline_ms = opts and opts.deadline_ms,
    keep = true }))
  answer.results = answer.results and cjson.decode(answer.results) or {}
  local texts = {}
  for _, file in ipairs(answer.files or {}) do
    texts[file[1] or file.path] = file[2] or file.text
  end
  answer.files = texts
  return answer
end

return M
