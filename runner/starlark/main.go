// SPDX-License-Identifier: Apache-2.0

// The helper process that runs Starlark functions for lanai, with the reference interpreter.
// core/eval/helper.h is the other side and defines the protocol. The process gives up its rights
// before it reads the first script; whatever does not end or grows too big is killed from outside.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
)

const (
	maxLog    = 1 << 20
	maxStack  = 64 << 20
	softBytes = 192 << 20 // the collector works harder from here on; the limit is the parent's
)

func readAll(b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Read(0, b)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return syscall.EPIPE
		}
		b = b[n:]
	}
	return nil
}

func writeAll(b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Write(1, b)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// serve answers requests until the other side is gone.
func serve() error {
	var head [4]byte
	for readAll(head[:]) == nil {
		request := make([]byte, binary.LittleEndian.Uint32(head[:]))
		if err := readAll(request); err != nil {
			return err
		}
		a := evaluate(request)
		if len(a.log) > maxLog {
			a.log = a.log[:maxLog]
		}
		var out []byte
		for _, v := range []int{a.code, len(a.log), len(a.output)} {
			out = binary.LittleEndian.AppendUint32(out, uint32(v))
		}
		out = append(append(out, a.log...), a.output...)
		if err := writeAll(out); err != nil {
			return err
		}
	}
	return nil
}

// hush lets the runtime say nothing when a script brings it down: its pages of goroutines are no
// news for the log of a server. What comes back is the old standard error. The package os would
// begin to poll files here, with system calls that are not allowed later.
func hush() *os.File {
	null, err := syscall.Open(os.DevNull, syscall.O_WRONLY, 0)
	if err != nil {
		return os.Stderr
	}
	defer syscall.Close(null)
	old, err := syscall.Dup(2)
	if err == nil {
		err = syscall.Dup3(null, 2, 0)
	}
	if err != nil {
		return os.Stderr
	}
	return os.NewFile(uintptr(old), "stderr")
}

func main() {
	debug.SetMemoryLimit(softBytes)
	debug.SetGCPercent(400)
	debug.SetMaxStack(maxStack)
	variables = os.Environ()
	log := hush()
	err := seal()
	if err == nil {
		err = serve()
	}
	if err != nil {
		fmt.Fprintln(log, "lanai-starlark:", err)
		os.Exit(1)
	}
}
