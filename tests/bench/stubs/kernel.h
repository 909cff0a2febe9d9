/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module's assembly asks of the kernel's headers, for user space: no return
 * thunks, no unwinder, one processor whose per-CPU memory is plain memory (gs is 0).
 */
#ifndef STUBS_KERNEL_H
#define STUBS_KERNEL_H

#define SYM_L_GLOBAL(name) .globl name
#define SYM_T_FUNC @function
#define SYM_START(name, linkage, align...) linkage(name); align; name:
#define SYM_END(name, kind) .type name, kind; .size name, . - name
#define SYM_CODE_START(name) SYM_START(name, SYM_L_GLOBAL, .balign 16)
#define SYM_CODE_END(name) .size name, . - name
#define SYM_INNER_LABEL(name, linkage) linkage(name); name:
#define RET ret
#define PER_CPU_VAR(name) %gs:(name)(%rip)
#define ANNOTATE_NOENDBR
#define ANNOTATE_INTRA_FUNCTION_CALL
#define UNWIND_HINT_FUNC
#define ORC_REG_SP 0
#define UNWIND_HINT_TYPE_CALL 0
.macro UNWIND_HINT sp_reg sp_offset type
.endm

#endif /* STUBS_KERNEL_H */
