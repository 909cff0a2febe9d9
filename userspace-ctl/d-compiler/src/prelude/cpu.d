/* SPDX-License-Identifier: GPL-2.0-only */
/* What curcpu points to. Linux has no processor sets; which package and which latency group a processor is of is
 * not told. */

typedef int psetid_t;
typedef int chipid_t;
typedef id_t lgrp_id_t;

typedef struct {
	processorid_t cpu_id;
	psetid_t cpu_pset;
	chipid_t cpu_chip;
	lgrp_id_t cpu_lgrp;
	void *cpu_info;
} cpuinfo_t;

translator cpuinfo_t < processorid_t number > {
	cpu_id = number;
	cpu_pset = 0;
	cpu_chip = 0;
	cpu_lgrp = 0;
};
