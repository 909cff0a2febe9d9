/* SPDX-License-Identifier: GPL-2.0-only */
/* Thread-local variables. */
#pragma D option quiet

BEGIN { self->x = 3; self->name = "me"; }
BEGIN { printf("%d %s\n", self->x, self->name); self->x = 0; self->name = 0; }
BEGIN { printf("%d %d\n", self->x, self->name == NULL); exit(0); }
