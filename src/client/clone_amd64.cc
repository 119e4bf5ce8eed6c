#include "client/syscalls_amd64.h"

// The child must not return through frames that it shares with the parent, so it gets a stack of
// its own with nothing on it but the function and its argument.
__asm__(
    ".text\n"
    ".globl faultline_clone_call\n"
    ".hidden faultline_clone_call\n"
    ".type faultline_clone_call, @function\n"
    "faultline_clone_call:\n"
    "  .cfi_startproc\n"
    "  endbr64\n"
    "  and $-16, %rsi\n"
    "  sub $16, %rsi\n"
    "  mov %rdx, 0(%rsi)\n"
    "  mov %rcx, 8(%rsi)\n"
    "  xor %edx, %edx\n"
    "  xor %r10d, %r10d\n"
    "  xor %r8d, %r8d\n"
    "  mov $56, %eax\n"  // clone
    "  syscall\n"
    "  test %rax, %rax\n"
    "  jnz 1f\n"
    "  .cfi_undefined %rip\n"
    "  xor %ebp, %ebp\n"
    "  pop %rax\n"
    "  pop %rdi\n"
    "  call *%rax\n"
    "  mov %eax, %edi\n"
    "  mov $60, %eax\n"  // exit
    "  syscall\n"
    "  hlt\n"
    "1:\n"
    "  ret\n"
    "  .cfi_endproc\n"
    ".size faultline_clone_call, .-faultline_clone_call\n");
