// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// duration and instant are the two types of time.star.
type duration time.Duration
type instant time.Time

func (d duration) String() string        { return time.Duration(d).String() }
func (d duration) Type() string          { return "time.duration" }
func (d duration) Freeze()               {}
func (d duration) Truth() starlark.Bool  { return d != 0 }
func (d duration) Hash() (uint32, error) { return uint32(d) ^ uint32(int64(d)>>32), nil }

func (d duration) AttrNames() []string {
	return []string{"hours", "microseconds", "milliseconds", "minutes", "nanoseconds", "seconds"}
}

func (d duration) Attr(name string) (starlark.Value, error) {
	v := time.Duration(d)
	switch name {
	case "hours":
		return starlark.Float(v.Hours()), nil
	case "minutes":
		return starlark.Float(v.Minutes()), nil
	case "seconds":
		return starlark.Float(v.Seconds()), nil
	case "milliseconds":
		return starlark.MakeInt64(v.Milliseconds()), nil
	case "microseconds":
		return starlark.MakeInt64(v.Microseconds()), nil
	case "nanoseconds":
		return starlark.MakeInt64(v.Nanoseconds()), nil
	}
	return nil, nil
}

func compare(op syntax.Token, order int) bool {
	switch op {
	case syntax.EQL:
		return order == 0
	case syntax.NEQ:
		return order != 0
	case syntax.LT:
		return order < 0
	case syntax.LE:
		return order <= 0
	case syntax.GT:
		return order > 0
	}
	return order >= 0
}

func (d duration) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	other := y.(duration)
	switch {
	case d < other:
		return compare(op, -1), nil
	case d > other:
		return compare(op, 1), nil
	}
	return compare(op, 0), nil
}

func (d duration) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	switch y := y.(type) {
	case duration:
		if op == syntax.PLUS {
			return d + y, nil
		}
		if op == syntax.MINUS && side == starlark.Left {
			return d - y, nil
		}
	case starlark.Int:
		n, ok := y.Int64()
		if op == syntax.STAR && ok {
			return d * duration(n), nil
		}
	}
	return nil, nil
}

func (t instant) String() string        { return time.Time(t).String() }
func (t instant) Type() string          { return "time.time" }
func (t instant) Freeze()               {}
func (t instant) Truth() starlark.Bool  { return starlark.Bool(!time.Time(t).IsZero()) }
func (t instant) Hash() (uint32, error) { return duration(time.Time(t).UnixNano()).Hash() }

var instantNumbers = map[string]func(time.Time) int{
	"year": time.Time.Year, "month": func(t time.Time) int { return int(t.Month()) },
	"day": time.Time.Day, "hour": time.Time.Hour, "minute": time.Time.Minute,
	"second": time.Time.Second, "nanosecond": time.Time.Nanosecond,
}

func (t instant) AttrNames() []string {
	return []string{"day", "format", "hour", "minute", "month", "nanosecond", "second", "unix", "unix_nano", "year"}
}

func (t instant) Attr(name string) (starlark.Value, error) {
	v := time.Time(t)
	if fn := instantNumbers[name]; fn != nil {
		return starlark.MakeInt(fn(v)), nil
	}
	switch name {
	case "unix":
		return starlark.MakeInt64(v.Unix()), nil
	case "unix_nano":
		return starlark.MakeInt64(v.UnixNano()), nil
	case "format":
		return starlark.NewBuiltin("format", func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var layout string
			err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &layout)
			return starlark.String(v.Format(layout)), err
		}), nil
	}
	return nil, nil
}

func (t instant) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	a, b := time.Time(t), time.Time(y.(instant))
	switch {
	case a.Before(b):
		return compare(op, -1), nil
	case a.After(b):
		return compare(op, 1), nil
	}
	return compare(op, 0), nil
}

func (t instant) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	switch y := y.(type) {
	case duration:
		if op == syntax.PLUS {
			return instant(time.Time(t).Add(time.Duration(y))), nil
		}
		if op == syntax.MINUS && side == starlark.Left {
			return instant(time.Time(t).Add(-time.Duration(y))), nil
		}
	case instant:
		if op == syntax.MINUS && side == starlark.Left {
			return duration(time.Time(t).Sub(time.Time(y))), nil
		}
	}
	return nil, nil
}

func parseDuration(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s string
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &s); err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(s)
	return duration(d), err
}

// Times are of UTC: a function has no files, so there are no time zones to look up.
func parseTime(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var s string
	layout, location := time.RFC3339, "UTC"
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "x", &s, "format?", &layout, "location?", &location); err != nil {
		return nil, err
	}
	if location != "UTC" {
		return nil, fmt.Errorf("%s: unknown time zone %s", b.Name(), location)
	}
	t, err := time.Parse(layout, s)
	return instant(t), err
}

func fromTimestamp(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var seconds, nanoseconds int64
	if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &seconds, &nanoseconds); err != nil {
		return nil, err
	}
	return instant(time.Unix(seconds, nanoseconds).UTC()), nil
}

func now(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return instant(time.Now().UTC()), starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 0)
}

func timeModule() starlark.Value {
	members := starlark.StringDict{}
	for name, fn := range map[string]builtin{
		"duration": parseDuration, "parse_duration": parseDuration, "time": parseTime,
		"parse_time": parseTime, "from_timestamp": fromTimestamp, "now": now,
	} {
		members[name] = starlark.NewBuiltin("time."+name, fn)
	}
	for name, d := range map[string]time.Duration{
		"nanosecond": time.Nanosecond, "microsecond": time.Microsecond, "millisecond": time.Millisecond,
		"second": time.Second, "minute": time.Minute, "hour": time.Hour,
	} {
		members[name] = duration(d)
	}
	return starlarkstruct.FromStringDict(starlark.String("time"), members)
}
