/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the processor belongs. */

inline chipid_t chip = curcpu->cpu_chip;
inline lgrp_id_t lgrp = curcpu->cpu_lgrp;
inline psetid_t pset = curcpu->cpu_pset;
