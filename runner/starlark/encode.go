// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

const maxDepth = 500

const hexDigits = "0123456789abcdef"

func encodeString(out []byte, s string) []byte {
	out = append(out, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				out = append(append(out, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			out = append(out, s[from:i]...)
			if c < ' ' {
				out = append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			} else {
				out = append(out, '\\', c)
			}
			from = i + 1
		}
		i++
	}
	return append(append(out, s[from:]...), '"')
}

// Floats as the peer's YAML writer prints them: without a fraction when there is none.
func encodeFloat(out []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("a resource cannot hold the number %v", f)
	}
	return strconv.AppendFloat(out, f, 'g', -1, 64), nil
}

func encodeDict(out []byte, d *starlark.Dict, depth int) ([]byte, error) {
	keys, err := sortedKeys(d)
	out = append(out, '{')
	for i, key := range keys {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(encodeString(out, key), ':')
		v, _, _ := d.Get(starlark.String(key))
		if out, err = encode(out, v, depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), err
}

func encodeItems(out []byte, items starlark.Iterable, depth int) ([]byte, error) {
	iterator := items.Iterate()
	defer iterator.Done()
	out = append(out, '[')
	var v starlark.Value
	var err error
	for i := 0; iterator.Next(&v); i++ {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = encode(out, v, depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

// encode appends a value as JSON, keys sorted.
func encode(out []byte, v starlark.Value, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("a resource is nested too deeply, or in itself")
	}
	switch v := v.(type) {
	case starlark.NoneType:
		return append(out, "null"...), nil
	case starlark.Bool:
		return strconv.AppendBool(out, bool(v)), nil
	case starlark.Int:
		return append(out, v.String()...), nil
	case starlark.Float:
		return encodeFloat(out, float64(v))
	case starlark.String:
		return encodeString(out, string(v)), nil
	case *starlark.Dict:
		return encodeDict(out, v, depth)
	case *starlark.List, starlark.Tuple, *starlark.Set:
		return encodeItems(out, v.(starlark.Iterable), depth)
	}
	return nil, fmt.Errorf("a resource cannot hold a value of type %s", v.Type())
}
