/* SPDX-License-Identifier: GPL-2.0-only */
/* Clause-local variables reach from clause to clause of a firing. */
#pragma D option quiet

BEGIN { this->x = 7; }
BEGIN { printf("%d\n", this->x); this->x++; }
BEGIN { printf("%d\n", this->x); exit(0); }
