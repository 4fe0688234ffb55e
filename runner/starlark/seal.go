// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What the runtime of the language needs to compute: memory, threads of this process, the two
// descriptors, clocks, signals to itself. Everything else fails with EPERM.
var allowed = []uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_MUNMAP, unix.SYS_MADVISE,
	unix.SYS_MINCORE, unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_GETTIME,
	unix.SYS_GETTIMEOFDAY, unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_TGKILL,
	unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_RT_SIGACTION,
	unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
	unix.SYS_RESTART_SYSCALL, unix.SYS_GETRANDOM, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

var auditArch = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// Of linux/seccomp.h; the package unix of Debian 12 does not have them.
const (
	setModeFilter  = 1
	flagAllThreads = 1
	allow          = 0x7fff0000
	deny           = 0x00050000 | uint32(unix.EPERM)
	killProcess    = 0x80000000
)

// Of struct seccomp_data.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArg0   = 16
	offsetArg2   = 32
)

func statement(code uint16, k uint32) unix.SockFilter {
	return unix.SockFilter{Code: code, K: k}
}

func jump(how uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | how, Jt: yes, Jf: no, K: k}
}

func load(offset uint32) unix.SockFilter {
	return statement(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset)
}

func answer(action uint32) unix.SockFilter {
	return statement(unix.BPF_RET|unix.BPF_K, action)
}

// Calls of one number whose argument must have (or not have) a bit.
func withBit(number, offset, bit uint32, wanted bool) []unix.SockFilter {
	set, clear := uint32(allow), uint32(deny)
	if !wanted {
		set, clear = clear, set
	}
	return []unix.SockFilter{
		jump(unix.BPF_JEQ, number, 0, 4),
		load(offset),
		jump(unix.BPF_JSET, bit, 0, 1),
		answer(set),
		answer(clear),
	}
}

// Numbers with the x32 bit equal none of the list.
func filter() []unix.SockFilter {
	code := []unix.SockFilter{
		load(offsetArch),
		jump(unix.BPF_JEQ, auditArch[runtime.GOARCH], 1, 0),
		answer(killProcess),
		load(offsetNumber),
	}
	for _, number := range allowed {
		code = append(code, jump(unix.BPF_JEQ, number, 0, 1), answer(allow))
	}
	code = append(code, withBit(unix.SYS_CLONE, offsetArg0, unix.CLONE_THREAD, true)...)
	code = append(code, withBit(unix.SYS_MMAP, offsetArg2, unix.PROT_EXEC, false)...)
	code = append(code, withBit(unix.SYS_MPROTECT, offsetArg2, unix.PROT_EXEC, false)...)
	return append(code, answer(deny))
}

// seal takes from all threads of this process what a script must not have.
func seal() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	parent := unix.Getppid()
	none := unix.Rlimit{}
	for _, limit := range []int{unix.RLIMIT_CORE, unix.RLIMIT_NOFILE, unix.RLIMIT_FSIZE} {
		if err := unix.Setrlimit(limit, &none); err != nil {
			return err
		}
	}
	for _, option := range [][2]int{
		{unix.PR_SET_PDEATHSIG, int(unix.SIGKILL)},
		{unix.PR_SET_DUMPABLE, 0},
		{unix.PR_SET_NO_NEW_PRIVS, 1},
	} {
		if err := unix.Prctl(option[0], uintptr(option[1]), 0, 0, 0); err != nil {
			return err
		}
	}
	if parent != unix.Getppid() {
		return syscall.ESRCH
	}
	code := filter()
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	_, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, setModeFilter,
		flagAllThreads, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(code)
	if errno != 0 {
		return fmt.Errorf("cannot limit system calls: %w", errno)
	}
	return nil
}
