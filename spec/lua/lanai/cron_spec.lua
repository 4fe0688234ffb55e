-- SPDX-License-Identifier: Apache-2.0

local cron = require("lanai.cron")

local function next_times(text, from, n)
  local schedule = assert(cron.parse(text))
  local at, out = cron.parse_time(from), {}
  for i = 1, n or 1 do
    at = cron.next(schedule, at)
    out[i] = at and cron.format_time(at)
  end
  return out
end

describe("cron schedules", function()
  it("come at the next matching minute", function()
    assert.same({ "2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z" },
      next_times("*/5 * * * *", "2026-01-01T00:00:00Z", 2))
    assert.same({ "2026-01-01T00:05:00Z" }, next_times("*/5 * * * *", "2026-01-01T00:00:01Z"))
    assert.same({ "2026-01-02T03:30:00Z" }, next_times("30 3 * * *", "2026-01-01T03:30:00Z"))
    assert.same({ "2026-01-01T10:07:00Z", "2026-01-01T10:22:00Z", "2026-01-01T10:37:00Z",
      "2026-01-01T10:52:00Z", "2026-01-01T11:07:00Z" },
      next_times("7-59/15 * * * *", "2026-01-01T10:00:00Z", 5))
    assert.same({ "2026-01-01T09:15:00Z", "2026-01-01T09:45:00Z", "2026-01-01T17:15:00Z" },
      next_times("15,45 9,17 * * *", "2026-01-01T00:00:00Z", 3))
  end)

  it("know months, leap days and years", function()
    assert.same({ "2026-03-01T00:00:00Z" }, next_times("0 0 1 3 *", "2026-01-01T00:00:00Z"))
    assert.same({ "2028-02-29T12:00:00Z" }, next_times("0 12 29 2 *", "2026-01-01T00:00:00Z"))
    assert.same({ "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z" },
      next_times("0 0 31 * *", "2026-01-01T00:00:00Z", 2))
    assert.same({ "2027-01-01T00:00:00Z" }, next_times("0 0 1 JAN *", "2026-01-01T00:00:00Z"))
    assert.same({}, next_times("0 0 30 2 *", "2026-01-01T00:00:00Z"))
  end)

  it("match either day field when both are restricted", function()
    -- 2026-01-02 is a Friday
    assert.same({ "2026-01-02T00:00:00Z" }, next_times("0 0 * * 5", "2026-01-01T00:00:00Z"))
    assert.same({ "2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z" },
      next_times("0 0 13 * fri", "2026-01-01T00:00:00Z", 3))
    assert.same({ "2026-01-04T00:00:00Z" }, next_times("0 0 * * 7", "2026-01-01T00:00:00Z"))
    assert.same({ "2026-01-05T00:00:00Z" }, next_times("0 0 * * 1-5", "2026-01-02T00:00:00Z"))
  end)

  it("have descriptors", function()
    assert.same({ "2026-01-01T01:00:00Z" }, next_times("@hourly", "2026-01-01T00:00:00Z"))
    assert.same({ "2026-01-02T00:00:00Z" }, next_times("@daily", "2026-01-01T00:00:00Z"))
    assert.same({ "2026-01-02T00:00:00Z" }, next_times("@midnight", "2026-01-01T00:00:00Z"))
    assert.same({ "2026-01-04T00:00:00Z" }, next_times("@weekly", "2026-01-01T00:00:00Z"))
    assert.same({ "2026-02-01T00:00:00Z" }, next_times("@monthly", "2026-01-01T00:00:00Z"))
    assert.same({ "2027-01-01T00:00:00Z" }, next_times("@yearly", "2026-01-01T00:00:00Z"))
    assert.same({ "2026-01-01T01:30:05Z" }, next_times("@every 1h30m5s", "2026-01-01T00:00:00Z"))
  end)

  it("agree with a minute-by-minute search", function()
    local schedules = { "3 */7 * * *", "*/13 5-9 2-20/3 * *", "59 23 * 2,11 1,3", "0 0 1 * 1",
      "1-5/2 0 * */5 *" }
    for _, text in ipairs(schedules) do
      local schedule = assert(cron.parse(text))
      local at = cron.parse_time("2026-01-29T11:17:23Z")
      local found = cron.next(schedule, at)
      local minute = (at // 60 + 1) * 60
      while cron.next(schedule, minute - 1) ~= minute do
        minute = minute + 60
      end
      assert.equal(minute, found, text)
    end
  end)

  it("are refused with a reason when they make no sense", function()
    for _, text in ipairs({ "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *",
      "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *", "1,,2 * * * *",
      "@often", "@every", "@every 0s", "@every 5x", "-1 * * * *" }) do
      local schedule, err = cron.parse(text)
      assert.is_nil(schedule, text)
      assert.is_string(err)
    end
  end)
end)

describe("times", function()
  it("go through text and back", function()
    for _, text in ipairs({ "1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2000-02-29T00:00:00Z",
      "2026-11-24T17:55:44Z", "2100-03-01T12:00:00Z" }) do
      assert.equal(text, cron.format_time(cron.parse_time(text)))
    end
    assert.equal(0, cron.parse_time("1970-01-01T00:00:00Z"))
    assert.equal(951782400, cron.parse_time("2000-02-29T00:00:00Z"))
  end)

  it("may have fractions and offsets", function()
    assert.equal(cron.parse_time("2026-01-01T00:00:00Z"),
      cron.parse_time("2026-01-01T01:30:00.25+01:30"))
    assert.equal(cron.parse_time("2026-01-01T00:00:00Z"),
      cron.parse_time("2025-12-31T22:00:00-02:00"))
  end)

  it("are nil when they are no times", function()
    assert.is_nil(cron.parse_time(nil))
    assert.is_nil(cron.parse_time("yesterday"))
    assert.is_nil(cron.parse_time("2026-01-01"))
    assert.is_nil(cron.parse_time("2026-01-01T00:00:00"))
  end)
end)
