// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/zip"
	"fmt"
	"io"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

const maxZipFile = 64 << 20

// openZip is ZipFile(data): an archive with namelist() and open(name).read().
func openZip(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var data string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "data", &data); err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(strings.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	return module("ZipFile", map[string]builtin{
		"namelist": func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			names := make([]string, len(archive.File))
			for i, f := range archive.File {
				names[i] = f.Name
			}
			return stringList(names), nil
		},
		"open": func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var name string
			if err := starlark.UnpackArgs(b.Name(), args, kwargs, "filename", &name); err != nil {
				return nil, err
			}
			return openMember(archive, name)
		},
	}), nil
}

func openMember(archive *zip.Reader, name string) (starlark.Value, error) {
	for _, f := range archive.File {
		if f.Name != name {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(io.LimitReader(r, maxZipFile+1))
		if err == nil && len(content) > maxZipFile {
			err = fmt.Errorf("%s is too large", name)
		}
		if err != nil {
			return nil, err
		}
		read := func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			return starlark.String(content), nil
		}
		return starlarkstruct.FromStringDict(starlark.String("ZipInfo"), starlark.StringDict{
			"read": starlark.NewBuiltin("read", read)}), nil
	}
	return nil, fmt.Errorf("not found")
}
