// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkjson"
	"go.starlark.net/starlarkstruct"
)

type builtin = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)

// modules: what a script can load, with the name it exports.
var modules = map[string]struct {
	name  string
	value starlark.Value
}{
	"krmfn.star": {"krmfn", module("krmfn", map[string]builtin{
		"match_gvk": matchGVK, "match_name": matchName, "match_namespace": matchNamespace})},
	"encoding/base64.star": {"base64", module("base64", map[string]builtin{
		"encode": base64Encode, "decode": base64Decode})},
	"encoding/csv.star": {"csv", module("csv", map[string]builtin{
		"read_all": csvRead, "write_all": csvWrite})},
	"encoding/json.star": {"json", starlarkjson.Module},
	"encoding/yaml.star": {"yaml", module("yaml", map[string]builtin{
		"loads": yamlLoads, "dumps": yamlDumps})},
	"hash.star": {"hash", module("hash", map[string]builtin{
		"md5": hashWith(md5.New), "sha1": hashWith(sha1.New), "sha256": hashWith(sha256.New)})},
	"math.star": {"math", mathModule()},
	"re.star": {"re", module("re", map[string]builtin{
		"compile": reCompile, "findall": reFindall, "match": reMatch, "search": reSearch,
		"split": reSplit, "sub": reSub})},
	"time.star":    {"time", timeModule()},
	"zipfile.star": {"ZipFile", starlark.NewBuiltin("ZipFile", openZip)},

	// Known to the catalogue's function; here, they say so when they are called.
	"bsoup.star": {"bsoup", module("bsoup", map[string]builtin{"parseHtml": refuse})},
	"geo.star": {"geo", module("geo", map[string]builtin{
		"Point": refuse, "Line": refuse, "Polygon": refuse, "MultiPolygon": refuse,
		"within": refuse, "intersects": refuse, "parseGeoJSON": refuse})},
	"html.star": {"html", starlark.NewBuiltin("html", refuse)},
	"http.star": {"http", module("http", map[string]builtin{
		"get": refuseNetwork, "put": refuseNetwork, "post": refuseNetwork,
		"patch": refuseNetwork, "delete": refuseNetwork, "options": refuseNetwork})},
	"xlsx.star": {"xlsx", module("xlsx", map[string]builtin{"get_url": refuseNetwork})},
}

func module(name string, functions map[string]builtin) starlark.Value {
	members := starlark.StringDict{}
	for key, fn := range functions {
		members[key] = starlark.NewBuiltin(name+"."+key, fn)
	}
	return starlarkstruct.FromStringDict(starlark.String(name), members)
}

func loadModule(_ *starlark.Thread, name string) (starlark.StringDict, error) {
	m, ok := modules[name]
	if !ok {
		return nil, fmt.Errorf("invalid module %q", name)
	}
	return starlark.StringDict{m.name: m.value}, nil
}

func refuse(_ *starlark.Thread, b *starlark.Builtin, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	return nil, fmt.Errorf("%s: not supported by lanai", b.Name())
}

func refuseNetwork(_ *starlark.Thread, b *starlark.Builtin, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	return nil, fmt.Errorf("%s: functions have no network", b.Name())
}

// --- krmfn ---

func matchGVK(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var resource starlark.Value
	var apiVersion, kind string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "resource", &resource,
		"api_version", &apiVersion, "kind", &kind); err != nil {
		return nil, err
	}
	return starlark.Bool(text(resource, "apiVersion") == apiVersion && text(resource, "kind") == kind), nil
}

func matchMetadata(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple, field string) (starlark.Value, error) {
	var resource starlark.Value
	var want string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "resource", &resource, field, &want); err != nil {
		return nil, err
	}
	return starlark.Bool(text(resource, "metadata", field) == want), nil
}

func matchName(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return matchMetadata(b, args, kwargs, "name")
}

func matchNamespace(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return matchMetadata(b, args, kwargs, "namespace")
}

// --- base64 ---

var base64Encodings = map[string]*base64.Encoding{
	"standard": base64.StdEncoding, "standard_raw": base64.RawStdEncoding,
	"url": base64.URLEncoding, "url_raw": base64.RawURLEncoding,
}

func base64Arguments(b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (string, *base64.Encoding, error) {
	var src string
	name := "standard"
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "src", &src, "encoding?", &name); err != nil {
		return "", nil, err
	}
	encoding := base64Encodings[name]
	if encoding == nil {
		return "", nil, fmt.Errorf("unsupported encoding: %q", name)
	}
	return src, encoding, nil
}

func base64Encode(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	src, encoding, err := base64Arguments(b, args, kwargs)
	if err != nil {
		return nil, err
	}
	return starlark.String(encoding.EncodeToString([]byte(src))), nil
}

func base64Decode(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	src, encoding, err := base64Arguments(b, args, kwargs)
	if err != nil {
		return nil, err
	}
	out, err := encoding.DecodeString(src)
	return starlark.String(out), err
}

// --- csv ---

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func csvRead(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var source string
	comma, comment := ",", ""
	var lazy, trim bool
	var fields, skip int
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "source", &source, "comma?", &comma,
		"comment?", &comment, "lazy_quotes?", &lazy, "trim_leading_space?", &trim,
		"fields_per_record?", &fields, "skip?", &skip); err != nil {
		return nil, err
	}
	r := csv.NewReader(strings.NewReader(source))
	r.Comma, r.Comment = firstRune(comma), firstRune(comment)
	r.LazyQuotes, r.TrimLeadingSpace, r.FieldsPerRecord = lazy, trim, fields
	records, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	out := starlark.NewList(nil)
	for i, record := range records {
		if i >= skip {
			out.Append(stringList(record))
		}
	}
	return out, nil
}

func stringList(texts []string) *starlark.List {
	out := make([]starlark.Value, len(texts))
	for i, s := range texts {
		out[i] = starlark.String(s)
	}
	return starlark.NewList(out)
}

func csvRow(v starlark.Value) ([]string, error) {
	row, ok := v.(starlark.Iterable)
	if !ok {
		return nil, fmt.Errorf("csv.write_all: a row must be a list, but got %s", v.Type())
	}
	var out []string
	iterator := row.Iterate()
	defer iterator.Done()
	for iterator.Next(&v) {
		s, ok := starlark.AsString(v)
		if !ok {
			s = v.String()
		}
		out = append(out, s)
	}
	return out, nil
}

func csvWrite(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var source starlark.Iterable
	comma := ","
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "source", &source, "comma?", &comma); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.Comma = firstRune(comma)
	iterator := source.Iterate()
	defer iterator.Done()
	var v starlark.Value
	for iterator.Next(&v) {
		row, err := csvRow(v)
		if err == nil {
			err = w.Write(row)
		}
		if err != nil {
			return nil, err
		}
	}
	w.Flush()
	return starlark.String(out.String()), w.Error()
}

// --- hash ---

func hashWith(algorithm func() hash.Hash) builtin {
	return func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var s string
		if err := starlark.UnpackArgs(b.Name(), args, kwargs, "string", &s); err != nil {
			return nil, err
		}
		h := algorithm()
		h.Write([]byte(s))
		return starlark.String(hex.EncodeToString(h.Sum(nil))), nil
	}
}
