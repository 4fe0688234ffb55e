/* SPDX-License-Identifier: Apache-2.0
 *
 * A helper takes its own rights away before it reads the first script: what an interpreter with a
 * defect could be talked into must still be nothing but a computation. The filter is a list of
 * what is allowed; everything else fails with EPERM. core/THREATS.md has the boundary.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "eval/helper.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "say which system calls this machine has"
#endif

/* Memory, the two descriptors that are open, clocks, the timers of script/timer.c (they signal this
 * process only), and the way out. */
static const int allowed[] = {
    SYS_read,          SYS_write,          SYS_close,          SYS_brk,
    SYS_munmap,        SYS_mremap,         SYS_madvise,        SYS_futex,
    SYS_clock_gettime, SYS_gettid,         SYS_getpid,         SYS_timer_create,
    SYS_timer_settime, SYS_timer_gettime,  SYS_timer_delete,   SYS_rt_sigaction,
    SYS_rt_sigreturn,  SYS_rt_sigprocmask, SYS_restart_syscall, SYS_sigaltstack,
    SYS_sched_yield,   SYS_getrandom,      SYS_exit,           SYS_exit_group,
    SYS_tgkill,
};
#define N_ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define JUMP_EQUAL(v, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (v), (yes), (no))
#define RETURN(v) BPF_STMT(BPF_RET | BPF_K, (v))

/* mmap without executable pages; the rest by number. Numbers with the x32 bit equal none. */
static int filter(void)
{
    struct sock_filter code[N_ALLOWED * 2 + 16];
    unsigned short n = 0;
    code[n++] = (struct sock_filter)LOAD(arch);
    code[n++] = (struct sock_filter)JUMP_EQUAL(ARCH, 1, 0);
    code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
    code[n++] = (struct sock_filter)LOAD(nr);
    for (size_t i = 0; i < N_ALLOWED; i++) {
        code[n++] = (struct sock_filter)JUMP_EQUAL((uint32_t)allowed[i], 0, 1);
        code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    }
    code[n++] = (struct sock_filter)JUMP_EQUAL(SYS_mmap, 1, 0);
    code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
    code[n++] = (struct sock_filter)LOAD(args[2]); /* protection, low half */
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4 /* PROT_EXEC */, 0, 1);
    code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
    code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    struct sock_fprog program = {n, code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int eval_helper_seal(struct err *err)
{
    const struct rlimit none = {0, 0};
    pid_t parent = getppid();
    /* No new descriptor can be opened; those that are open stay. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0) ||
        setrlimit(RLIMIT_CORE, &none) || setrlimit(RLIMIT_NOFILE, &none) ||
        setrlimit(RLIMIT_FSIZE, &none) || setrlimit(RLIMIT_NPROC, &none) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        return err_set(err, ERR_INTERNAL, "cannot give up rights: %s", strerror(errno));
    }
    /* A parent that went away before PDEATHSIG was set; the end of the socket tells, too. */
    if (parent != getppid()) {
        return err_set(err, ERR_INTERNAL, "the server is gone");
    }
    if (filter()) {
        return err_set(err, ERR_INTERNAL, "cannot limit system calls: %s", strerror(errno));
    }
    return 0;
}
