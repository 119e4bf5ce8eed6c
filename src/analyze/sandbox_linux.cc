#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "analyze/sandbox.h"

// Sanitizers start programs and write files of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAULTLINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FAULTLINE_SANITIZED 1
#endif
#endif

namespace analyze {
namespace {

[[noreturn]] void out_of_memory() { ::_exit(kExitOutOfMemory); }

#if defined(__x86_64__)

sock_filter statement(unsigned code, std::uint32_t k) {
  return {static_cast<std::uint16_t>(code), 0, 0, k};
}
sock_filter jump(unsigned code, std::uint32_t k, std::uint8_t yes, std::uint8_t no) {
  return {static_cast<std::uint16_t>(code), yes, no, k};
}

// System calls that are refused with EPERM. A list of what is forbidden rather than of what is
// allowed: the C library's choices change from release to release, and the damage that we
// fear (sending data out, changing files, starting programs) needs one of these.
constexpr unsigned kForbidden[] = {
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_execve,
    SYS_execveat,
    SYS_fork,
    SYS_vfork,
    SYS_ptrace,
    SYS_kill,
    SYS_tkill,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_unlink,
    SYS_unlinkat,
    SYS_rename,
    SYS_renameat,
    SYS_renameat2,
    SYS_link,
    SYS_linkat,
    SYS_symlink,
    SYS_symlinkat,
    SYS_mkdir,
    SYS_mkdirat,
    SYS_rmdir,
    SYS_chmod,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_chown,
    SYS_fchown,
    SYS_lchown,
    SYS_fchownat,
    SYS_truncate,
    SYS_ftruncate,
    SYS_mknod,
    SYS_mknodat,
    SYS_mount,
    SYS_umount2,
    SYS_creat,
    SYS_bpf,
    SYS_keyctl,
    SYS_unshare,
    SYS_setns,
    SYS_io_uring_setup,
};

std::vector<sock_filter> make_filter() {
  constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
  constexpr std::uint32_t kX32 = 0x40000000;  // the other ABI of the same machine
  std::vector<sock_filter> f;
  f.push_back(statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
  f.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
  f.push_back(statement(BPF_RET | BPF_K, kRefuse));
  f.push_back(statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  f.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, kX32, 0, 1));
  f.push_back(statement(BPF_RET | BPF_K, kRefuse));
  for (const unsigned number : kForbidden) {
    f.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
    f.push_back(statement(BPF_RET | BPF_K, kRefuse));
  }
  // open and openat may read only; openat2, whose flags are in memory, is refused as unknown.
  const struct {
    unsigned number;
    unsigned flags_argument;
  } opens[] = {{SYS_open, 1}, {SYS_openat, 2}};
  for (const auto& open : opens) {
    const auto flags = offsetof(seccomp_data, args) + open.flags_argument * sizeof(std::uint64_t);
    f.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, open.number, 0, 4));
    f.push_back(statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(flags)));
    f.push_back(jump(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1));
    f.push_back(statement(BPF_RET | BPF_K, kRefuse));
    f.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  f.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1));
  f.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
  f.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return f;
}

[[maybe_unused]] void forbid_system_calls() {
  std::vector<sock_filter> filter = make_filter();
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return;
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

#else
[[maybe_unused]] void forbid_system_calls() {}
#endif

}  // namespace

void enter_sandbox() {
  std::set_new_handler(out_of_memory);
#if !defined(FAULTLINE_SANITIZED)
  forbid_system_calls();
#endif
}

}  // namespace analyze
